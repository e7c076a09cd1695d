"""What is done to bots while people ask: each harm goes on until they have asked all they wanted."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

from sandbox.replies import Reply
from sandbox.slack import Failure
from tests.faults.bounds import MENTIONS, endless, mentions, odd_values
from tests.faults.count import TOKEN
from tests.faults.machine import clock, disk
from tests.faults.moments import MOMENTS
from tests.faults.outage import outage
from tests.faults.people import LOOK, Crowd, Wish
from tests.faults.strange import absurd_waits, away, files, flood, odd_replies, unreadable
from tests.faults.tokens import tokens
from tests.faults.world import PACE, World, until

NOBODY = Wish(0, 0)  # asks beside what the harm itself has asked
HUNDRED = 100
SLOW = 3.0  # seconds between two pieces: such an answer takes two minutes
PATIENCE = 120.0  # seconds for that many answers to have begun, or to have gone on

Harm = Callable[[World, "Play"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """*seconds*: over how long people spread their questions."""

    name: str
    seconds: float
    slack: Wish
    discord: Wish
    harm: Harm
    least: int = 0  # acts of harm that there have to be
    needs_server: bool = False  # a PostgreSQL of ours
    needs_file: bool = False  # a database in one
    only_if_named: bool = False  # it takes long


class Play:
    """A scenario under way."""

    def __init__(self, scenario: Scenario, crowds: list[Crowd], seed: int) -> None:
        self.crowds = crowds
        self.random = random.Random(seed)  # noqa: S311 (nothing secret)
        self.is_over = asyncio.Event()  # people have asked all they wanted
        self.remarks: list[str] = []  # what is worth reading beside the figures
        self.failure = ""  # what kept the harm from being done to its end
        self._least = scenario.least
        self._acts = 0

    def goes_on(self) -> bool:
        """Is there time, or need, for one more act?"""
        self._acts += 1
        return self._acts <= self._least or not self.is_over.is_set()

    async def pause(self, least: float, most: float) -> None:
        await asyncio.sleep(self.random.uniform(least, most))


async def nothing(world: World, play: Play) -> None:
    """Nothing."""


async def kills(world: World, play: Play) -> None:
    """SIGKILL at random moments, and a start at once."""
    while play.goes_on():
        await play.pause(0.3, 2.5)
        await world.kill(play.random.choice(world.bots))


async def moments(world: World, play: Play) -> None:
    """SIGKILL at chosen moments of a turn, on each platform, with a short and a streaming answer."""
    for moment in MOMENTS:
        for crowd in play.crowds:
            if crowd.side.name in moment.platforms:
                await moment.strike(world, crowd)
                await world.mend()
        # What the next one holds up must not keep these waiting, kill after kill.
        await world.settled({asked.token for crowd in play.crowds for asked in crowd.asked})


async def hundred(world: World, play: Play) -> None:
    """SIGKILL of the one process that streams a hundred answers. The others go on with them, if there are any."""
    first, *others = world.bots
    await asyncio.gather(*(bot.stop() for bot in others))
    world.upstream.pace = SLOW  # else the first end before the others have started
    for number in range(HUNDRED):
        crowd = play.crowds[number % 10 != 0]  # a tenth on Slack, since a workspace is allowed 50 updates a minute
        _, one = await crowd.open(streaming=True)
        # One after another: on a slow machine a database of a hundred at once counts as away.
        await until(partial(world.storage.row, one.token), PATIENCE)
    asked = {one.token for crowd in play.crowds for one in crowd.asked}
    await until(lambda: not [row for row in world.storage.rows() if row.token in asked and row.status == "queued"])
    await asyncio.gather(*(world.start(bot) for bot in others))
    world.upstream.pace = PACE
    streaming = set(world.storage.streaming()) & asked  # on a slow machine, some are over by now
    heard = len(world.upstream.requests)
    world.did("kill")
    killed_at = time.monotonic()
    await first.kill()
    if not others:
        await world.start(first)
    await _all_gone_on(world, streaming, heard)
    play.remarks.append(f"all {len(streaming)} that streamed went on after {time.monotonic() - killed_at:.2f} s")
    await world.settled(asked)
    if others:
        await world.start(first)


async def _all_gone_on(world: World, tokens: set[str], heard: int) -> None:
    """Wait until the upstream, which had *heard* so much, was asked again for each of *tokens*, or that is over."""
    left = set(tokens)
    async with asyncio.timeout(PATIENCE):
        while left:
            for request in list(world.upstream.requests)[heard:]:
                left.difference_update(TOKEN.findall(str(request.body)))
            left -= {row.token for row in world.storage.rows() if row.status not in ("queued", "streaming")}
            await asyncio.sleep(4 * LOOK)


async def freezes(world: World, play: Play) -> None:
    """SIGSTOP for a while, and SIGCONT: longer than an acknowledgement may take, or a heartbeat."""
    while play.goes_on():
        await play.pause(0.5, 2)
        bot = play.random.choice(world.bots)
        bot.freeze()
        await play.pause(1, 9 if len(world.bots) > 1 else 5)
        world.did("thaw")
        bot.thaw()


async def deliveries(world: World, play: Play) -> None:
    """Everything is delivered three times, mentions come before messages, acknowledgements get lost, sockets drop."""
    world.slack.faults.redeliver = 2
    world.slack.faults.mention_first = True
    while play.goes_on():
        world.slack.faults.lose_acks += 3
        await play.pause(1, 2)
        world.did("drop")
        if play.random.random() < 0.5:
            world.slack.drop_sockets()
        else:
            world.discord.gateway.drop(resumable=True)


async def refusals(world: World, play: Play) -> None:
    """Storms of 429 and 5xx from the platforms."""
    posts = ("POST /channels/{channel_id}/messages", "PATCH /channels/{channel_id}/messages/{message_id}")
    while play.goes_on():
        for method in ("chat.postMessage", "chat.update"):
            world.slack.faults.rate_limit(method, times=play.random.randint(1, 4))
            world.slack.faults.fail(method, Failure(status=503), times=play.random.randint(1, 4))
            world.slack.faults.fail(method, Failure(error="internal_error"), times=play.random.randint(0, 2))
        for route in posts:
            world.discord.faults.next_calls(route, status=429, retry_after=0.5, times=play.random.randint(1, 4))
            world.discord.faults.next_calls(route, status=play.random.choice((500, 503)), times=3)
        world.did("storm")
        await play.pause(2, 4)


async def bad_upstream(world: World, play: Play) -> None:
    """27 % of the questions meet a 5xx, 10 % of the answers are cut, 5 % of the ids are unknown."""
    world.upstream.faults.read("busy@0.09,chat_error@0.09,html@0.09,cut=1@0.1,expired@0.05")


async def no_upstream(world: World, play: Play) -> None:
    """Every question is refused."""
    world.upstream.faults.set("chat_error")


async def cuts(world: World, play: Play) -> None:
    """The network between the bots and one of the others is gone for a while, or hangs; or the platforms' file hosts."""
    while play.goes_on():
        await play.pause(0.5, 1.5)
        name = play.random.choice(["files", *sorted(world.wires)])
        if name == "files":
            world.serve_files(Reply(503))
            await play.pause(0.5, 3)
            world.did("cut files")
            world.serve_files()
            continue
        wire = world.wires[name]
        if play.random.random() < 0.7:
            wire.cut()
        else:
            wire.hold_what_the_bot_hears()
        await play.pause(0.5, 3)
        world.did(f"cut {name}")
        wire.mend()


