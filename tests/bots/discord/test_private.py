"""Answers that only their asker sees: streamed by the token alone, shared once by a click, also after a restart."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import discord
import pytest

from bots.discord.buttons import NOT_MINE, NOT_YOURS
from bots.listening.router import NOT_TO_SHARE, SHARED_BEFORE
from core.errors import ThreadGone
from sandbox.discord import Channel, File, Interaction, Message, Permission
from tests.bots.discord.test_conversations import next_turn
from tests.bots.discord.test_once import bring_again

if TYPE_CHECKING:
    from core.turn import Turn
    from tests.bots.discord.conftest import House

TYPING = "POST /channels/{channel_id}/typing"
SAID = "POST /channels/{channel_id}/messages"


async def ask(house: House, where: Channel | str = "general", **options: Any) -> Turn:
    before = len(house.woken)
    await house.discord.slash("ben", where, "ask", **({"question": "why?", "private": True} | options))
    return await next_turn(house, before)


async def answered(house: House, where: Channel | str = "general", text: str = "Because.") -> tuple[Turn, Interaction]:
    turn = await ask(house, where)
    interaction = house.discord.interactions[-1]
    await house.discord.wait_for(lambda: interaction.thinking)
    turn = await house.show(turn.start("m").grow("Bec"))
    turn = await house.show(turn.finish(text))
    await house.settle(turn)
    return turn, interaction


async def told(house: House, click: Interaction) -> str:
    await house.discord.wait_for(lambda: click.followups or click.failed or click.answered)
    message = click.followups[0] if click.followups else click.response
    assert message is not None
    assert message.is_ephemeral
    return message.content


async def share(house: House, answer: Message, user: str = "ben") -> Turn:
    before = len(house.woken)
    await house.discord.click(user, answer, "Share")
    return await next_turn(house, before)


async def test_only_the_asker_sees_it_stream(house: House) -> None:
    async with house.listening():
        turn, interaction = await answered(house)
        (answer,) = interaction.messages
        assert turn.question.is_private
        assert turn.question.thread.id.endswith(f"/{interaction.id}")
        assert answer.only_for == house.discord.user("ben").id
        assert [shown.content for shown in answer.history] == ["", "> why?\n\nBec", "> why?\n\nBecause."]
        assert all(message.is_ephemeral for message in house.said("general"))
        assert house.calls(TYPING) == 0


async def test_all_pages_and_the_file_are_for_the_asker_alone(house: House) -> None:
    house.most_pages = 2
    house.chat = house.build()
    async with house.listening():
        _, interaction = await answered(house, text="word " * 1_000)
        assert len(interaction.messages) == 4  # one says that there is a file
        assert all(message.is_ephemeral for message in interaction.messages)
        assert interaction.messages[-1].attachments
        assert house.calls(SAID) == 0


async def test_no_page_shows_previews(house: House) -> None:
    async with house.listening():
        _, interaction = await answered(house, text="https://example.com" + " word" * 1_000)
        assert len(interaction.messages) == 3
        assert all(discord.MessageFlags._from_value(one.flags).suppress_embeds for one in interaction.messages)


async def test_another_process_goes_on_in_the_same_message(house: House) -> None:
    house.keys = [base64.urlsafe_b64encode(bytes(32)).decode()]
    house.chat = house.build()
    async with house.listening():
        turn = await ask(house)
        interaction = house.discord.interactions[-1]
        await house.discord.wait_for(lambda: interaction.thinking)
        turn = await house.show(turn.start("m").grow("Half"))
    house.chat = house.build()
    async with house.listening():
        await house.show(replace(turn, attempt=turn.attempt + 1).finish("The whole."))
        assert [one.content for one in interaction.messages] == ["> why?\n\nThe whole."]


@pytest.mark.parametrize("begun", [False, True])
async def test_once_the_token_is_over_its_asker_is_told_once_and_nobody_else_anything(
    house: House,
    begun: bool,  # noqa: FBT001
) -> None:
    async with house.listening():
        turn = await ask(house)
        interaction = house.discord.interactions[-1]
        await house.discord.wait_for(lambda: interaction.thinking)
        if begun:
            turn = await house.show(turn.start("m").grow("Half"))
        house.discord.expire_tokens()
        for _ in range(2):
            with pytest.raises(ThreadGone):
                await house.show(turn.start("m").finish("The whole."))
        (private,) = house.said(house.discord.open_dm("ben"))
        assert "15 minutes" in private.content
        assert turn.reference in private.content
        assert all(message.is_ephemeral for message in house.said("general"))


async def test_a_process_that_cant_open_the_token_says_nothing_in_the_channel(house: House) -> None:
    async with house.listening():
        turn = await ask(house)
        await house.discord.wait_for(lambda: house.discord.interactions[-1].thinking)
    house.chat = house.build()  # with another key
    async with house.listening():
        with pytest.raises(ThreadGone):
            await house.show(turn.start("m").finish("The whole."))
        assert all(message.is_ephemeral for message in house.said("general"))


async def test_the_asker_shares_it_with_the_channel_under_their_name(house: House) -> None:
    async with house.listening():
        _, interaction = await answered(house)
        shared = await share(house, interaction.messages[0])
        await house.show(shared)
        (said,) = [one for one in house.said("general") if not one.is_ephemeral]
        assert said.content == "**Ben** asked:\n> why?\n\nBecause."
        assert not said.components
        assert not said.pings


async def test_a_reply_to_what_was_shared_goes_on_with_it(house: House) -> None:
    async with house.listening():
        _, interaction = await answered(house)
        shared = await share(house, interaction.messages[0])
        await house.settle(await house.show(shared))
        (said,) = [one for one in house.said("general") if not one.is_ephemeral]
        before = len(house.woken)
        await house.discord.say("ada", "general", "And then?", reply_to=said)
        follow_up = await next_turn(house, before)
        assert follow_up.question.thread.id == shared.question.thread.id


async def test_in_a_thread_it_is_shared_in_place_and_asked_apart_from_it(house: House) -> None:
    async with house.listening():
        thread = await house.discord.start_thread("ada", "general", "Plans")
        turn, interaction = await answered(house, thread)
        place = f"discord:{house.discord.guild_id}/{thread.id}"
        assert turn.question.thread.id == f"{place}/{interaction.id}"
        shared = await share(house, interaction.messages[0])
        assert shared.question.thread.id == place
        await house.show(shared)
        assert [one.content for one in house.said(thread) if not one.is_ephemeral][-1].endswith("Because.")


async def test_it_is_shared_once_also_after_a_restart(house: House) -> None:
    async with house.listening():
        _, interaction = await answered(house)
    house.chat = house.build()
    async with house.listening():
        shared = await share(house, interaction.messages[0])
        click = house.discord.interactions[-1]
        await house.show(shared)
        bring_again(house, click)
        again = await house.discord.click("ben", interaction.messages[0], "Share")
        assert await told(house, again) == SHARED_BEFORE
        assert len([one for one in house.said("general") if not one.is_ephemeral]) == 1


async def test_what_was_withdrawn_meanwhile_is_not_shared(house: House) -> None:
    async with house.listening():
        turn, interaction = await answered(house)
        await house.relay.withdraw(turn.question.key)
        click = await house.discord.click("ben", interaction.messages[0], "Share")
        assert await told(house, click) == NOT_TO_SHARE


async def test_where_the_bot_may_not_write_it_is_not_shared_and_can_be_later(house: House) -> None:
    async with house.listening():
        _, interaction = await answered(house)
        house.discord.deny("general", Permission.SEND_MESSAGES)
        click = await house.discord.click("ben", interaction.messages[0], "Share")
        assert await told(house, click) == NOT_MINE
        house.discord.allow("general")
        assert (await share(house, interaction.messages[0])).answer == "Because."


async def test_who_may_not_write_there_shares_nothing(house: House) -> None:
    async with house.listening():
        _, interaction = await answered(house)
        world = house.discord.world
        world.roles[world.guild_id].permissions &= ~Permission.SEND_MESSAGES
        click = await house.discord.click("ben", interaction.messages[0], "Share")
        assert await told(house, click) == NOT_YOURS


async def test_only_whole_private_answers_have_the_button(house: House) -> None:
    async with house.listening():
        turn = await ask(house)
        interaction = house.discord.interactions[-1]
        await house.show(turn.start("m").fail("It broke."))
        assert "Share" not in json.dumps(interaction.messages[0].components)
        turn = await ask(house, private=False)
        await house.show(turn.start("m").finish("Because."))
        assert "Share" not in json.dumps(house.discord.interactions[-1].messages[0].components)


async def test_alone_with_the_bot_nothing_is_more_private(house: House) -> None:
    """A direct conversation is one conversation, whatever its questions were asked with."""
    async with house.listening():
        direct = house.discord.open_dm("ben")
        turn = await ask(house, direct)
        assert not turn.question.is_private
        assert turn.question.thread.id == f"discord:dm/{direct.id}"


async def test_files_and_a_preset_go_with_the_question(house: House) -> None:
    async with house.listening():
        files: dict[str, Any] = {"file": File("a.png", b"1", "image/png"), "file3": File("b.txt", b"22", "text/plain")}
        turn = await ask(house, preset="terse", **files)
        assert [(one.name, one.size, bool(one.url)) for one in turn.question.attachments] == [
            ("a.png", 1, True),
            ("b.txt", 2, True),
        ]
        assert turn.question.preset == "terse"
        assert turn.question.asker_name == "Ben"


async def test_a_preset_that_there_isnt_is_refused(house: House) -> None:
    async with house.listening():
        interaction = await house.discord.slash("ben", "general", "ask", question="why?", preset="nonsense")
        await house.discord.wait_for(lambda: interaction.answered)
        assert interaction.ephemeral
        assert interaction.response
        assert "`terse`" in interaction.response.content
        suggested = await house.discord.autocomplete("ben", "general", "ask", focused="preset", preset="te")
        assert [one["value"] for one in suggested] == ["terse"]
