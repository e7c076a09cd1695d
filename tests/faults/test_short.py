"""The bot, as a process that is killed again and again while people ask: nothing is lost, doubled or out of order."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.bots import Process, Topology
from tests.faults.bounds import ended_meanwhile, mentions, much_at_once, odd_values
from tests.faults.harm import Harm, Play, Scenario, deliveries, kills
from tests.faults.machine import clock, full_disk, no_file
from tests.faults.moments import Strike, overtaken, told_not_recorded
from tests.faults.people import Wish
from tests.faults.play import Report, play
from tests.faults.strange import files
from tests.faults.tokens import platforms_refuse, upstream_refuses
from tests.faults.world import World, opened

ONE_PROCESS = Topology("sqlite", "sqlite", (Process("bot", variables={"BOBBIN_SHUTDOWN_GRACE": "2"}),))
NOBODY = Wish(0, 0)  # who asks beside what the harm itself has asked


@pytest.mark.timeout(240)
async def test_killed_again_and_again_it_answers_everything_once_and_in_order(tmp_path: Path) -> None:
    killed = Scenario("kills", 4, Wish(12, 12), Wish(12, 50), kills, least=3)
    delivered = Scenario("deliveries", 2, Wish(12, 0), Wish(4, 50), deliveries, least=1)
    async with opened(ONE_PROCESS, tmp_path) as world:
        reports = [await play(world, scenario, seed=1) for scenario in (killed, delivered)]
        assert [await bot.stop() for bot in world.bots] == [0]
    for report in reports:
        for tally in report.tallies.values():
            assert tally.is_well, tally.details
    assert [report.tallies["slack"].answered for report in reports] == [12, 12]  # Slack brings again what was missed
    assert reports[1].tallies["discord"].answered == 4
    assert reports[0].harm["kill"] >= 3


@pytest.mark.timeout(240)
async def test_what_people_stop_ends_once_and_says_so_whoever_dies_meanwhile(tmp_path: Path) -> None:
    stopped = Scenario("stops", 2, Wish(4, 100, 80), Wish(4, 100, 80), kills, least=1)
    async with opened(ONE_PROCESS, tmp_path) as world:
        world.upstream.pace *= 4  # on a slow machine, an answer must not end before somebody stops it
        report = await play(world, stopped, seed=1)
    assert report.is_well, report
    assert sum(tally.stopped for tally in report.tallies.values())


@pytest.mark.timeout(240)
async def test_a_file_is_read_or_it_is_said_that_it_was_not(tmp_path: Path) -> None:
    asked = Wish(6, 30, with_file=100)
    async with opened(ONE_PROCESS, tmp_path) as world:
        report = await play(world, Scenario("files", 2, asked, asked, files, least=3), seed=1)
    assert report.is_well, report
    for tally in report.tallies.values():
        assert tally.answered + tally.without == tally.files == 6, report


@pytest.mark.timeout(240)
async def test_what_is_not_recorded_is_not_acknowledged(tmp_path: Path) -> None:
    report = await played(tmp_path, on("slack", told_not_recorded))
    assert report.is_well, report
    assert report.tallies["slack"].answered == 1


@pytest.mark.timeout(240)
async def test_who_was_overtaken_while_frozen_writes_no_more(tmp_path: Path) -> None:
    report = await played(tmp_path, on("discord", overtaken))
    assert report.is_well, report
    assert report.tallies["discord"].answered == 1


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("harm", "answered"),
    [
        pytest.param(lambda world, playing: platforms_refuse(world, playing, "discord"), 2, id="a platform's token"),
        pytest.param(upstream_refuses, 2, id="the upstream's token"),
        pytest.param(much_at_once, 2, id="a huge answer"),
        pytest.param(ended_meanwhile, 2, id="an answer without end"),
        pytest.param(mentions(60), 22, id="mentions"),
        pytest.param(odd_values, 16, id="odd values"),
        pytest.param(full_disk, 3, id="a full disk"),
        pytest.param(no_file, 3, id="no file"),
        pytest.param(clock, 2, id="clock"),
    ],
)
async def test_what_is_too_much_or_away_takes_nothing_else_along(tmp_path: Path, harm: Harm, answered: int) -> None:
    report = await played(tmp_path, harm)
    assert report.is_well, report
    assert sum(tally.answered for tally in report.tallies.values()) >= answered


async def played(folder: Path, harm: Harm) -> Report:
    async with opened(ONE_PROCESS, folder) as world:
        return await play(world, Scenario("short", 0, NOBODY, NOBODY, harm), seed=1)


def on(platform: str, strike: Strike) -> Harm:
    async def harm(world: World, playing: Play) -> None:
        await strike(world, next(crowd for crowd in playing.crowds if crowd.side.name == platform))

    return harm
