"""What comes twice, late or in the wrong order is done once, whatever this process remembers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bots.reply.page import Wish
from core.turn import Status
from tests.bots.slack.test_chat import failed

if TYPE_CHECKING:
    from typing import Any

    import pytest

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


async def test_a_question_whose_deletion_is_heard_first_is_not_asked(
    either: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the first delivery failed: Slack brings it again after what happened meanwhile."""
    async with either.listening():
        held: list[dict[str, Any]] = []
        send = either.slack._deliveries.send
        with monkeypatch.context() as patch:
            patch.setattr(either.slack._deliveries, "send", held.append)
            said = await either.slack.say("ada", "general", "@bobbin why?")
        await either.slack.delete(said)
        await either.slack.wait_for(lambda: not either.slack.under_way)
        for envelope in held:
            send(envelope)
        await either.slack.wait_for(lambda: not either.slack.under_way)
        other = await either.asked("@bobbin who?")
    assert held
    assert either.woken == [other.question.thread.id]


async def test_a_button_that_was_put_there_by_an_earlier_version_works_once(house: House) -> None:
    async with house.listening():
        turn, message = await failed(house)
        for block in message.blocks:
            if block["type"] == "actions":
                block["block_id"] = "a name that Slack gave"
        await house.slack.click("ben", message, Wish.AGAIN)
        await house.slack.click("ada", message, Wish.AGAIN)
        anew = await house.ledger.turn(turn.question.key)
    assert anew
    assert (anew.status, anew.attempt) == (Status.QUEUED, turn.attempt + 1)
