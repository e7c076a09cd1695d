"""The whole bot, several of them: what people command is obeyed once."""

from __future__ import annotations

from typing import Any

from sandbox.discord import payloads
from sandbox.discord.world import Event
from sandbox.slack import shown
from sandbox.upstream import Emulator

PATIENCE = 20.0  # seconds
# How many messages there are by then: Discord's thread begins below the question, and its starter is none of them.
AFTER_TELLING = {"slack": 6, "discord": 4}


async def test_a_command_that_two_processes_hear_of_at_once_is_obeyed_once(
    running: Any, local_slack: Any, postgres_url: str, emulator: Emulator
) -> None:
    """A mention comes as two events, to two sockets; and each comes again."""
    local_slack.faults.redeliver = 2
    async with running(postgres_url, "slack") as one, running(postgres_url, "slack") as other:
        root = await local_slack.say("ada", "general", "@bobbin say exactly: tea")
        await local_slack.wait_for(lambda: _said(local_slack, root) == ["tea"], PATIENCE)
        await local_slack.say("ada", "general", "@bobbin retry", root.ts)
        await local_slack.wait_for(lambda: len(_said(local_slack, root)) == 2 and not local_slack.under_way, PATIENCE)
        for bobbin in (one, other):
            await bobbin.idle()
        assert len(_said(local_slack, root)) == 2
    assert len(emulator.requests) == 2


def _said(local_slack: Any, root: Any) -> list[str]:
    return [shown(one) for one in local_slack.messages(root.channel, root.ts) if one.bot_id == local_slack.bot_id]


async def test_a_reset_that_comes_again_after_a_restart_forgets_nothing(
    running: Any, side: Any, sqlite_url: str
) -> None:
    """By a word on the one platform, by a slash command on the other."""
    async with running(sqlite_url, side.name) as bobbin:
        thread = await side.open(1, "say exactly: hello")
        await side.until(lambda: (True, "hello") in side.said(thread))
        await side.command(thread, "reset")
        await side.until(lambda: any("starts a new one" in text for _, text in side.said(thread)))
        await bobbin.idle()
    async with running(sqlite_url, side.name) as bobbin:
        await side.ask(thread, "My favourite colour is teal.")
        await side.until(lambda: len(side.said(thread)) >= AFTER_TELLING[side.name])
        await bobbin.idle()
        await _bring_again(side)
        await side.ask(thread, "What is my favourite colour?")
        await side.until(lambda: (True, "Your favourite colour is teal.") in side.said(thread)[-1:])


async def _bring_again(side: Any) -> None:
    """What the platform brought of the reset, as if it had not been acknowledged."""
    if side.name == "slack":
        events = [one.parcel.payload for one in side.local.deliveries if "reset" in str(one.parcel.payload)]
        for event in events:
            side.local._deliveries.send(event)
        await side.until(lambda: not side.local.under_way)
        return
    (reset,) = side.local.interactions
    world = side.local.world
    world.tell_gateway(Event("INTERACTION_CREATE", payloads.interaction_json(world, reset), in_guild=True))
    after = await side.local.slash("ben", reset.channel, "help")  # whatever came before it is done
    await side.until(lambda: after.answered)


async def test_each_ask_in_a_discord_channel_remembers_its_own_and_waits_for_no_other(
    running: Any, local_discord: Any, sqlite_url: str, emulator: Emulator
) -> None:
    def said() -> list[str]:
        return [one.content for one in local_discord.messages("general") if one.author.is_bot]

    async with running(sqlite_url, "discord", shutdown_grace=0):
        asked = await local_discord.slash("ada", "general", "ask", question="My favourite colour is teal.")
        await local_discord.wait_for(lambda: "teal" in "".join(said()) and "Noted" in "".join(said()), PATIENCE)
        emulator.first_delay = 2 * PATIENCE
        await local_discord.slash("ada", "general", "ask", question="say exactly: slow")
        await local_discord.wait_for(lambda: len(emulator.requests) == 2 and emulator.requests[-1].body, PATIENCE)
        emulator.first_delay = 0
        await local_discord.slash("ben", "general", "ask", question="What is my favourite colour?")
        await local_discord.say("ben", "general", "What is my favourite colour?", reply_to=asked.response)
        await local_discord.wait_for(lambda: "Your favourite colour is teal." in said(), PATIENCE)
        await local_discord.wait_for(lambda: any("colour?" in one for one in said()), PATIENCE)
        (other,) = [one for one in said() if "colour?" in one]
        assert "teal" not in other
        assert "slow" not in "".join(one.replace("> say exactly: slow", "") for one in said())
