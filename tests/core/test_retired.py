"""A model that the service takes off: another steps in, and who set it hears of it once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from core.attachment import Attachment, Kind
from core.commands import Command, Verb
from core.errors import ChatForbidden
from core.language import speaking
from core.preset import Preset
from core.storage.database import Database
from core.thread import Thread
from core.turn import Question, QuestionKey, Status
from core.upstream.errors import BadRequest, ModelRefused, UpstreamFailed
from tests.core.conftest import FakeChat
from tests.core.test_worker import PRESETS, Rig, opened, thread

REFUSED: list[Any] = [ModelRefused()]
IMAGE = Attachment(Kind.IMAGE, "a.png", 3, "https://example.org/a.png")


class TellingChat(FakeChat):
    """Remembers whom it told something."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, str]] = []
        self.refusal: Exception | None = None

    async def notify(self, person: str, where: Thread, sentence: str) -> None:
        if self.refusal:
            raise self.refusal
        self.told.append((person, sentence))


@pytest.fixture
def chat() -> TellingChat:
    return TellingChat()


@pytest.fixture
async def rig(chat: Any, upstream: Any, database: Database) -> AsyncIterator[Rig]:
    async with opened(chat, upstream, database) as rig:
        yield rig


async def test_the_settings_default_steps_in_and_who_set_the_model_is_told_once(rig: Rig) -> None:
    await rig.set_preset(Preset(model="o1"))
    rig.upstream.answers = [REFUSED, ["One."], REFUSED, ["Two."]]
    turn = await rig.answered("Why?")
    assert (turn.status, turn.answer, turn.model) == (Status.ANSWERED, "One.", "gpt-5.1")
    assert turn.aside == "Answered by gpt-5.1 because the AI service refused o1."
    assert (await rig.answered("And?")).aside == turn.aside
    assert [prompt.model for prompt in rig.upstream.prompts] == ["o1", "gpt-5.1"] * 2
    assert rig.upstream.prompts[3].conversation == "c-1", "the conversation goes on with the model that steps in"
    [(person, sentence)] = rig.chat.told
    assert person == "ada"
    assert "refuses the model `o1`, which you set in {place}" in sentence
    assert "`gpt-5.1` is asked in its place" in sentence


async def test_who_set_the_model_is_told_in_their_own_language(rig: Rig) -> None:
    with speaking("de"):
        await rig.set_preset(Preset(model="o1"))
    rig.upstream.answers = [REFUSED, ["One."]]
    await rig.relay.ask(Question(QuestionKey("1"), thread(), "bob", "Why?", language="fr"))
    await rig.over()
    [(person, sentence)] = rig.chat.told
    assert person == "ada"
    assert sentence.startswith("Der KI-Dienst")


async def test_several_processes_tell_once(rig: Rig, upstream: Any, chat: Any, database: Database) -> None:
    await rig.set_preset(Preset(model="o1"))
    upstream.answers = [REFUSED, ["One."], REFUSED, ["Two."]]
    await rig.answered("Why?")
    async with opened(chat, upstream, database) as other:
        await other.ask("And?", key="other")
        await other.over()
    assert len(chat.told) == 1


async def test_the_presets_own_fallback_steps_in_first(rig: Rig) -> None:
    rig.worker._presets["pirate"] = replace(PRESETS["pirate"], model="o1", fallbacks=("o3",))
    rig.relay._commands = replace(rig.relay._commands, presets=rig.worker._presets)
    await rig.set_preset(Preset(name="pirate"))
    rig.upstream.answers = [REFUSED, REFUSED, ["Because."]]
    assert (await rig.answered("Why?")).model == "gpt-5.1"
    assert [prompt.model for prompt in rig.upstream.prompts] == ["o1", "o3", "gpt-5.1"]


async def test_an_operators_own_model_is_told_in_the_log_once(rig: Rig) -> None:
    rig.upstream.answers = [REFUSED, REFUSED]
    with capture_logs() as logs:
        first = await rig.answered("Why?")
        await rig.answered("Why?")
    assert first.status is Status.FAILED
    assert "preset show" in first.problem
    assert not rig.chat.told
    loud = [line for line in logs if line["log_level"] == "error"]
    assert [line["model"] for line in loud] == ["gpt-5.1"]


async def test_where_nothing_steps_in_that_is_said(rig: Rig) -> None:
    await rig.set_preset(Preset(model="o1"))
    rig.upstream.answers = [REFUSED, REFUSED]
    assert (await rig.answered("Why?")).status is Status.FAILED
    [(_, sentence)] = rig.chat.told
    assert "nothing answers in its place" in sentence


async def test_a_model_that_may_only_be_unable_to_read_a_picture_is_nobodys_to_change(rig: Rig) -> None:
    await rig.set_preset(Preset(model="o1"))
    rig.upstream.answers = [REFUSED, ["A cat."]]
    accepted = await rig.ask("What is it?", attachments=(IMAGE,))
    await rig.over()
    assert (await rig.turn(accepted)).answer == "A cat."
    assert not rig.chat.told


@pytest.mark.parametrize("error", [BadRequest(), UpstreamFailed()])
async def test_what_says_nothing_of_the_model_has_no_default_step_in(rig: Rig, error: Exception) -> None:
    await rig.set_preset(Preset(model="o1"))
    rig.upstream.answers = [[error]]
    assert (await rig.answered("Why?")).status is Status.FAILED
    assert len(rig.upstream.prompts) == 1
    assert not rig.chat.told


async def test_a_platform_that_tells_nobody_anything_keeps_no_answer_back(rig: Rig) -> None:
    rig.chat.refusal = ChatForbidden()
    await rig.set_preset(Preset(model="o1"))
    rig.upstream.answers = [REFUSED, ["One."], ["Two."]]
    assert (await rig.answered("Why?")).answer == "One."
    await rig.relay.obey(Command(Verb.CLEAR_PRESET), thread(), "ada")
    assert (await rig.answered("And?")).answer == "Two."
