"""What people read of an answer is told apart from the small print, and what went wrong is read wherever it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.bots import Process, Topology
from tests.faults.harm import Play, Scenario
from tests.faults.people import Wish, is_ended
from tests.faults.play import play
from tests.faults.world import World, opened, until

ONE_PROCESS = Topology("sqlite", "sqlite", (Process("bot"),))


async def cut(world: World, playing: Play) -> None:
    """The answer breaks off after some words that people have read."""
    world.upstream.faults.read("cut=9@1")
    for crowd in playing.crowds:
        place, asked = await crowd.open(streaming=True)
        await until(lambda: is_ended(asked, crowd.side.texts(place)))  # noqa: B023 (awaited here)


@pytest.mark.timeout(240)
async def test_what_went_wrong_is_read_below_what_had_come(tmp_path: Path) -> None:
    async with opened(ONE_PROCESS, tmp_path) as world:
        report = await play(world, Scenario("cut", 0, Wish(0, 0), Wish(0, 0), cut), seed=1)
    assert report.is_well, report
    assert [tally.told for tally in report.tallies.values()] == [1, 1], report
