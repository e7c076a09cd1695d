"""A scenario that can't be played to its end is reported, and takes no other with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.bots import Process, Topology
from tests.faults.harm import Play, Scenario, nothing
from tests.faults.people import Wish
from tests.faults.play import Report
from tests.faults.run import run
from tests.faults.world import World

ONE_PROCESS = Topology("sqlite", "sqlite", (Process("bot"),))
NO_PROCESS = Topology("none", "sqlite", (Process("bot", variables={"BOBBIN_WEB__PORT": "many"}),))


async def slow(world: World, _play: Play) -> None:
    """What was waited for did not come in time, and the bot is left frozen."""
    world.bots[0].freeze()
    raise TimeoutError("what a slow machine brings about")


@pytest.mark.timeout(240)
async def test_the_others_are_played(tmp_path: Path) -> None:
    wanted = [Scenario(name, 0.5, Wish(2, 0), Wish(2, 0), harm) for name, harm in (("slow", slow), ("calm", nothing))]
    reports: list[Report] = []
    await run(ONE_PROCESS, wanted, 1, tmp_path, reports.append)
    assert [report.scenario for report in reports] == ["slow", "calm"]
    first, second = reports
    assert "TimeoutError: what a slow machine brings about in slow" in first.failure
    assert not first.is_well
    assert first.tallies["slack"].answered == 2  # counted all the same
    assert second.is_well
    assert second.tallies["slack"].answered == second.tallies["discord"].answered == 2


@pytest.mark.timeout(240)
async def test_a_bot_that_does_not_start_is_a_report_for_each(tmp_path: Path) -> None:
    wanted = [Scenario(name, 0.5, Wish(1, 0), Wish(1, 0), nothing) for name in ("one", "two")]
    reports: list[Report] = []
    await run(NO_PROCESS, wanted, 1, tmp_path, reports.append)
    assert [report.scenario for report in reports] == ["one", "two"]
    assert all("did not start" in report.failure and not report.is_well for report in reports)
