"""Where the bot is not, but somebody has brought it along: only the token of each command opens the place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bots.discord.buttons import NOT_SEEN
from bots.discord.commands import ABOUT
from core.errors import ThreadGone
from sandbox.discord import Channel, Permission
from tests.bots.discord.test_conversations import next_turn
from tests.bots.discord.test_private import answered, share, told

if TYPE_CHECKING:
    from core.turn import Turn
    from tests.bots.discord.conftest import House

REGISTER = "PUT /applications/{application_id}/commands"
SAID = "POST /channels/{channel_id}/messages"


@pytest.fixture
def house(house: House) -> House:
    house.section = house.section.model_copy(update={"user_install": True})
    house.chat = house.build()
    return house


@pytest.fixture(params=["guild", "group"])
def place(house: House, request: pytest.FixtureRequest) -> Channel:
    house.discord.install("ben")
    return (
        house.discord.add_channel_elsewhere("lobby") if request.param == "guild" else house.discord.add_group_dm("us")
    )


async def ask(house: House, place: Channel) -> Turn:
    before = len(house.woken)
    await house.discord.slash("ben", place, "ask", question="why?")
    return await next_turn(house, before)


async def test_it_is_answered_by_the_token_alone(house: House, place: Channel) -> None:
    async with house.listening():
        first, second = await ask(house, place), await ask(house, place)
        assert first.question.thread.id != second.question.thread.id
        turn = await house.show(first.start("m").grow("Bec"))
        await house.show(turn.finish("word " * 5_000))
        answer = house.discord.interactions[0].messages
        assert len(answer) <= 6  # Discord takes no more there
        assert answer[-1].attachments
        assert not any(message.is_ephemeral for message in answer)
        assert house.calls(SAID) == 0


async def test_after_the_token_its_asker_is_told_in_private(house: House, place: Channel) -> None:
    async with house.listening():
        turn = await ask(house, place)
        await house.discord.wait_for(lambda: house.discord.interactions[-1].thinking)
        house.discord.expire_tokens()
        with pytest.raises(ThreadGone):
            await house.show(turn.start("m").finish("Because."))
        (private,) = house.said(house.discord.open_dm("ben"))
        assert "15 minutes" in private.content


async def test_a_private_answer_is_shared_by_the_token_of_the_click(house: House, place: Channel) -> None:
    async with house.listening():
        _, interaction = await answered(house, place)
        assert interaction.ephemeral
        house.discord.expire_tokens()
        shared = await share(house, interaction.messages[0])
        click = house.discord.interactions[-1]
        await house.show(shared)
        (said,) = click.followups
        assert not said.is_ephemeral
        assert said.content == "**Ben** asked:\n> why?\n\nBecause."


async def test_where_others_would_not_see_it_nothing_is_shared(house: House) -> None:
    house.discord.install("ben")
    place = house.discord.add_channel_elsewhere("lobby")
    async with house.listening():
        _, interaction = await answered(house, place)
        world = house.discord.world
        world.roles[world.guild_id].permissions &= ~Permission.USE_EXTERNAL_APPS
        click = await house.discord.click("ben", interaction.messages[0], "Share")
        assert await told(house, click) == NOT_SEEN


async def test_the_form_works_there_as_long_as_the_process_remembers_the_message(house: House, place: Channel) -> None:
    async with house.listening():
        said = await house.discord.say("ada", place, "E = mc²")
        form = await house.discord.menu("ben", said, ABOUT)
        await house.discord.wait_for(lambda: form.modal)
        before = len(house.woken)
        await house.discord.submit(form, question="Why?")
        assert (await next_turn(house, before)).question.quotes[0].text == "E = mc²"


async def test_unless_the_operator_wants_it_nobody_brings_it_along(house: House, place: Channel) -> None:
    house.section = house.section.model_copy(update={"user_install": False})
    house.chat = house.build()
    async with house.listening():
        with pytest.raises(ValueError, match="not installed"):
            await house.discord.slash("ben", place, "ask", question="why?")
    house.section = house.section.model_copy(update={"user_install": True})
    house.chat = house.build()
    async with house.listening():
        assert house.calls(REGISTER) == 2  # the commands are others now
        assert await ask(house, place) is not None


async def test_other_commands_are_not_offered_there(house: House, place: Channel) -> None:
    async with house.listening():
        with pytest.raises(ValueError, match="not installed"):
            await house.discord.slash("ben", place, "preset show")


async def test_a_direct_conversation_stays_one_for_who_has_added_the_bot(house: House) -> None:
    house.discord.install("ben")
    async with house.listening():
        direct = house.discord.open_dm("ben")
        assert (await ask(house, direct)).question.thread.id == f"discord:dm/{direct.id}"


async def test_catching_up_reads_nothing_there(house: House, place: Channel) -> None:
    async with house.listening():
        await house.settle(await house.show((await ask(house, place)).start("m").finish("Because.")))
    house.chat = house.build()
    await house.discord.say("ada", "general", "@bobbin and meanwhile?")
    before = len(house.woken)
    async with house.listening():
        await next_turn(house, before)
        assert not [call for call in house.discord.calls if f"/channels/{place.id}" in call.path]
