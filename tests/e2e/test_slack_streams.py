"""The whole bot in Slack's direct messages: its answers stream, whatever becomes of a process, of Slack or of people."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.slack import Failure, shown

if TYPE_CHECKING:
    from sandbox.slack import LocalSlack, Message
    from sandbox.upstream import Emulator

PATIENCE = 20.0  # seconds
WORDS = " ".join(f"word{number:03}" for number in range(120)) + "."
START, APPEND, STOP, POST, UPDATE = (
    "chat.startStream",
    "chat.appendStream",
    "chat.stopStream",
    "chat.postMessage",
    "chat.update",
)


def answers(slack: LocalSlack, question: Message) -> list[Message]:
    said = slack.messages(question.channel, question.ts)
    return [message for message in said if message.bot_id == slack.bot_id]


def made(slack: LocalSlack) -> list[str]:
    return [call.method for call in slack.calls if call.method in (START, APPEND, STOP, POST, UPDATE)]


async def ask(slack: LocalSlack, text: str = f"say exactly: {WORDS}", who: str = "ada") -> Message:
    return await slack.say(who, slack.open_dm(who), text)


async def is_answered(slack: LocalSlack, question: Message, words: str = WORDS) -> None:
    await slack.wait_for(lambda: [shown(each) for each in answers(slack, question)] == [words], PATIENCE)
    await slack.wait_for(lambda: not slack.streams, PATIENCE)


async def test_a_direct_message_is_answered_by_a_stream_of_slacks_own(
    running: Any, local_slack: LocalSlack, emulator: Emulator, sqlite_url: str
) -> None:
    emulator.pace = 0.05
    async with running(sqlite_url, "slack"):
        question = await ask(local_slack)
        await is_answered(local_slack, question)
        (answer,) = answers(local_slack, question)
        session = local_slack.session(question.channel, question.ts)
    calls = made(local_slack)
    assert (calls[0], calls[-1]) == (START, STOP)
    assert set(calls[1:-1]) == {APPEND}
    texts = [version.text for version in answer.versions]
    assert all(later.startswith(earlier) for earlier, later in pairwise(texts))
    assert session
    assert session.status == "active"
    assert session.title.startswith("say exactly: word000")
    assert not [call for call in local_slack.calls if call.status == 429]


async def test_a_short_answer_is_posted_once(
    running: Any, local_slack: LocalSlack, emulator: Emulator, sqlite_url: str
) -> None:
    del emulator
    async with running(sqlite_url, "slack"):
        question = await ask(local_slack, "say exactly: tea")
        await is_answered(local_slack, question, "tea")
    assert made(local_slack) == [POST]


async def test_another_process_ends_what_one_that_died_was_streaming(
    running: Any, local_slack: LocalSlack, emulator: Emulator, sqlite_url: str
) -> None:
    emulator.pace = 0.05
    async with running(sqlite_url, "slack", shutdown_grace=0):
        question = await ask(local_slack)
        await local_slack.wait_for(lambda: APPEND in made(local_slack), PATIENCE)
    shown_before = [shown(each) for each in answers(local_slack, question)]
    assert local_slack.streams == 1
    emulator.pace = 0.0
    async with running(sqlite_url, "slack"):
        await is_answered(local_slack, question)
    (answer,) = answers(local_slack, question)
    lengths = [len(version.text) for version in answer.versions]
    assert shown_before[0]
    assert lengths == sorted(lengths)


async def test_slacks_stop_button_hangs_up_and_keeps_what_came(
    running: Any, local_slack: LocalSlack, emulator: Emulator, sqlite_url: str
) -> None:
    emulator.pace = 0.05
    async with running(sqlite_url, "slack") as bobbin:
        question = await ask(local_slack)
        await local_slack.wait_for(lambda: APPEND in made(local_slack), PATIENCE)
        await local_slack.stop_session("ada", question.channel, question.ts)
        await local_slack.wait_for(lambda: "Stopped." in shown(answers(local_slack, question)[0]), PATIENCE)
        await bobbin.idle()
        session = local_slack.session(question.channel, question.ts)
    (answer,) = answers(local_slack, question)
    assert shown(answer).startswith("word000 word001")
    assert WORDS not in shown(answer)
    assert session
    assert session.status == "active"


@pytest.mark.parametrize("method", [START, APPEND, STOP])
async def test_a_limit_on_any_call_of_a_stream_loses_nothing(
    running: Any, local_slack: LocalSlack, emulator: Emulator, sqlite_url: str, method: str
) -> None:
    emulator.pace = 0.05
    local_slack.faults.rate_limit(method, retry_after=1)
    async with running(sqlite_url, "slack"):
        question = await ask(local_slack)
        await is_answered(local_slack, question)
    assert method in made(local_slack)


async def test_slack_ends_a_stream_by_itself_and_the_answer_goes_on(
    running: Any, local_slack: LocalSlack, emulator: Emulator, sqlite_url: str
) -> None:
    emulator.pace = 0.02
    local_slack.faults.stream_seconds = 0.5
    async with running(sqlite_url, "slack"):
        question = await ask(local_slack)
        await is_answered(local_slack, question)
    assert UPDATE in made(local_slack)


async def test_where_slack_has_no_streams_answers_are_posted_and_updated(
    running: Any, local_slack: LocalSlack, emulator: Emulator, sqlite_url: str
) -> None:
    emulator.pace = 0.02
    local_slack.faults.fail(START, Failure(error="unknown_method"))
    async with running(sqlite_url, "slack"):
        for who in ("ada", "ben"):
            question = await ask(local_slack, who=who)
            await is_answered(local_slack, question)
    calls = made(local_slack)
    assert calls.count(START) == 1
    assert calls.count(POST) == 2
    assert APPEND not in calls
