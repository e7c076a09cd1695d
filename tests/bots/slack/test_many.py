"""Many answers at once through the true adapter, against a Slack that counts any 60 seconds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bots.slack.pace import TIER_3, UPDATE
from core.errors import ChatLimited
from core.turn import Turn
from sandbox.slack import shown
from sandbox.slack.limits import Rate

if TYPE_CHECKING:
    from tests.bots.slack.conftest import House

ENDED = "First words. And the last ones."


async def growing(house: House, count: int) -> list[Turn]:
    """Turns that were asked in channels of their own, with the first words of each answer on the screen."""
    for number in range(count):
        house.slack.add_channel(f"room-{number}", "ada", house.slack.bot_user_id)
        await house.slack.say("ada", f"room-{number}", "@bobbin why?")
    turns = []
    for turn in await house.accepted(count):
        begun = turn.start("m").grow("First words.")
        await house.chat.ready(begun)
        turns.append(begun.replied(await house.chat.show(begun)))
    return turns


async def end(house: House, turn: Turn) -> None:
    ended = turn.finish(ENDED)
    await house.chat.ready(ended)
    await house.chat.show(ended)


def refusals(house: House) -> int:
    return sum(call.status == 429 for call in house.slack.calls)


async def test_however_much_was_updated_every_end_finds_a_call(house: House) -> None:
    async with house.listening():
        turns = await growing(house, 12)
        (message,) = house.replies(turns[0])
        updates = 0
        while house.chat._pace.may(UPDATE):
            updates += 1
            await house.chat._api.update(channel=message.channel, ts=message.ts, text=f"{updates}")
        assert updates == TIER_3 - len(turns)
        async with asyncio.timeout(10):  # less than it takes until the first call is forgotten
            await asyncio.gather(*(end(house, turn) for turn in turns))
    assert house.calls("chat.update") == TIER_3
    assert not refusals(house)
    assert [shown(message) for turn in turns for message in house.replies(turn)] == [ENDED] * len(turns)


async def test_where_slack_counts_otherwise_all_ends_are_shown_one_by_one(house: House) -> None:
    house.slack.faults.limits["chat.update"] = Rate(burst=1, per_minute=60)
    async with house.listening():
        turns = await growing(house, 4)

        async def patiently(turn: Turn) -> None:
            while True:
                try:
                    return await end(house, turn)
                except ChatLimited as limited:  # as the presentation does
                    await asyncio.sleep(limited.retry_after or 1.0)

        async with asyncio.timeout(40):
            await asyncio.gather(*(patiently(turn) for turn in turns))
    assert [shown(message) for turn in turns for message in house.replies(turn)] == [ENDED] * len(turns)
    assert 0 < refusals(house) <= len(turns)
