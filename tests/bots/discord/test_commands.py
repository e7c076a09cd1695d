"""Slash commands: recorded before Discord is told, answered in time, and never twice registered."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING

import discord
import pytest
from structlog.testing import capture_logs

from bots.discord.hourglass import WAITS
from bots.discord.ids import key_of_command
from bots.discord.tree import OTHER_COMMAND
from bots.reply.wanted import INSTEAD, STOP, WAITING
from core.errors import ThreadGone
from core.language import say_n, speaking
from core.obeying import NOT_THEIRS_TO_STOP
from core.turn import Status
from sandbox.discord import asking
from sandbox.discord.model import InteractionKind

if TYPE_CHECKING:
    from core.turn import Turn
    from sandbox.discord import Interaction
    from tests.bots.discord.conftest import House

RESPOND = "POST /interactions/{interaction_id}/{token}/callback"
REGISTER = "PUT /applications/{application_id}/commands"


async def told(house: House, interaction: Interaction) -> str:
    await house.discord.wait_for(lambda: interaction.answered or interaction.failed)
    assert interaction.response
    return interaction.response.content


async def test_a_question_is_answered_in_the_response(house: House) -> None:
    async with house.listening():
        turn = await house.asked_by_command("what *is* a bobbin?")
        (interaction,) = house.discord.interactions
        general = house.discord.channel("general").id
        assert turn.question.key == f"discord:interaction/{interaction.id}"
        assert turn.question.thread.channel == f"discord:{house.discord.guild_id}/{general}"
        await house.discord.wait_for(lambda: interaction.thinking)
        turn = await house.show(turn.start("m"))
        assert interaction.thinking
        turn = await house.show(turn.grow("A spool"))
        await house.show(turn.finish("A spool for thread."))
        assert interaction.response
        assert not interaction.ephemeral
        assert interaction.response.content == "> what \\*is\\* a bobbin?\n\nA spool for thread."
        assert house.said("general") == [interaction.response]


async def waiting(house: House) -> tuple[Turn, Interaction]:
    """Ben asks by a command in the thread where Ada's question is being answered."""
    await house.asked()
    with_thread = await house.ledger.take(house.woken[-1])
    assert with_thread
    await house.show(with_thread.turn.start("m").grow("Because."))
    click = await house.discord.slash("ben", house.thread(), "ask", question="and *then*?")
    await house.discord.wait_for(lambda: click.answered or click.thinking)
    turn = await house.ledger.turn(key_of_command(click.id))
    assert turn
    return turn, click


async def begun(house: House, turn: Turn) -> Turn:
    """End what is before it, and take it as a worker does."""
    first = (await house.ledger.take(turn.question.thread.id)).turn  # type: ignore[union-attr]
    await house.settle(first.start("m").finish("Because."))
    taken = await house.ledger.take(turn.question.thread.id)
    assert taken
    assert taken.turn.id == turn.id
    return taken.turn


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_question_that_waits_says_so_and_is_answered_in_that_message(
    house: House,
    restarts: bool,  # noqa: FBT001
) -> None:
    house.keys = [base64.urlsafe_b64encode(bytes(32)).decode()]
    house.chat = house.build()
    async with house.listening():
        turn, click = await waiting(house)
        assert click.response
        assert click.response.content == f"> and \\*then\\*?\n-# {WAITS} {WAITING}"
        assert [one["label"] for one in click.response.components[0]["components"]] == [INSTEAD]
        assert not click.response.pings
        if not restarts:
            await answered_there(house, turn, click)
    if restarts:
        house.chat = house.build()
        async with house.listening():
            await answered_there(house, turn, click)


async def answered_there(house: House, turn: Turn, click: Interaction) -> None:
    assert click.response
    turn = await house.show((await begun(house, turn)).start("m"))
    assert "next" not in click.response.content
    assert [one["label"] for one in click.response.components[0]["components"]] == [STOP]
    await house.show(turn.finish("Thus."))
    assert click.response.content == "> and \\*then\\*?\n\nThus."
    assert click.messages == [click.response]


