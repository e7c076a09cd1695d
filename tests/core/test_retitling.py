"""A thread's better title: asked for apart from the conversation, given once, and only where a setting wants it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from core.errors import ChatLimited
from core.presentation import USUAL
from core.retitling import Retitling
from core.storage.database import Database
from core.turn import Turn
from core.upstream.errors import UpstreamFailed
from tests.core.conftest import FakeChat
from tests.core.test_worker import Rig, opened, thread


class TitledChat(FakeChat):
    def __init__(self) -> None:
        super().__init__()
        self.titles: list[tuple[str, str]] = []
        self.is_titled = True
        self.refusal: Exception | None = None

    def has_title(self, turn: Turn) -> bool:
        return self.is_titled

    async def retitle(self, turn: Turn, title: str) -> None:
        if self.refusal:
            raise self.refusal
        self.titles.append((turn.question.thread.id, title))


@pytest.fixture
def chat() -> TitledChat:
    return TitledChat()


@pytest.fixture
async def rig(chat: Any, upstream: Any, database: Database) -> Any:
    async with opened(chat, upstream, database) as rig:
        wanted(rig)
        yield rig


def wanted(rig: Rig, patience: float = USUAL.title) -> None:
    rig.worker._retitling = Retitling(rig.upstream, rig.ledger, rig.worker._visible, patience)


async def test_a_title_is_asked_for_apart_from_the_conversation_and_given_once(rig: Rig) -> None:
    rig.upstream.answers = [["Because."], ["**Why", " it is so.**\n\nIndeed."], ["And so on."]]
    await rig.answered("Why?")
    await rig.answered("And?")
    assert rig.chat.titles == [(thread().id, "Why it is so")]
    first, title, second = rig.upstream.prompts
    assert (title.stateful, title.conversation, title.model, title.instructions) == (False, None, "gpt-5.1", "")
    assert '"question": "Why?", "answer": "Because."' in title.question
    assert second.question == "And?"
    assert first.conversation is None
    assert second.conversation == "c-1"


async def test_answered_again_or_by_another_process_it_keeps_its_title(
    rig: Rig, chat: Any, upstream: Any, database: Database
) -> None:
    accepted = await rig.ask("Why?")
    await rig.over()
    assert len(rig.chat.titles) == 1
    async with opened(chat, upstream, database) as other:
        wanted(other)
        await other.relay.again(accepted.turn.question.key)
        await other.over()
    assert len(rig.chat.titles) == 1
    assert len(upstream.prompts) == 3


@pytest.mark.parametrize("pieces", [[UpstreamFailed()], ["***"], ["Why?"]])
async def test_what_is_no_better_leaves_the_title_that_is_there(rig: Rig, pieces: list[Any]) -> None:
    rig.upstream.answers = [["Because."], pieces]
    await rig.answered("Why?")
    assert not rig.chat.titles


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ('"Why the sky is blue."', "Why the sky is blue"),
        ("**„Warum der Himmel blau ist“**", "Warum der Himmel blau ist"),
        ("「空が青い理由」", "空が青い理由"),
        ('"To be" or "not to be"', '"To be" or "not to be"'),
    ],
)
async def test_a_title_stands_without_the_quotation_marks_around_it(rig: Rig, said: str, title: str) -> None:
    rig.upstream.answers = [["Because."], [said]]
    await rig.answered("Why?")
    assert [title for _, title in rig.chat.titles] == [title]


async def test_a_model_that_says_nothing_keeps_nobody_waiting(rig: Rig) -> None:
    wanted(rig, patience=0.01)
    rig.upstream.answers = [["Because."], [asyncio.Event()], ["Next."]]
    await rig.answered("Why?")
    assert (await rig.answered("And?")).answer == "Next."
    assert not rig.chat.titles


async def test_no_more_is_heard_than_a_title_can_be(rig: Rig) -> None:
    rig.upstream.answers = [["Because."], ["word " * 200, AssertionError()]]
    await rig.answered("Why?")
    [(_, title)] = rig.chat.titles
    assert len(title) <= 60


async def test_where_there_is_no_title_none_is_asked_for(rig: Rig) -> None:
    rig.chat.is_titled = False
    await rig.answered("Why?")
    assert len(rig.upstream.prompts) == 1


async def test_a_question_that_failed_gives_no_title(rig: Rig) -> None:
    rig.upstream.answers = [[UpstreamFailed()]]
    await rig.answered("Why?")
    assert len(rig.upstream.prompts) == 1


async def test_a_platform_that_refuses_the_name_leaves_the_answer_as_it_is(rig: Rig) -> None:
    rig.chat.refusal = ChatLimited("rate limited", code="429", retry_after=500)
    with capture_logs() as logs:
        turn = await rig.answered("Why?")
    assert turn.shown
    assert not any(line["log_level"] in ("warning", "error") for line in logs)


async def test_unless_a_setting_asks_for_it_nothing_is_asked(chat: Any, upstream: Any, database: Database) -> None:
    async with opened(chat, upstream, database) as rig:
        await rig.answered("Why?")
    assert len(upstream.prompts) == 1
    assert not chat.titles
