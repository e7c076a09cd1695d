"""Slack's direct messages: one conversation beside the threads, and in each thread its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sandbox.slack import shown
from tests.e2e.test_slack_streams import APPEND, PATIENCE, WORDS, answers, ask, is_answered, made

if TYPE_CHECKING:
    from sandbox.slack import LocalSlack, Message
    from sandbox.upstream import Emulator


def bodies(emulator: Emulator) -> list[Any]:
    return [request.body for request in emulator.requests]


async def below(slack: LocalSlack, root: Message, text: str, count: int) -> str:
    """Write *text* in the thread of *root*; return the newest of *count* answers there."""
    await slack.say("ada", root.channel, text, root.ts)
    await slack.wait_for(lambda: len(answers(slack, root)) == count and not slack.streams, PATIENCE)
    await slack.wait_for(lambda: shown(answers(slack, root)[-1]), PATIENCE)
    return shown(answers(slack, root)[-1])


async def test_a_thread_is_a_conversation_of_its_own_that_knows_what_it_hangs_on(
    running: Any, local_slack: LocalSlack, emulator: Emulator, database_url: str
) -> None:
    async with running(database_url, "slack") as bobbin:
        first = await ask(local_slack, "say exactly: tea")
        await is_answered(local_slack, first, "tea")
        second = await ask(local_slack, "say exactly: milk")
        await is_answered(local_slack, second, "milk")
        assert await below(local_slack, first, "say exactly: lemon", 2) == "lemon"
        assert await below(local_slack, first, "say exactly: sugar", 3) == "sugar"
        third = await ask(local_slack, "say exactly: cake")
        await is_answered(local_slack, third, "cake")
        await bobbin.idle()
    _, milk, lemon, sugar, cake = bodies(emulator)
    assert milk["id"] == cake["id"] != sugar["id"]
    assert "id" not in lemon
    assert '"asked": "say exactly: tea", "you_answered": "tea"' in lemon["question"]
    assert "milk" not in lemon["question"], "that was asked after what the thread hangs on"
    assert sugar["question"] == "say exactly: sugar"
    assert "lemon" not in str(cake)


async def test_what_is_written_below_an_answer_that_is_still_to_come_waits_for_it(
    running: Any, local_slack: LocalSlack, emulator: Emulator, sqlite_url: str
) -> None:
    """It belongs to the conversation of that answer; what is written later is told both."""
    emulator.pace = 0.05
    async with running(sqlite_url, "slack") as bobbin:
        root = await ask(local_slack)
        await local_slack.wait_for(lambda: APPEND in made(local_slack), PATIENCE)
        await local_slack.say("ada", root.channel, "say exactly: soon", root.ts)
        await local_slack.wait_for(
            lambda: [shown(each) for each in answers(local_slack, root)] == [WORDS, "soon"], PATIENCE
        )
        await below(local_slack, root, "say exactly: later", 3)
        await bobbin.idle()
    _, soon, later = bodies(emulator)
    assert soon["id"]
    assert "id" not in later
    assert '"you_answered": "soon"' in later["question"]


async def test_stop_in_the_thread_of_an_answer_stops_it(
    running: Any, local_slack: LocalSlack, emulator: Emulator, sqlite_url: str
) -> None:
    emulator.pace = 0.05
    async with running(sqlite_url, "slack") as bobbin:
        root = await ask(local_slack)
        await local_slack.wait_for(lambda: APPEND in made(local_slack), PATIENCE)
        await local_slack.say("ada", root.channel, "stop", root.ts)
        await local_slack.wait_for(lambda: "Stopped." in shown(answers(local_slack, root)[0]), PATIENCE)
        await bobbin.idle()
    assert WORDS not in shown(answers(local_slack, root)[0])


async def test_retry_in_a_thread_without_questions_of_its_own_is_about_what_it_hangs_on(
    running: Any, local_slack: LocalSlack, emulator: Emulator, database_url: str
) -> None:
    async with running(database_url, "slack") as bobbin:
        first = await ask(local_slack, "say exactly: tea")
        await is_answered(local_slack, first, "tea")
        second = await ask(local_slack, "say exactly: milk")
        await is_answered(local_slack, second, "milk")
        for count in (1, 2):
            await local_slack.say("ada", first.channel, "retry", first.ts)
            await local_slack.wait_for(lambda: len(emulator.requests) == 2 + count, PATIENCE)  # noqa: B023
            await bobbin.idle()
        await below(local_slack, first, "say exactly: lemon", 4)
        await local_slack.say("ada", first.channel, "retry", first.ts)
        await local_slack.wait_for(lambda: len(emulator.requests) == 6, PATIENCE)
        await bobbin.idle()
    asked = [str(one["question"]).rpartition("say exactly: ")[2] for one in bodies(emulator)]
    assert asked == ["tea", "milk", "tea", "tea", "lemon", "lemon"]
    assert len(answers(local_slack, second)) == 1


@pytest.mark.parametrize("where", ["in the thread", "beside it"])
async def test_a_reset_forgets_one_of_the_two(
    running: Any, local_slack: LocalSlack, emulator: Emulator, sqlite_url: str, where: str
) -> None:
    del emulator
    async with running(sqlite_url, "slack") as bobbin:
        root = await ask(local_slack, "My favourite colour is teal.")
        await local_slack.wait_for(lambda: len(answers(local_slack, root)) == 1, PATIENCE)
        await bobbin.idle()
        assert "teal" in await below(local_slack, root, "What is my favourite colour?", 2)
        await bobbin.idle()
        is_inside = where == "in the thread"
        reset = await local_slack.say("ada", root.channel, "reset", root.ts if is_inside else None)
        told = root if is_inside else reset
        await local_slack.wait_for(
            lambda: "starts a new one" in str([*map(shown, answers(local_slack, told))]), PATIENCE
        )
        count = len(answers(local_slack, root)) + 1
        inside = await below(local_slack, root, "What is my favourite colour?", count)
        beside = await ask(local_slack, "What is my favourite colour?")
        await local_slack.wait_for(lambda: answers(local_slack, beside), PATIENCE)
        await bobbin.idle()
    assert ("teal" in inside) is not is_inside
    assert ("teal" in shown(answers(local_slack, beside)[0])) is is_inside


async def test_a_thread_goes_on_by_itself_after_a_restart(
    running: Any, local_slack: LocalSlack, emulator: Emulator, sqlite_url: str
) -> None:
    async with running(sqlite_url, "slack") as bobbin:
        root = await ask(local_slack, "say exactly: tea")
        await is_answered(local_slack, root, "tea")
        await below(local_slack, root, "say exactly: lemon", 2)
        await bobbin.idle()
    async with running(sqlite_url, "slack") as bobbin:
        await below(local_slack, root, "say exactly: sugar", 3)
        await bobbin.idle()
    _, _, sugar = bodies(emulator)
    assert sugar["id"]
    assert sugar["question"] == "say exactly: sugar"