async def restarts(world: World, play: Play) -> None:
    """The database server is restarted."""
    assert world.server
    while play.goes_on():
        await play.pause(1, 3)
        world.did("database")
        await world.server.restart()


async def mixture(world: World, play: Play) -> None:
    """All of it at random."""
    world.slack.faults.redeliver = 1
    world.slack.faults.mention_first = True
    world.upstream.faults.read("cut=1@0.05,expired@0.05")
    while play.goes_on():
        match play.random.randrange(4):
            case 0 | 1:
                await play.pause(0.2, 1.5)
                await world.kill(play.random.choice(world.bots))
            case 2:
                wire = world.wires[play.random.choice(sorted(world.wires))]
                wire.cut()
                await play.pause(0.3, 1.5)
                world.did("cut")
                wire.mend()
            case _:
                bot = play.random.choice(world.bots)
                bot.freeze()
                await play.pause(0.5, 3)
                world.did("thaw")
                bot.thaw()


def scenarios(share: float = 1.0) -> list[Scenario]:
    """Every scenario, with that share of its questions: the whole is some 1,000. Discord's answers stream more, since
    Slack allows 50 updates a minute in a workspace."""

    def some(slack: int, discord: int) -> tuple[Wish, Wish]:
        return Wish(max(1, round(slack * share)), 12), Wish(max(1, round(discord * share)), 50)

    def stopping(slack: int, discord: int) -> tuple[Wish, Wish]:
        one, other = some(slack, discord)
        return replace(one, streaming=70, stopping=50), replace(other, streaming=70, stopping=50)

    def with_files(slack: int, discord: int) -> tuple[Wish, Wish]:
        one, other = some(slack, discord)
        return replace(one, with_file=80), replace(other, with_file=80)

    return [
        Scenario("calm", 8 * share, *some(30, 50), nothing),
        Scenario("kills", 26 * share, *some(85, 125), kills, least=round(16 * share) or 2),
        Scenario("stops", 12 * share, *stopping(40, 60), kills, least=4),
        Scenario("moments", 0, NOBODY, NOBODY, moments),
        Scenario("hundred", 0, NOBODY, NOBODY, hundred),
        Scenario("freezes", 10 * share, *some(40, 60), freezes, least=2),
        Scenario("deliveries", 12 * share, *some(60, 60), deliveries, least=2),
        Scenario("refusals", 6 * share, *some(25, 40), refusals, least=2),
        Scenario("bad upstream", 10 * share, *some(40, 70), bad_upstream),
        Scenario("cuts", 13 * share, *some(40, 60), cuts, least=4),
        Scenario("restarts", 12 * share, *some(30, 30), restarts, least=3, needs_server=True),
        Scenario("unreadable", 10 * share, *some(30, 40), unreadable, least=2),
        Scenario("files", 15 * share, *with_files(40, 60), files, least=6),
        Scenario("odd replies", 0, NOBODY, NOBODY, odd_replies),
        Scenario("absurd waits", 0, NOBODY, NOBODY, absurd_waits),
        Scenario("flood", 4 * share, *some(20, 20), flood, least=2),
        Scenario("tokens", 0, NOBODY, NOBODY, tokens),
        Scenario("endless", 0, NOBODY, NOBODY, endless),
        Scenario("odd values", 0, NOBODY, NOBODY, odd_values),
        Scenario("disk", 0, NOBODY, NOBODY, disk, needs_file=True),
        Scenario("clock", 0, NOBODY, NOBODY, clock),
        Scenario("mixture", 20 * share, *some(60, 90), mixture, least=round(12 * share) or 2),
        Scenario("mentions", 0, NOBODY, NOBODY, mentions(round(MENTIONS * share)), needs_file=True),
        # The last one: it leaves people told for a while, since the bot does not hammer a service that was down.
        Scenario("no upstream", 3 * share, *some(10, 20), no_upstream),
        Scenario("outage", 0, NOBODY, NOBODY, outage, only_if_named=True),
        Scenario("away", 0, NOBODY, NOBODY, away, only_if_named=True),
    ]
