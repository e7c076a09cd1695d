"""What was said while the bot was away, against a Discord that does not always want to tell."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bots.discord.catch_up import _is_deleted
from bots.discord.events import key_of
from bots.sandbox.discord import Channel, Message, Permission
from core.turn import QuestionKey, Turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bots.discord.conftest import House

HISTORY = "GET /channels/{channel_id}/messages"


async def test_a_refusal_ends_the_round_and_the_next_start_takes_it_up(house: House) -> None:
    async with house.listening():
        await house.asked("@bobbin before")
    await house.discord.say("ada", "general", "@bobbin missed")
    # Longer than anybody waits.
    house.discord.faults.next_calls(HISTORY, status=429, retry_after=60, times=100)
    house.chat = house.build()
    async with house.listening():
        await house.discord.wait_for(lambda: house.calls(HISTORY))
        turn = await house.asked("@bobbin now", to="random")
        assert turn.question.text == "now"
    house.discord.faults.clear()
    house.chat = house.build()
    async with house.listening():
        assert (await house.accepted(3))[-1].question.text == "missed"


async def test_a_place_that_is_lost_does_not_keep_the_others(house: House) -> None:
    async with house.listening():
        await house.asked("@bobbin before")
    await house.discord.say("ada", "general", "@bobbin missed")
    await house.discord.say("ada", "random", "@bobbin unseen")
    house.discord.deny("random", Permission.READ_MESSAGE_HISTORY)
    house.chat = house.build()
    async with house.listening():
        assert (await house.accepted(2))[-1].question.text == "missed"


async def test_a_process_that_died_has_missed_nothing(house: House) -> None:
    """Without an orderly end, what was noted last counts; what is heard twice is asked once."""
    async with house.listening():
        first = await house.asked("@bobbin before")
        noted = await house.ledger.note("discord/seen")
    await house.ledger.write_note("discord/seen", noted or str(int(first.question.key.rpartition(":")[2]) - 1))
    await house.discord.say("ada", "general", "@bobbin missed")
    house.chat = house.build()
    async with house.listening():
        turns = await house.accepted(2)
        assert [turn.question.text for turn in turns] == ["before", "missed"]


# Changes of what was asked before


@pytest.fixture
async def thread(house: House) -> Channel:
    """One in which two questions were answered before the bot went away."""
    async with house.listening():
        await settled(house, await house.asked("@bobbin root"))
        thread = house.thread()
        await settled(house, await house.asked("reply", to=thread))
    house.chat = house.build()
    return thread


async def settled(house: House, turn: Turn) -> None:
    await house.settle(await house.show(turn.start("m").finish("Because.")))


def question(house: House, thread: Channel, text: str) -> Message:
    found = [*house.discord.messages("general"), *house.discord.messages(thread)]
    return next(one for one in found if one.content.endswith(f" {text}") or one.content == text)


async def stored(house: House, message: Message) -> Turn:
    turn = await house.ledger.turn(key_of(message.id))
    assert turn
    return turn


async def changed(house: House, message: Message, wanted: Callable[[Turn], object]) -> None:
    async with asyncio.timeout(5):
        while not wanted(await stored(house, message)):
            await asyncio.sleep(0.005)


async def all_read(house: House) -> None:
    """Until the threads that were active of late have been heard: they come before what else has news."""
    last = await house.discord.say("ada", "random", "@bobbin last")
    async with house.listening(), asyncio.timeout(5):
        while not await house.ledger.turn(key_of(last.id)):
            await asyncio.sleep(0.005)


async def test_an_edit_of_the_newest_question_is_heard_afterwards(house: House, thread: Channel) -> None:
    reply = question(house, thread, "reply")
    await house.discord.edit("ada", reply, "another reply")
    async with house.listening():
        await changed(house, reply, lambda turn: turn.revised == "another reply")


async def test_an_edit_of_the_question_that_a_thread_was_made_from_is_heard_afterwards(house: House) -> None:
    async with house.listening():
        await settled(house, await house.asked("@bobbin root"))
    root = question(house, house.thread(), "root")
    await house.discord.edit("ada", root, "@bobbin another root")
    house.chat = house.build()
    async with house.listening():
        await changed(house, root, lambda turn: turn.revised == "another root")


async def test_a_deletion_of_the_newest_question_is_heard_afterwards(house: House, thread: Channel) -> None:
    reply = question(house, thread, "reply")
    await house.discord.delete("ada", reply)
    await house.discord.say("ben", thread, "@ada just us")
    async with house.listening():
        await changed(house, reply, lambda turn: turn.is_withdrawn)
    assert not (await stored(house, question(house, thread, "root"))).is_withdrawn


async def test_a_deletion_of_the_question_that_a_thread_was_made_from_is_heard_afterwards(house: House) -> None:
    async with house.listening():
        await settled(house, await house.asked("@bobbin root"))
    root = question(house, house.thread(), "root")
    await house.discord.delete("ada", root)
    house.chat = house.build()
    async with house.listening():
        await changed(house, root, lambda turn: turn.is_withdrawn)


async def test_what_stands_as_it_was_is_left_alone(house: House, thread: Channel) -> None:
    woken = len(house.woken)
    await all_read(house)
    assert len(house.woken) == woken + 1


async def test_where_history_is_not_told_nothing_counts_as_deleted(house: House, thread: Channel) -> None:
    house.discord.deny("general", Permission.READ_MESSAGE_HISTORY)
    await house.discord.say("ben", thread, "@ada just us")
    await all_read(house)
    assert not (await stored(house, question(house, thread, "reply"))).is_withdrawn


@pytest.mark.parametrize(
    ("key", "channel", "after", "said", "is_deleted"),
    [
        ("discord:5", 1, 4, [6, 7], True),
        ("discord:5", 1, 4, [5, 6], False),
        ("discord:5", 1, 4, [], False),  # nothing is told
        ("discord:5", 1, 2, [3, 4], False),  # cut before it
        ("discord:5", 1, 5, [6], False),  # older than what is told
        ("discord:5", 5, 4, [6, 7], False),  # it lies in the channel around
        ("discord:interaction/5", 1, 4, [6, 7], False),
    ],
)
def test_in_doubt_nothing_was_deleted(key: str, channel: int, after: int, said: list[int], *, is_deleted: bool) -> None:
    assert _is_deleted(QuestionKey(key), channel, after, said) is is_deleted
