"""What Discord brings twice is done once, whatever this process remembers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bots.discord.ids import key_of
from core.turn import Status
from sandbox.discord import payloads
from sandbox.discord.world import Event
from tests.bots.discord.test_changes import failed

if TYPE_CHECKING:
    from sandbox.discord import Interaction
    from tests.bots.discord.conftest import House


def bring_again(house: House, interaction: Interaction) -> None:
    """As a resumed connection does, and as it finds a process that was started meanwhile."""
    world = house.discord.world
    payload = payloads.interaction_json(world, interaction)
    world.tell_gateway(Event("INTERACTION_CREATE", payload, in_guild=True))


async def model(house: House) -> str:
    interaction = await house.discord.slash("ben", "general", "preset show")
    await house.discord.wait_for(lambda: interaction.answered)
    assert interaction.response
    return interaction.response.content


async def test_a_slash_command_that_is_brought_again_after_a_restart_changes_nothing(house: House) -> None:
    async with house.listening():
        first = await house.discord.slash("ada", "general", "preset set", model="model-b")
        await house.discord.wait_for(lambda: first.answered)
        second = await house.discord.slash("ada", "general", "preset set", model="model-c")
        await house.discord.wait_for(lambda: second.answered)
    house.chat = house.build()
    async with house.listening():
        bring_again(house, first)
        assert "model-c" in await model(house)


async def test_a_click_that_comes_when_all_is_done_anew_starts_nothing(house: House) -> None:
    async with house.listening():
        _, said = await failed(house)
        click = await house.discord.click("ben", said, "Try again")
        await house.discord.wait_for(lambda: click.acknowledged)
        anew = (await house.accepted())[-1]
        await house.settle(await house.show(anew.start("m").finish("Because.")))
        bring_again(house, click)
        await model(house)  # whatever came before is done
        turn = await house.ledger.turn(anew.question.key)
        assert turn
        assert turn.status is Status.ANSWERED


async def test_what_is_brought_again_is_no_failure(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    async with house.listening():
        first = await house.discord.slash("ben", "general", "reset")
        await house.discord.wait_for(lambda: first.answered)
        bring_again(house, first)
        await model(house)
    assert "comes twice" in (log := capsys.readouterr().out)
    assert "failed" not in log


async def test_a_button_that_was_put_there_by_an_earlier_version_works_once(house: House) -> None:
    async with house.listening():
        turn, said = await failed(house)
        (button,) = said.components[0]["components"]
        button["custom_id"] = f"again:{said.channel.id}:{turn.question.key}"
        clicks = [await house.discord.click(user, said, "Try again") for user in ("ben", "ada")]
        await house.discord.wait_for(lambda: all(click.acknowledged for click in clicks))
        anew = await house.ledger.turn(turn.question.key)
        assert anew
        assert (anew.status, anew.attempt) == (Status.QUEUED, turn.attempt + 1)


async def test_a_failure_that_comes_again_has_a_button_of_its_own(house: House) -> None:
    """Though it is said in the same words."""
    async with house.listening():
        turn, said = await failed(house)
        again = replace(turn, attempt=turn.attempt + 2)
        await house.show(again)
        assert f"again{again.attempt}:" in str(said.components)


async def test_a_question_whose_deletion_is_heard_first_is_not_asked(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And by another process at that."""
    world = house.discord.world
    async with house.listening():
        await house.asked("@bobbin who?")
        held: list[Event] = []
        with monkeypatch.context() as patch:
            patch.setattr(world, "tell_gateway", held.append)
            said = await house.discord.say("ada", "general", "@bobbin why?")
        await house.discord.delete("ada", said)
        await _until(house, said.id)
    house.chat = house.build()
    async with house.listening():
        for event in held:
            world.tell_gateway(event)
        await house.asked("@bobbin what?")
        assert len(house.woken) == 2
    assert held


async def _until(house: House, deleted: int) -> None:
    async with asyncio.timeout(5):
        while await house.ledger.turn(key_of(deleted)) is None:
            await asyncio.sleep(0.005)
