"""More than can be taken: what is refused leaves nothing behind, and what isn't taken comes again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.quota import Quota
from core.storage.intake import Bounds

if TYPE_CHECKING:
    from tests.bots.slack.conftest import House


async def test_who_is_refused_in_silence_has_no_sign_of_life_that_nothing_ends(house: House) -> None:
    house.ledger._bounds = Bounds(quota=Quota(1, 1, 1))
    async with house.listening():
        for number in range(3):
            await house.slack.say("ada", "general", f"@bobbin question {number}")
        await house.until(lambda: house.ledger.handed_in >= 3)
        asked, refused = await house.accepted(2)
        await house.slack.wait_for(lambda: house.calls("reactions.add") >= 2)
        last = house.slack.messages("general")[-1]
        await house.slack.wait_for(lambda: not house.slack.under_way)
    assert (asked.answer, "a question open" in refused.answer) == ("", True)
    assert len(house.woken) == 2
    assert not last.reactions


async def test_what_comes_while_too_much_is_in_hand_is_left_to_the_next_delivery(house: House) -> None:
    house.have_times(most_in_hand=8, most_waiting=0)
    async with house.listening():
        house.ledger.is_quick.clear()
        for number in range(10):
            await house.slack.say("ada", "general", f"@bobbin question {number}")
        await house.until(lambda: _shed(house) >= 10)
        assert house.ledger.handed_in <= 8
        house.ledger.is_quick.set()
        turns = await house.accepted(10)
    assert sorted(turn.question.text for turn in turns) == [f"question {number}" for number in range(10)]


async def test_what_waits_is_taken_in_its_order_and_nothing_is_left_to_a_retry(house: House) -> None:
    house.have_times(most_in_hand=2)
    async with house.listening():
        house.ledger.is_quick.clear()
        for number in range(10):
            await house.slack.say("ada", "general", f"@bobbin question {number}")
        await house.until(lambda: house.ledger.handed_in >= 1)
        assert house.ledger.handed_in <= 2
        house.ledger.is_quick.set()
        turns = await house.accepted(10)
    assert [turn.question.text for turn in sorted(turns, key=lambda turn: turn.id)] == [
        f"question {number}" for number in range(10)
    ]
    assert _shed(house) == 0


async def test_a_command_is_taken_however_much_is_in_hand(house: House) -> None:
    """Slack doesn't bring it again."""
    house.have_times(most_in_hand=0, most_waiting=0)
    async with house.listening():
        answered = await house.slack.command("ada", "general", "/bobbin", "help")
        await house.slack.say("ada", "general", "@bobbin why?")
        await house.until(lambda: _shed(house) >= 1)
    assert answered.messages
    assert house.ledger.handed_in == 1


def _shed(house: House) -> float:
    return house.vitals.metrics._registry.get_sample_value("bobbin_events_shed_total", {"chat": "slack"}) or 0.0
