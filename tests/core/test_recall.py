"""What an answer is told of what was said before it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from core import recall
from core.context import Earlier, Remark
from core.errors import ChatBusy
from core.storage.database import Database
from core.turn import Question, QuestionKey, Status, Turn
from tests.core.conftest import FakeChat
from tests.core.test_worker import TIMES, Rig, memory, opened, thread

__all__ = ["memory"]
PROBLEM = "I may not read what was said here before. Ask whoever runs me."


class Remembering(FakeChat):
    """Everybody says something under the keys that are told, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[Remark] = []
        self.asked: list[QuestionKey | None] = []
        self.trouble: Exception | None = None
        self.problem = ""
        self.hangs = False

    def say(self, key: str, text: str = "", *, is_question: bool = False) -> None:
        self.said.append(Remark(QuestionKey(key), "ada", text or key, "ada", is_question=is_question))

    async def earlier(self, turn: Turn, since: QuestionKey | None, most_characters: int) -> Earlier:
        self.asked.append(since)
        if self.hangs:
            await asyncio.Event().wait()
        if self.trouble:
            raise self.trouble
        keys = [one.key for one in self.said]
        after = keys.index(since) + 1 if since in keys else 0
        key = turn.question.key
        before = keys.index(key) if key in keys else len(keys)
        return Earlier(self.said[after:before], problem=self.problem)


@pytest.fixture
async def remembering(upstream: Any, memory: Database) -> AsyncIterator[Rig]:
    async with opened(Remembering(), upstream, memory) as rig:
        yield rig


async def ask(rig: Rig, key: str, text: str) -> Turn:
    rig.chat.say(key, text)
    accepted = await rig.ask(text, key=key)
    await rig.over()
    return await rig.turn(accepted)


def told(rig: Rig) -> Sequence[str]:
    lines = rig.upstream.prompts[-1].question.split("\n")
    return [json.loads(line).get("said") or json.loads(line)["asked"] for line in lines if line.startswith("{")]


async def test_a_question_carries_what_was_said_since_the_turn_before(remembering: Rig) -> None:
    rig = remembering
    rig.chat.say("1")
    rig.chat.say("2")
    await ask(rig, "3", "first?")
    assert told(rig) == ["1", "2"]
    rig.chat.say("4")
    await ask(rig, "5", "second?")
    assert told(rig) == ["4"]
    await ask(rig, "6", "third?")
    assert told(rig) == []
    assert rig.upstream.prompts[-1].question == "third?"
    assert rig.chat.asked == [None, "3", "5"]


async def test_a_rebuilt_conversation_is_told_all_and_nothing_twice(remembering: Rig) -> None:
    rig = remembering
    rig.chat.say("1")
    await ask(rig, "2", "first?")
    rig.chat.say("3")
    await rig.set_preset(recall_preset())
    await ask(rig, "4", "second?")
    assert sorted(told(rig)) == ["1", "3", "first?"]


def recall_preset() -> Any:
    from core.preset import Preset  # noqa: PLC0415

    return Preset(model="another-model")


async def test_what_others_asked_there_is_told_with_its_answer(remembering: Rig) -> None:
    """Who asks in private sees what the bot has answered to all, though it is another conversation."""
    rig = remembering
    await rig.ask("first?", key="1")
    await rig.ask("a secret?", key="2", is_private=True)
    await rig.over()
    for key in ("1", "2", "unknown"):
        rig.chat.say(key, is_question=True)
    await rig.ask("what did you say?", thread("private"), key="3", is_private=True)
    await rig.over()
    quoted = [json.loads(line) for line in rig.upstream.prompts[-1].question.split("\n") if line.startswith("{")]
    answer = (await rig.turn(await rig.ask("first?", key="1"))).answer
    assert [one.get("you_answered") for one in quoted] == [answer, None, None]


async def test_what_people_asked_to_forget_stays_forgotten(remembering: Rig) -> None:
    rig = remembering
    rig.chat.say("1", "a secret")
    await ask(rig, "2", "first?")
    rig.chat.say("reset")
    await rig.relay.hear(
        Question(QuestionKey("reset"), (await rig.ask("x", key="2")).turn.question.thread, "ada", "reset")
    )
    rig.chat.say("3")
    await ask(rig, "4", "second?")
    assert told(rig) == ["3"]


@pytest.mark.parametrize("trouble", [ChatBusy("away"), RuntimeError("a fault of ours")])
async def test_a_chat_that_fails_never_fails_a_turn(remembering: Rig, trouble: Exception) -> None:
    remembering.chat.trouble = trouble
    turn = await ask(remembering, "1", "first?")
    assert (turn.status, turn.aside) == (Status.ANSWERED, recall.UNREAD)
    assert remembering.upstream.prompts[-1].question == "first?"


async def test_a_chat_that_hangs_is_not_waited_for(upstream: Any, memory: Database) -> None:
    async with opened(Remembering(), upstream, memory, times=replace(TIMES, context=0.01)) as rig:
        rig.chat.hangs = True
        assert (await ask(rig, "1", "first?")).status is Status.ANSWERED


async def test_what_can_not_be_read_is_said_once_in_a_place(remembering: Rig) -> None:
    rig = remembering
    rig.chat.problem = PROBLEM
    asides = [(await ask(rig, key, "why?")).aside for key in ("1", "2", "3")]
    assert asides == [PROBLEM, "", ""]
    rig.chat.problem = "Another reason."
    assert (await ask(rig, "4", "why?")).aside == "Another reason."


async def test_without_a_budget_nothing_is_asked(upstream: Any, memory: Database) -> None:
    chat = Remembering()
    async with opened(chat, upstream, memory) as rig:
        rig.worker._context_budget = 0
        chat.say("1")
        await ask(rig, "2", "why?")
    assert chat.asked == []