async def test_its_button_has_it_answered_instead_for_whoever_may_want_that(house: House) -> None:
    async with house.listening():
        turn, click = await waiting(house)
        assert click.response
        refused = await house.discord.click("ben", click.response, INSTEAD)
        assert await told(house, refused) == NOT_THEIRS_TO_STOP
        first = await house.ledger.take(turn.question.thread.id)
        assert first
        owner = house.discord.user("ada")
        pressed = await house.discord.click(owner, click.response, INSTEAD)
        await house.discord.wait_for(lambda: pressed.acknowledged)


async def test_a_question_that_waits_longer_than_its_token_is_answered_in_that_message(house: House) -> None:
    async with house.listening():
        turn, click = await waiting(house)
        house.discord.expire_tokens()
        turn = await begun(house, turn)
        turn = await house.show(turn.start("m").grow("Thus"))
        await house.show(turn.finish("Thus."))
        assert click.response
        assert click.response.content == "> and \\*then\\*?\n\nThus."
        assert [one.content for one in house.said(house.thread())].count(click.response.content) == 1


async def test_who_waits_for_several_is_told_how_many_in_their_language(house: House) -> None:
    async with house.listening():
        await waiting(house)
        house.discord.add_user("greta", locale="de")
        click = await house.discord.slash("greta", house.thread(), "ask", question="und dann?")
        await house.discord.wait_for(lambda: click.answered)
        assert click.response
        with speaking("de"):
            told = say_n("{n} question is ahead of yours.", "{n} questions are ahead of yours.", 2)
        assert click.response.content == f"> und dann?\n-# {WAITS} {told}"
        assert "2" in told


async def test_stopped_while_it_waits_it_says_so_there(house: House) -> None:
    async with house.listening():
        turn, click = await waiting(house)
        await house.show(turn.stop("ben"))
        assert click.response
        assert "next" not in click.response.content
        assert not click.response.components


async def test_the_token_is_kept_sealed(house: House) -> None:
    async with house.listening():
        turn = await house.asked_by_command()
        (interaction,) = house.discord.interactions
        assert interaction.token not in turn.reply


async def test_an_answer_waits_until_discord_knows_of_the_response(house: House) -> None:
    async with house.listening():
        house.discord.faults.next_calls(RESPOND, status=500)  # discord.py tries again a second later
        turn = await house.asked_by_command()
        await house.show(turn.start("m").finish("Because."))
        assert await told(house, house.discord.interactions[0]) == "> why?\n\nBecause."


async def test_a_long_answer_goes_on_in_messages_of_the_channel(house: House) -> None:
    async with house.listening():
        turn = await house.asked_by_command()
        turn = await house.show(turn.start("m").grow("word " * 10))
        await house.show(turn.finish("```\n" + "line of code\n" * 400 + "```"))
        said = house.said("general")
        assert len(said) > 2
        assert all(one.content.count("```") == 2 for one in said)
        assert sum(one.content.count("line of code") for one in said) == 400


async def test_after_the_token_has_expired_the_channel_is_the_way(house: House) -> None:
    async with house.listening():
        turn = await house.asked_by_command()
        turn = await house.show(turn.start("m").grow("Half"))
        (response,) = house.said("general")
        house.discord.expire_tokens()
        turn = await house.show(turn.grow("Half of it"))
        await house.show(turn.fail("It broke."))
        assert [(one.id, one.content) for one in house.said("general")] == [
            (response.id, "> why?\n\nHalf of it\n\n-# ⚠️ It broke.")
        ]
        again = replace(turn, attempt=turn.attempt + 1, is_anew=True, status=Status.STREAMING)
        await house.show(again.finish("The whole."))
        (said,) = house.said("general")
        assert (said.id, said.content, said.components) == (response.id, "> why?\n\nThe whole.", [])


async def test_an_answer_to_a_command_shows_no_previews(house: House) -> None:
    async with house.listening():
        turn = await house.asked_by_command()
        turn = await house.show(turn.start("m").grow("https://example.com"))
        await house.show(turn.finish("https://example.com/a" + " word" * 500))
        said = house.said("general")
        assert len(said) == 2
        assert all(discord.MessageFlags._from_value(one.flags).suppress_embeds for one in said)


