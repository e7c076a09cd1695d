"""What comes twice, late or in the wrong order is done once, whatever this process remembers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bots.slack.footer import AGAIN
from core.turn import Status
from tests.bots.slack.test_chat import failed

if TYPE_CHECKING:
    from tests.bots.slack.conftest import House


async def test_a_command_that_can_not_be_recorded_is_not_obeyed(house: House) -> None:
    async with house.listening():
        first = await house.asked()
        house.ledger.is_away = True
        await house.slack.say("ada", "general", "@bobbin preset set model model-b")
        await house.until(lambda: house.ledger.handed_in >= 3)
        before = await house.relay.choice(first.question.thread)
        house.ledger.is_away = False
        turn = (await house.accepted(2))[-1]
        after = await house.relay.choice(turn.question.thread)
    assert (before.model, after.model) == ("model-a", "model-b")


async def test_a_button_that_was_put_there_by_an_earlier_version_works_once(house: House) -> None:
    async with house.listening():
        turn, message = await failed(house)
        for block in message.blocks:
            if block["type"] == "actions":
                block["block_id"] = "a name that Slack gave"
        await house.slack.click("ben", message, AGAIN)
        await house.slack.click("ada", message, AGAIN)
        anew = await house.ledger.turn(turn.question.key)
    assert anew
    assert (anew.status, anew.attempt) == (Status.QUEUED, turn.attempt + 1)
