"""A mention may come as two events, of which one lacks the files: whichever is first, the question has them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bots.slack.twins import Twins
from sandbox.slack import SharedFile

if TYPE_CHECKING:
    from tests.bots.slack.conftest import House

NOTES = SharedFile("notes.txt", b"the pump stands still")
MESSAGE: dict[str, object] = {"type": "message", "channel": "C1", "ts": "1.2"}
MENTION: dict[str, object] = {"type": "app_mention", "channel": "C1", "ts": "1.2"}


@pytest.mark.parametrize("mention_first", [False, True])
async def test_a_mention_with_a_file_has_it_in_any_order(house: House, *, mention_first: bool) -> None:
    house.slack.faults.mention_first = mention_first
    async with house.listening():
        await house.slack.say("ada", "general", "@bobbin look", files=[NOTES])
        [turn] = await house.accepted()
        await house.slack.wait_for(lambda: not house.slack.under_way)
    assert [one.name for one in turn.question.attachments] == ["notes.txt"]
    assert len(house.woken) == 1
    assert house.ledger.handed_in == 1


async def test_an_app_that_gets_mentions_alone_answers_them(house: House) -> None:
    house.have_times(twin=0.01)
    house.slack.installation.events = {"app_mention"}
    async with house.listening():
        await house.slack.say("ada", "general", "@bobbin one")
        await house.slack.say("ada", "general", "@bobbin two")
        turns = await house.accepted(2)
    assert sorted(turn.question.text for turn in turns) == ["one", "two"]


async def test_a_message_that_does_not_come_is_looked_up(house: House) -> None:
    house.have_times(twin=0.01)
    house.slack.installation.events = {"app_mention"}
    async with house.listening():
        await house.slack.say("ada", "general", "@bobbin look", files=[NOTES])
        await house.slack.say("ada", "general", "not for it")
        [turn] = await house.accepted()
        assert [one.name for one in turn.question.attachments] == ["notes.txt"]
        reads = sum(call.method == "conversations.replies" for call in house.slack.calls)
        assert reads == 1


async def waits(twins: Twins, event: dict[str, object]) -> bool:
    """Does *event* have to wait for another?"""
    waiting = asyncio.ensure_future(twins.wait(event))
    await asyncio.sleep(0)
    is_waiting = not waiting.done()
    waiting.cancel()
    await asyncio.wait({waiting})
    return is_waiting


async def test_a_mention_waits_until_its_message_is_recorded() -> None:
    twins = Twins(patience=60)
    waiting = asyncio.ensure_future(twins.wait(MENTION))
    await asyncio.sleep(0)
    assert not waiting.done()
    twins.recorded(MESSAGE | {"ts": "9.9"})
    twins.recorded(MESSAGE)
    await waiting
    assert not await waits(twins, MENTION)


async def test_a_process_that_stood_still_has_not_waited_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    twins, loop = Twins(patience=60), asyncio.get_running_loop()
    now = loop.time
    waiting = asyncio.ensure_future(twins.wait(MENTION))
    await asyncio.sleep(0)
    monkeypatch.setattr(loop, "time", lambda: now() + 61)  # what came meanwhile is still to be read
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()
    twins.recorded(MESSAGE)
    await waiting


async def test_one_with_files_of_its_own_waits_for_nothing_and_no_message_does() -> None:
    twins = Twins(patience=60)
    for event in (MENTION | {"files": [{"id": "F1"}]}, MENTION | {"edited": {"ts": "2"}}, MESSAGE):
        assert not await waits(twins, event)


async def test_where_messages_never_come_only_the_first_mention_waits_for_one() -> None:
    twins = Twins(patience=0)
    await twins.wait(MENTION)
    twins._patience = 60
    twins.recorded(MESSAGE | {"subtype": "message_changed"})  # tells of the same message, which doesn't count
    assert not await waits(twins, MENTION | {"ts": "2.3"})
    twins.recorded(MESSAGE | {"ts": "4.5"})  # they come after all
    assert await waits(twins, MENTION | {"ts": "5.6"})


@pytest.mark.parametrize("event", [{}, {"type": "app_mention"}, {"type": "app_mention", "ts": {}, "channel": [1]}])
async def test_events_of_any_shape_are_survived(event: dict[str, object]) -> None:
    twins = Twins(patience=0)
    await twins.wait(event)
    twins.recorded(event)