@pytest.mark.parametrize("restarts", [False, True])
async def test_after_the_token_has_expired_a_long_answer_goes_on_in_order(house: House, restarts: bool) -> None:  # noqa: FBT001
    """Its later pages were in the channel before, and Discord still knows their nonces."""
    numbered = "\n\n".join(f"Paragraph {number}: " + "words " * 150 for number in range(5))
    async with house.listening():
        turn = (await house.asked_by_command()).start("model-a")
        turn = await house.show(turn.grow(numbered))
        first, *others = house.said("general")
        assert others
        house.discord.expire_tokens()
        if restarts:
            house.chat = house.build()
            turn = replace(turn, attempt=turn.attempt + 1)
        turn = await house.show(turn.finish(f"Well.\n\n{numbered}"))
        response, *_ = pages = house.said("general")
        said = "".join(page.content for page in pages)
        assert [said.count(f"Paragraph {number}:") for number in range(5)] == [1] * 5
        assert said.index("Well.") < said.index("Paragraph 0:") < said.index("Paragraph 4:")
        assert await house.show(turn) == turn
        assert house.said("general") == pages
        assert response.id == first.id


async def test_a_restart_without_the_key_goes_on_in_the_channel(house: House) -> None:
    async with house.listening():
        turn = await house.asked_by_command()
        await house.discord.wait_for(lambda: house.discord.interactions[0].thinking)
    house.chat = house.build()
    async with house.listening():
        await house.show(turn.start("m").finish("The whole."))
        assert house.said("general")[-1].content == "> why?\n\nThe whole."


async def test_a_deleted_response_ends_the_turn(house: House) -> None:
    async with house.listening():
        turn = await house.asked_by_command()
        turn = await house.show(turn.start("m").grow("Half"))
        await house.discord.delete("ada", house.said("general")[0])
        with pytest.raises(ThreadGone):
            await house.show(turn.grow("Half of it"))


async def test_a_stopped_question_stops_thinking(house: House) -> None:
    async with house.listening():
        turn = await house.asked_by_command()
        await house.show(turn.stop())
        assert "Stopped" in await told(house, house.discord.interactions[0])


async def test_who_asks_while_the_database_is_down_is_told(house: House) -> None:
    async with house.listening():
        house.ledger.is_away = True
        interaction = await house.discord.slash("ada", "general", "ask", question="why?")
        assert "database" in await told(house, interaction)
        assert interaction.ephemeral
        assert not house.woken


async def test_who_asks_while_the_database_is_slow_is_told_in_time(house: House) -> None:
    house.have_times(recorded_within=0.05)
    async with house.listening():
        house.ledger.is_quick.clear()
        interaction = await house.discord.slash("ada", "general", "ask", question="why?")
        assert "database" in await told(house, interaction)
        assert not interaction.failed


async def test_commands_are_registered_once_over_two_starts(house: House) -> None:
    async with house.listening():
        assert house.calls(REGISTER) == 1
    house.chat = house.build()
    async with house.listening():
        assert house.calls(REGISTER) == 1


async def test_without_registered_commands_mentions_are_still_answered(house: House) -> None:
    house.discord.faults.next_calls(REGISTER, status=403)
    async with house.listening():
        turn = await house.asked()
        assert turn.question.text == "why?"
    house.chat = house.build()
    async with house.listening():
        assert house.calls(REGISTER) == 2


async def test_presets_are_set_by_those_who_manage_the_channel(house: House) -> None:
    async with house.listening():
        refused = await house.discord.slash("ben", "general", "preset set", model="model-b")
        assert "manage this channel" in await told(house, refused)
        assert refused.ephemeral
        done = await house.discord.slash("ada", "general", "preset set", model="model-b")
        assert "model-b" in await told(house, done)
        assert not done.ephemeral
        shown = await house.discord.slash("ben", "general", "preset show")
        assert "`model-b` (set in this channel)" in await told(house, shown)
        assert shown.ephemeral
        undone = await house.discord.slash("ada", "general", "preset reset")
        assert "model-a" in await told(house, undone)
        direct = await house.discord.slash("ben", house.discord.open_dm("ben"), "preset set", model="model-b")
        assert "`model-b` (set in this conversation)" in await told(house, direct)


async def test_a_preset_needs_something_to_set(house: House) -> None:
    async with house.listening():
        interaction = await house.discord.slash("ada", "general", "preset set")
        assert "Pick at least one" in await told(house, interaction)
        assert interaction.ephemeral


async def test_the_names_of_presets_are_suggested(house: House) -> None:
    async with house.listening():
        choices = await house.discord.autocomplete("ada", "general", "preset set", focused="name", name="ter")
        assert [choice["value"] for choice in choices] == ["terse"]


