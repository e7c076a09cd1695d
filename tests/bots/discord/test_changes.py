"""What changes after a question was asked: asides, buttons, edits, deletions."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bots.discord import buttons
from bots.discord.ids import key_of
from bots.listening.router import NO_SUCH_QUESTION
from core.errors import ThreadGone
from core.turn import Status, Turn
from sandbox.discord import Interaction, Message

if TYPE_CHECKING:
    from tests.bots.discord.conftest import House

EDIT = "PATCH /channels/{channel_id}/messages/{message_id}"
START_THREAD = "POST /channels/{channel_id}/messages/{message_id}/threads"


def labels(message: Message) -> list[str]:
    return [str(button["label"]) for row in message.components for button in row["components"]]


async def answered(house: House, interaction: Interaction) -> str:
    await house.discord.wait_for(lambda: interaction.answered or interaction.failed)
    assert interaction.ephemeral
    assert interaction.response
    return interaction.response.content


async def failed(house: House) -> tuple[Turn, Message]:
    """A turn that failed, and the message that says so."""
    turn = await house.asked()
    turn = await house.show(turn.start("m").fail("It broke."))
    await house.settle(turn)
    return turn, house.said(house.thread())[0]


async def test_an_aside_comes_and_goes_in_the_message_of_the_answer(house: House) -> None:
    async with house.listening():
        turn = await house.asked()
        turn = await house.show(replace(turn, aside="Two before you."))
        turn = await house.show(turn.start("m"))
        turn = await house.show(turn.grow("Because"))
        turn = await house.show(turn.remark("It takes long."))
        await house.show(turn.remark("").finish("Because."))
        (said,) = house.said(house.thread())
        shown = ["-# Two before you.", "-# …", "Because", "Because\n-# It takes long.", "Because."]
        assert [version.content for version in said.history] == shown


async def test_a_turn_stopped_before_its_answer_takes_the_aside_away(house: House) -> None:
    async with house.listening():
        turn = await house.asked()
        turn = await house.show(replace(turn, aside="Two before you."))
        await house.show(turn.remark("").stop())
        assert not house.said(house.thread())


async def test_the_button_is_on_the_last_page_and_goes_when_it_begins_anew(house: House) -> None:
    async with house.listening():
        turn = await house.asked()
        turn = await house.show(turn.start("m").grow("word " * 1_000))
        assert [labels(one) for one in house.said(house.thread())] == [[], [], ["Stop"]]
        turn = await house.show(turn.fail("It broke."))
        pages = house.said(house.thread())
        assert [labels(one) for one in pages] == [[], [], ["Try again"]]
        await house.show(replace(turn, attempt=turn.attempt + 2, status=Status.STREAMING, answer="", problem=""))
        assert not any(labels(one) for one in pages)


async def test_an_offer_edits_the_last_page_only(house: House) -> None:
    async with house.listening():
        turn = await house.asked()
        turn = await house.show(turn.start("m").finish("word " * 1_000))
        before = house.calls(EDIT)
        await house.show(replace(turn, attempt=turn.attempt + 2, revised="who?"))
        assert house.calls(EDIT) == before + 1
        assert labels(house.said(house.thread())[-1]) == ["Answer the edited question"]


async def test_a_command_that_failed_can_be_tried_again_from_its_response(house: House) -> None:
    async with house.listening():
        turn = await house.asked_by_command()
        await house.settle(await house.show(turn.start("m").fail("It broke.")))
        (said,) = house.said("general")
        interaction = await house.discord.click("ben", said, "Try again")
        await house.discord.wait_for(lambda: interaction.acknowledged)
        again = (await house.accepted())[-1]
        assert again.question.key == turn.question.key
        await house.show(again.start("m"))
        assert not said.components
        await house.show(again.start("m").finish("Because."))
        assert [one.content for one in house.said("general")] == ["> why?\n\nBecause."]


async def test_nothing_of_a_click_is_kept_in_memory(house: House) -> None:
    async with house.listening():
        await failed(house)
        async with house.chat._api.client() as client:
            assert not client.persistent_views
            assert not client._connection._view_store._views


async def test_who_clicks_while_the_database_is_down_is_told(house: House) -> None:
    async with house.listening():
        _, said = await failed(house)
        house.ledger.is_away = True
        assert "database" in await answered(house, await house.discord.click("ben", said, "Try again"))


async def test_who_clicks_for_a_question_that_is_gone_is_told(house: House) -> None:
    async with house.listening():
        turn, said = await failed(house)
        await house.ledger.withdraw(turn.question.key)
        click = await house.discord.click("ben", said, "Try again")
        assert await answered(house, click) == NO_SUCH_QUESTION


async def test_a_click_is_acknowledged_in_time_however_slow_the_database_is(house: House) -> None:
    house.have_times(recorded_within=0.0)
    async with house.listening():
        _, said = await failed(house)
        assert "database" in await answered(house, await house.discord.click("ben", said, "Try again"))


@pytest.mark.parametrize("custom_id", ["again:x:discord:1", "again:1", "again:1:'; drop", "other"])
def test_a_button_that_is_none_of_ours_is_not_read(custom_id: str) -> None:
    assert buttons.parse(custom_id) is None


async def test_what_was_posted_and_not_written_down_is_withdrawn_all_the_same(house: House) -> None:
    """A question deleted at the very moment at which its answer appears: the note of that never reached the ledger."""
    async with house.listening():
        turn = await house.asked()
        await house.show(turn.start("m").grow("Half"))
        assert house.said(house.thread())
        await house.show(replace(turn.stop(), attempt=turn.attempt + 2, is_withdrawn=True))
        assert not house.said(house.thread())


async def test_an_answer_that_is_gone_already_is_no_trouble_to_withdraw(house: House) -> None:
    async with house.listening():
        turn = await house.asked()
        turn = await house.show(turn.start("m").grow("word " * 1_000))
        await house.discord.delete("ada", house.said(house.thread())[1])
        await house.show(replace(turn.stop(), is_withdrawn=True))
        assert not house.said(house.thread())


async def test_no_thread_is_made_for_a_question_that_was_taken_back(house: House) -> None:
    async with house.listening():
        house.discord.faults.next_calls(START_THREAD, status=403)  # for the sign of life
        turn = await house.asked()
        await house.show(replace(turn.stop(), is_withdrawn=True))
        assert not house.discord.threads("general")


async def test_a_part_of_the_answer_that_was_deleted_ends_the_turn(house: House) -> None:
    async with house.listening():
        turn = await house.asked()
        turn = await house.show(turn.start("m").grow("word " * 1_000))
        first = house.said(house.thread())[0]
        await house.discord.delete("ada", first)
        async with asyncio.timeout(5):
            while first.id not in house.chat._deleted:
                await asyncio.sleep(0.005)
        with pytest.raises(ThreadGone):
            await house.show(turn.grow("word " * 1_001))


async def test_a_question_deleted_while_it_is_recorded_is_withdrawn(house: House) -> None:
    async with house.listening():
        await house.asked("@bobbin who?")  # what was said before listening is known from here on
        house.ledger.is_quick.clear()
        said = await house.discord.say("ada", "general", "@bobbin why?")
        await house.discord.delete("ada", said)
        async with asyncio.timeout(5):
            while said.id not in house.chat._deleted:
                await asyncio.sleep(0.005)
        house.ledger.is_quick.set()
        async with asyncio.timeout(5):
            while not ((turn := await house.ledger.turn(key_of(said.id))) and turn.is_withdrawn):
                await asyncio.sleep(0.005)


async def test_an_edit_of_what_is_too_old_asks_nothing(house: House) -> None:
    house.section = house.section.model_copy(update={"catch_up_hours": 0})
    house.chat = house.build()
    said = await house.discord.say("ada", "general", "why?")
    async with house.listening():
        await house.discord.edit("ada", said, "@bobbin why?")
        turn = await house.asked("@bobbin who?")
        assert turn.question.text == "who?"
        assert len(house.woken) == 1


async def test_an_edit_that_cannot_be_recorded_is_told(house: House) -> None:
    house.have_times(patience=0.1)
    async with house.listening():
        said = await house.discord.say("ada", "general", "why?")
        house.ledger.is_away = True
        await house.discord.edit("ada", said, "@bobbin why?")
        await house.discord.wait_for(lambda: house.said("general"))
        assert "database" in house.said("general")[0].content
