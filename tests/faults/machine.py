"""The machine beneath: a full disk, a database's file that is gone, a clock that jumps."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.faults.people import is_ended
from tests.faults.world import World, until, until_told, until_well

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.harm import Play

AHEAD = 2 * 86_400.0  # seconds


async def disk(world: World, play: Play) -> None:
    """Nothing can be written any more; then the database's file is gone. Either is told, and nothing is lost by it."""
    await full_disk(world, play)
    await no_file(world, play)


async def full_disk(world: World, play: Play) -> None:
    (bot,) = world.bots
    await _without(world, play, "a full disk", bot.write_nothing, bot.write_again)


async def no_file(world: World, play: Play) -> None:
    file, away = world.storage.file, world.storage.file.with_name("elsewhere.db")
    await _without(world, play, "no file", lambda: file.rename(away), lambda: away.rename(file))


async def _without(world: World, play: Play, what: str, take: Callable[[], object], give: Callable[[], object]) -> None:
    take()
    world.did(what)
    began = time.monotonic()
    # Slack brings it again; whom Discord doesn't bring it again is told at once.
    asked = [(crowd, *await crowd.open(streaming=False)) for crowd in play.crowds if crowd.side.name == "slack"]
    try:
        await until_told(world, "database")
        told = time.monotonic() - began
    finally:
        give()
    restored = time.monotonic()
    await until_well(world)
    asked += [(crowd, *await crowd.open(streaming=False)) for crowd in play.crowds]
    for crowd, place, one in asked:
        await until(lambda: is_ended(one, crowd.side.texts(place)), 90)  # noqa: B023 (awaited here)
    play.remarks.append(
        f"{what}: /readyz told after {told:.1f} s; all that was asked is answered {time.monotonic() - restored:.1f} s "
        "after it was back"
    )


async def clock(world: World, play: Play) -> None:
    """The bot's clock is two days ahead of Slack's, then behind it: what is new is not taken for old."""
    for seconds in (AHEAD, -AHEAD):
        world.slack.turn_clock_back(seconds)
        world.did("clock")
        crowd = next(one for one in play.crowds if one.side.name == "slack")
        place, asked = await crowd.open(streaming=False)
        await until(lambda: is_ended(asked, crowd.side.texts(place)))  # noqa: B023 (awaited here)
        world.slack.turn_clock_back(0)