async def test_reset_and_help_answer(house: House) -> None:
    async with house.listening():
        await house.asked_by_command()
        begun_anew = await house.discord.slash("ada", "general", "reset")
        assert "forgotten your last question" in await told(house, begun_anew)
        assert not begun_anew.ephemeral
        helped = await house.discord.slash("ben", house.discord.open_dm("ben"), "help")
        listed = await told(house, helped)
        for usage in ("show", "set name:NAME", "set model:MODEL", "set instructions:TEXT", "reset"):
            assert f"`/preset {usage}`" in listed
        assert helped.ephemeral


async def test_a_shared_conversation_is_reset_and_retried_by_those_whose_it_is(house: House) -> None:
    async with house.listening():
        turn = await house.asked()
        await house.settle(await house.show(turn.start("m").finish("Because.")))
        for command in ("reset", "retry"):
            refused = await house.discord.slash("ben", house.thread(), command)
            assert "manages this channel" in await told(house, refused)
            assert refused.ephemeral
        cem = house.discord.add_user("cem", manages_guild=True)
        done = await house.discord.slash(cem, house.thread(), "retry")
        assert "Trying again" in await told(house, done)


async def test_an_unforeseen_failure_becomes_a_sentence_with_a_reference(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise ZeroDivisionError("inner workings")

    monkeypatch.setattr(house.ledger, "obey_once", fail)
    house.discord.faults.interaction_deadline = 60.0  # a traceback in colours takes seconds on a busy machine
    async with house.listening():
        interaction = await house.discord.slash("ben", "general", "reset")
        sentence = await told(house, interaction)
        assert "Reference:" in sentence
        assert "inner workings" not in sentence


def option(name: str, kind: int, **more: object) -> dict[str, object]:
    return {"name": name, "type": kind, **more}


SUBCOMMAND, STRING, INTEGER = 1, 3, 4


@pytest.mark.parametrize(
    ("kind", "name", "options"),
    [
        (1, "question", []),
        (1, "help", [option("more", SUBCOMMAND, options=[])]),
        (1, "preset", []),
        (1, "preset", [option("name", STRING, value="terse")]),
        (1, "preset", [option("list", SUBCOMMAND, options=[])]),
        (1, "ask", []),
        (1, "ask", [option("text", STRING, value="why?")]),
        (1, "ask", [option("question", INTEGER, value=1)]),
        (3, "Ask about this", []),
    ],
)
async def test_who_gives_a_command_of_an_earlier_version_is_told_so_and_the_log_has_no_traceback(
    house: House, caplog: pytest.LogCaptureFixture, kind: int, name: str, options: list[dict[str, object]]
) -> None:
    """Discord's clients remember the commands that they were told of."""
    async with house.listening():
        user, channel = house.discord.user("ada"), house.discord.channel("general")
        data = {"id": "1", "name": name, "type": kind, "options": options}
        with capture_logs() as logged:
            given = asking.begin(house.discord.world, InteractionKind.COMMAND, user, channel, data, name=name)
            assert await told(house, given) == OTHER_COMMAND
        assert given.ephemeral
        assert not [line for line in logged if "exc_info" in line]
        assert not [record for record in caplog.records if record.exc_info]
        assert not house.woken


@pytest.mark.parametrize(
    "options", [[option("name", STRING, value="t", focused=True)], [option("set", SUBCOMMAND, options=[])]]
)
@pytest.mark.parametrize("name", ["presets", "preset", "ask"])
async def test_typing_a_command_of_an_earlier_version_suggests_nothing_and_the_log_has_no_traceback(
    house: House, caplog: pytest.LogCaptureFixture, name: str, options: list[dict[str, object]]
) -> None:
    async with house.listening():
        user, channel = house.discord.user("ada"), house.discord.channel("general")
        data = {"id": "1", "name": name, "type": 1, "options": options}
        with capture_logs() as logged:
            kind = InteractionKind.AUTOCOMPLETE
            typed = asking.begin(house.discord.world, kind, user, channel, data, name=name)
            await house.discord.wait_for(lambda: typed.choices is not None)
        assert typed.choices == []
        assert not [line for line in logged if line["log_level"] in ("warning", "error")]
        assert not [record for record in caplog.records if record.exc_info]
