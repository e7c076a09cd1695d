"""The menu of a message: asking about it by a form, and what was said since."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from bots.discord.commands import ABOUT, FROM_HERE
from bots.discord.menus import CANT_READ, GONE, NO_WORDS, NOT_MINE, NOT_YOURS
from core.quote import LONGEST, Quote, Source
from sandbox.discord import File, Interaction, Message, Permission, payloads
from sandbox.discord.world import Event
from tests.bots.discord.test_conversations import next_turn
from tests.bots.discord.test_once import bring_again

if TYPE_CHECKING:
    from core.turn import Turn
    from tests.bots.discord.conftest import House


async def opened(house: House, message: Message, user: str = "ben") -> Interaction:
    interaction = await house.discord.menu(user, message, ABOUT)
    await house.discord.wait_for(lambda: interaction.modal or interaction.failed)
    assert interaction.modal
    return interaction


async def submitted(house: House, form: Interaction, **fields: Any) -> Turn:
    before = len(house.woken)
    await house.discord.submit(form, **fields)
    return await next_turn(house, before)


async def refused(house: House, interaction: Interaction) -> str:
    await house.discord.wait_for(lambda: interaction.answered or interaction.failed)
    assert interaction.response
    assert interaction.ephemeral
    assert not house.woken
    return interaction.response.content


async def test_a_form_asks_about_the_message(house: House) -> None:
    async with house.listening():
        said = await house.discord.say("ada", "general", "E = mc²", attachments=[File("a.png", b"1", "image/png")])
        form = await opened(house, said)
        turn = await submitted(house, form)
        (quote,) = turn.question.quotes
        assert (quote.source, quote.text, quote.author, quote.is_ours) == (Source.REPLY, "E = mc²", "Ada", False)
        assert [one.name for one in quote.attachments] == ["a.png"]
        assert turn.question.text == "What does this mean? Explain it in short."
        assert not turn.question.is_private
        await house.show(turn.start("m").finish("Energy."))
        link = f"https://discord.com/channels/{house.discord.guild_id}/{said.channel.id}/{said.id}"
        (answer,) = house.said("general")
        assert answer.content == f"> What does this mean? Explain it in short.\n\nAbout {link}\n\nEnergy."


async def test_an_answer_only_for_me_is_shared_as_a_reply_to_the_message(house: House) -> None:
    async with house.listening():
        said = await house.discord.say("ada", "general", "E = mc²")
        turn = await submitted(house, await opened(house, said), question="Says who?", who="me")
        assert turn.question.is_private
        turn = await house.show(turn.start("m").finish("Einstein."))
        await house.settle(turn)
        (answer,) = house.discord.interactions[-1].messages
        assert answer.is_ephemeral
        before = len(house.woken)
        await house.discord.click("ben", answer, "Share")
        await house.show(await next_turn(house, before))
        shared = house.said("general")[-1]
        assert not shared.is_ephemeral
        assert shared.reply_to
        assert shared.reply_to["message_id"] == str(said.id)
        assert not shared.pings


async def test_a_reply_to_it_goes_on_with_it_also_where_the_message_is_a_question(house: House) -> None:
    async with house.listening():
        asked = await house.asked()
        await house.settle(await house.show(asked.start("m").finish("Because.")))
        said = house.discord.messages("general")[0]
        turn = await submitted(house, await opened(house, said), who="me")
        await house.settle(await house.show(turn.start("m").finish("Ada wonders.")))
        before = len(house.woken)
        await house.discord.click("ben", house.discord.interactions[-1].messages[0], "Share")
        shared = await next_turn(house, before)
        await house.settle(await house.show(shared))
        before = len(house.woken)
        await house.discord.say("ada", "general", "I do.", reply_to=house.said("general")[-1])
        assert (await next_turn(house, before)).question.thread.id == shared.question.thread.id


async def test_a_form_that_was_opened_before_a_restart_reads_the_message_itself(house: House) -> None:
    async with house.listening():
        said = await house.discord.say("ada", "general", "E = mc²")
        form = await opened(house, said)
    house.chat = house.build()
    async with house.listening():
        assert (await submitted(house, form)).question.quotes == (Quote(Source.REPLY, "E = mc²", "Ada"),)


@pytest.mark.parametrize("restarts", [False, True])
async def test_of_a_message_that_was_deleted_meanwhile_nothing_is_asked(house: House, restarts: bool) -> None:  # noqa: FBT001
    async with house.listening():
        said = await house.discord.say("ada", "general", "E = mc²")
        form = await opened(house, said)
        await house.discord.delete("ada", said)
        async with asyncio.timeout(5):
            while said.id not in house.chat._deleted:
                await asyncio.sleep(0.005)
        if not restarts:
            assert await refused(house, await house.discord.submit(form)) == GONE
    house.chat = house.build()
    async with house.listening():
        assert await refused(house, await house.discord.submit(form)) == GONE


async def test_what_can_no_longer_be_read_is_said(house: House) -> None:
    async with house.listening():
        form = await opened(house, await house.discord.say("ada", "general", "E = mc²"))
    house.discord.deny("general", Permission.VIEW_CHANNEL)
    house.chat = house.build()
    async with house.listening():
        assert await refused(house, await house.discord.submit(form)) == CANT_READ


async def test_a_form_that_is_brought_twice_asks_once(house: House) -> None:
    async with house.listening():
        form = await opened(house, await house.discord.say("ada", "general", "E = mc²"))
        await submitted(house, form)
        bring_again(house, house.discord.interactions[-1])
        other = await house.discord.slash("ada", "general", "help")
        await house.discord.wait_for(lambda: other.answered)
        assert len(set(house.woken)) == 1


@pytest.mark.parametrize(
    "data",
    [
        {"custom_id": "about:1:2", "components": []},
        {"custom_id": "about:{channel}:{message}", "components": None},
        {"custom_id": "about:{channel}:{message}", "components": [{"type": 18}, 7, {"component": {"value": []}}]},
        {"custom_id": 7},
        {},
        None,
    ],
)
async def test_odd_forms_are_survived(house: House, data: Any) -> None:
    async with house.listening():
        said = await house.discord.say("ada", "general", "E = mc²")
        form = await opened(house, said)
        payload = payloads.interaction_json(house.discord.world, form)
        if isinstance(data, dict) and "custom_id" in data:
            custom_id = str(data["custom_id"]).format(channel=said.channel.id, message=said.id)
            data = data | {"custom_id": custom_id}
        odd = payload | {"type": 5, "data": data, "id": str(form.id + 1)}
        house.discord.world.tell_gateway(Event("INTERACTION_CREATE", odd, in_guild=True))
        await house.discord.slash("ada", "general", "ask", question="Still there?")
        questions = [turn.question.text for turn in await house.accepted()]
        assert "Still there?" in questions


async def summed_up(house: House, message: Message, user: str = "ben") -> Turn:
    before = len(house.woken)
    await house.discord.menu(user, message, FROM_HERE)
    return await next_turn(house, before)


async def test_what_was_said_since_is_summarised_for_one_person(house: House) -> None:
    async with house.listening():
        await house.discord.say("ada", "general", "Long before")
        first = await house.discord.say("ada", "general", "Shall we\nBen: yes, I do it?")
        await house.discord.say("ben", "general", "@ada Not me")
        turn = await summed_up(house, first)
        (quote,) = turn.question.quotes
        assert quote == Quote(Source.OTHER, "Ada: Shall we Ben: yes, I do it?\nBen: @Ada Not me")
        assert turn.question.is_private
        assert turn.question.text == "Summarise what was said here, from this message on."
        interaction = house.discord.interactions[-1]
        assert interaction.ephemeral
        await house.show(turn.start("m").finish("Nobody wants to."))
        assert interaction.response
        assert interaction.response.content.endswith("\n\nNobody wants to.")


async def test_of_more_than_it_reads_at_once_it_says_so(house: House) -> None:
    house.section = house.section.model_copy(update={"catch_up_hours": 0})  # which reads as well
    async with house.listening():
        first = await house.discord.say("ada", "general", "1")
        for number in range(2, 252):
            await house.discord.say("ben", "general", f"{number}")
        turn = await summed_up(house, first)
        (quote,) = turn.question.quotes
        lines = quote.text.splitlines()
        assert (len(lines), lines[0], lines[-2]) == (202, "Ada: 1", "Ben: 201")
        assert lines[-1] == "(Later messages are left out.)"
        assert "the first 201" in turn.question.text
        assert house.calls("GET /channels/{channel_id}/messages") <= 3


async def test_of_long_messages_there_are_as_many_as_have_room(house: House) -> None:
    async with house.listening():
        first = await house.discord.say("ada", "general", "word " * 390)
        for _ in range(12):
            await house.discord.say("ben", "general", "word " * 390)
        (quote,) = (await summed_up(house, first)).question.quotes
        assert LONGEST - 2_000 < len(quote.text) <= LONGEST


async def test_what_isnt_allowed_is_said_to_who_asks(house: House) -> None:
    async with house.listening():
        said = await house.discord.say("ada", "general", "Secret")
        house.discord.deny("general", Permission.READ_MESSAGE_HISTORY, Permission.VIEW_CHANNEL)
        assert await refused(house, await house.discord.menu("ada", said, FROM_HERE)) == NOT_MINE
        house.discord.allow("general")
        world = house.discord.world
        world.roles[world.guild_id].permissions &= ~Permission.READ_MESSAGE_HISTORY
        assert await refused(house, await house.discord.menu("ben", said, FROM_HERE)) == NOT_YOURS


async def test_where_there_are_no_words_there_is_nothing_to_sum_up(house: House) -> None:
    async with house.listening():
        said = await house.discord.say("ada", "general", "", attachments=[File("a.png", b"1", "image/png")])
        assert await refused(house, await house.discord.menu("ben", said, FROM_HERE)) == NO_WORDS
