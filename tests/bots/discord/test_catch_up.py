"""What was said while the bot was away, against a Discord that does not always want to tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bots.sandbox.discord import Permission

if TYPE_CHECKING:
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
