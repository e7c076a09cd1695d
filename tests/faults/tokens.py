"""Tokens are revoked while the bot runs, and given back: it says so, and goes on with what was asked meanwhile."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.faults.people import is_ended
from tests.faults.world import World, until, until_told, until_well

if TYPE_CHECKING:
    from tests.faults.harm import Play


async def tokens(world: World, play: Play) -> None:
    """Slack and Discord refuse the bot, then the AI service does. People ask all the while."""
    await platforms_refuse(world, play, "slack", "discord")
    await upstream_refuses(world, play)


async def platforms_refuse(world: World, play: Play, *names: str) -> None:
    """The bot's tokens on the platforms of these *names* are revoked, and given back when it has said so."""
    owners: dict[str, tuple[object, str]] = {
        "slack": (world.slack.installation, "bot_token"),
        "discord": (world.discord.world, "token"),
    }
    good = {name: getattr(*owners[name]) for name in names}
    for name in names:
        setattr(*owners[name], "revoked")
    if "discord" in names:
        world.discord.gateway.drop(resumable=False)  # Slack leaves the sockets open
    world.did("platforms' tokens")
    began = time.monotonic()
    asked = [(crowd, *await crowd.open(streaming=False)) for crowd in play.crowds]
    await until_told(world, *names)
    told, restored = time.monotonic() - began, time.monotonic()
    for name in names:
        setattr(*owners[name], good[name])
    await until_well(world)
    well = time.monotonic() - restored
    for crowd, place, one in asked:
        await until(lambda: is_ended(one, crowd.side.texts(place)))  # noqa: B023 (awaited here)
    play.remarks.append(
        f"tokens on {' and '.join(names)}: /readyz told after {told:.1f} s; well {well:.1f} s after they were restored, "
        f"and what was asked meanwhile answered after {time.monotonic() - restored:.1f} s"
    )


async def upstream_refuses(world: World, play: Play) -> None:
    """The AI service refuses every token, until the bot has said so."""
    world.upstream.faults.set("invalid_token")
    world.did("upstream's tokens")
    began = time.monotonic()
    for crowd in play.crowds:
        place, one = await crowd.open(streaming=False)
        await until(lambda: is_ended(one, crowd.side.texts(place)))  # noqa: B023 (awaited here)
    await until_told(world, "upstream")
    told, restored = time.monotonic() - began, time.monotonic()
    world.upstream.faults.clear()
    await until_well(world)
    for crowd in play.crowds:
        place, one = await crowd.open(streaming=False)
        await until(lambda: one.is_answered_by(crowd.side.texts(place)))  # noqa: B023 (awaited here)
    play.remarks.append(
        f"the AI service's tokens: /readyz told after {told:.1f} s; answered again {time.monotonic() - restored:.1f} s "
        "after they were restored"
    )
