"""The bot of the sandbox: a process of its own, which can be killed, and outlives nobody."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from bots import platforms
from sandbox import discord
from sandbox.bot import Bot, DidNotStart, Entry, State
from sandbox.slack import shown
from sandbox.stage import Stage, staged
from tests.e2e.shell import start, until


async def until_true(true: Callable[[], object]) -> None:
    async with asyncio.timeout(40):
        while not true():
            await asyncio.sleep(0.02)


def replies(stage: Stage) -> list[str]:
    return [shown(one) for one in stage.slack.messages("general") if one.bot_id]


async def test_killed_in_the_middle_of_an_answer_it_goes_on_in_the_same_messages() -> None:
    async with staged(platforms.settings()) as stage:
        await stage.until_ready()
        stage.emulator.pace = 0.05
        await stage.slack.say("ada", "general", "@bobbin Write 300 words about looms.")
        await stage.slack.wait_for(lambda: any("loom" in one for one in replies(stage)))
        await stage.bot.kill()
        assert (stage.bot.state, stage.ledger.is_busy) == (State.KILLED, True)
        before = len(replies(stage))
        await stage.bot.start()
        await stage.until_ready()
        assert stage.bot.life == 2
        await stage.ledger.idle()
        assert len(replies(stage)) == before
        [turn] = stage.ledger.turns()
        assert (turn.status, turn.shown, turn.attempt) == ("answered", True, 2)
        assert len(turn.answer.split()) == 300


async def test_on_discord_as_well_it_goes_on_in_the_same_messages() -> None:
    async with staged(platforms.settings()) as stage:
        await stage.until_ready()
        stage.emulator.pace = 0.05

        def answer() -> list[discord.Message]:
            places = stage.discord.threads("general")
            return [one for place in places for one in stage.discord.messages(place) if "loom" in discord.shown(one)]

        await stage.discord.say("ada", "general", "@bobbin Write 300 words about looms.")
        [begun, *_] = await stage.discord.wait_for(answer)
        await stage.bot.kill()
        await stage.bot.start()
        await stage.until_ready()
        await stage.ledger.idle()
        [turn] = stage.ledger.turns()
        assert (turn.status, turn.shown, turn.attempt) == ("answered", True, 2)
        assert answer()[0] is begun
        assert begun.edited
        assert turn.answer.split()[-1].strip("*") in discord.shown(answer()[-1])


async def test_what_is_set_for_a_place_is_told_with_the_place_that_set_it() -> None:
    async with staged(platforms.settings()) as stage:
        await stage.until_ready()
        await stage.slack.say("ada", "general", "@bobbin preset set brief")
        await until_true(lambda: stage.ledger.turns() and not stage.ledger.is_busy)
        [turn] = stage.ledger.turns()
        levels = {name: (value, place) for name, value, place in stage.levels(turn.layers, stage.ledger.presets())}
        assert levels["name"] == ("brief", turn.within[-1])
        assert levels["model"] == ("gpt-5.1", "default")


async def test_a_bot_that_can_not_start_says_why() -> None:
    said: list[Entry] = []
    bot = Bot({"PATH": os.environ["PATH"]}, ("run", "--no-sandbox"), heard=said.append)
    await bot.start()
    with pytest.raises(DidNotStart, match="TOKEN"):
        await bot.until_ready()
    assert bot.state is State.ENDED
    await bot.stop()
    assert said


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_it_ends_with_whoever_started_it(number: signal.Signals) -> None:
    process = await start("sandbox", "--terminal")
    try:
        await until(process.stdout, "Health ")
        children = children_of(process.pid)
        assert children
        process.send_signal(number)
        await until_true(lambda: not any(map(is_alive, children)))
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def children_of(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid: int) -> bool:
    """A zombie, which only waits for somebody to read its exit code, is not."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
