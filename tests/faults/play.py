"""Plays scenarios in a world, and reports what became of the questions."""

from __future__ import annotations

import asyncio
import bisect
import statistics
import time
import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from tests.faults.count import Tally, tally
from tests.faults.harm import Play, Scenario
from tests.faults.people import Crowd, Side
from tests.faults.world import Act, World, Written, conversations


@dataclass(frozen=True, slots=True)
class Recovery:
    """How soon each answer that was under way went on after a harm, in seconds: of each harm, its slowest one.

    A start is part of it, and so is a platform's pace, and further harm.
    """

    times: int
    median: float
    longest: float


@dataclass(frozen=True, slots=True)
class Report:
    """What came of one scenario."""

    scenario: str
    tallies: dict[str, Tally]  # by platform
    harm: dict[str, int]  # what was done, how often
    recovery: Recovery
    seconds_to_settle: float  # after the last harm
    seconds: float
    remarks: list[str]
    failure: str = ""  # what kept it from being played to its end

    @property
    def is_well(self) -> bool:
        return not self.failure and all(one.is_well and not one.unheard for one in self.tallies.values())

    def as_json(self) -> dict[str, object]:
        return asdict(self) | {"is_well": self.is_well}


def failed(scenario: Scenario, error: Exception) -> Report:
    """Report what could not be counted."""
    return Report(scenario.name, {}, {}, Recovery(0, 0.0, 0.0), 0.0, 0.0, [], told(error))


async def play(world: World, scenario: Scenario, seed: int) -> Report:
    """Have people ask while harm is done, let all come to its end, and count.

    When the harm can't be done to its end, that is reported as its failure, and counted is all the same.
    """
    began, acts_before = time.monotonic(), len(world.harm)
    crowds = [
        Crowd(side, getattr(scenario, side.name), scenario.seconds, seed + number)
        for number, side in enumerate(world.sides)
    ]
    known = {seen.thread for side in world.sides for seen in side.seen()}
    playing = Play(scenario, crowds, seed)
    async with asyncio.TaskGroup() as tasks:
        harming = tasks.create_task(_harm(world, scenario, playing))
        await asyncio.gather(*(crowd.ask_all() for crowd in crowds))
        playing.is_over.set()
        await harming
    if playing.failure:
        await world.mend()
        await world.revive()  # it may have left bots frozen, or ended
    to_settle = await world.settled({asked.token for crowd in crowds for asked in crowd.asked})
    harm = world.harm[acts_before:]
    await world.mend()
    return Report(
        scenario.name,
        {crowd.side.name: _count(world, crowd, crowd.side, known) for crowd in crowds},
        dict(Counter(act.what for act in harm)),
        recovery(harm, world.written, {asked.token: asked.thread for crowd in crowds for asked in crowd.asked}),
        round(to_settle, 1),
        round(time.monotonic() - began, 1),
        playing.remarks,
        playing.failure,
    )


def told(error: BaseException) -> str:
    """Say what failed, and where: of a group, the first of it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "faults" in frame.filename] or frames
    where = f" in {ours[-1].name}, line {ours[-1].lineno}" if ours else ""
    return f"{type(error).__name__}: {error}{where}"


async def _harm(world: World, scenario: Scenario, playing: Play) -> None:
    try:
        await scenario.harm(world, playing)
    except Exception as error:  # noqa: BLE001  # the others are to be played, whatever it is
        playing.failure = told(error)
    await playing.is_over.wait()
    if scenario.name not in KEPT_TO_THE_END:
        await world.mend()


# What is done to the upstream has to last until it has heard everything.
KEPT_TO_THE_END = frozenset({"bad upstream", "no upstream"})


def _count(world: World, crowd: Crowd, side: Side, known: set[str]) -> Tally:
    mine = {asked.thread for asked in crowd.asked}
    seen = [message for message in side.seen() if message.thread in mine or message.thread not in known]
    return tally(crowd.asked, seen, world.storage.recorded(), conversations(world.upstream))


def recovery(harm: Sequence[Act], written: Sequence[Written], threads: Mapping[str, str]) -> Recovery:
    """*written* comes in order; *threads* of the questions, by token. Harm that met nobody at work is not counted."""
    waits = [wait for act in harm if (wait := _wait(act, written, {threads.get(token) for token in act.streaming}))]
    if not waits:
        return Recovery(0, 0.0, 0.0)
    return Recovery(len(waits), round(statistics.median(waits), 2), round(max(waits), 2))


def _wait(act: Act, written: Sequence[Written], threads: set[str | None]) -> float:
    first: dict[str, float] = {}
    for one in written[bisect.bisect(written, act.at, key=lambda one: one.at) :]:
        if one.thread in threads:
            first.setdefault(one.thread, one.at)
    return max(first.values()) - act.at if first else 0.0
