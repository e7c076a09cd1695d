"""Bots between local platforms, an emulated upstream and a database, with wires of ours to all of them."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, NullPool, case, create_engine, delete, select, update
from sqlalchemy.exc import DBAPIError

from bots.discord.identify_budget import STARTS_NOTE
from bots.slack.manifest import EVENTS, SCOPES
from core.storage.tables import notes, turns
from sandbox.discord import LocalDiscord
from sandbox.replies import Reply
from sandbox.slack import LocalSlack
from sandbox.stage import variables as to_join
from sandbox.upstream import Emulator
from tests.faults.bots import Bot, Topology
from tests.faults.count import SAYS_SO, TOKEN, Recorded
from tests.faults.people import LOOK, DiscordSide, Side, SlackSide
from tests.faults.wire import Wire, wire_to
from tests.postgresql import start

PACE = 0.03  # seconds between two pieces of an answer
TOKENS = 5  # of the upstream; it takes 20 questions at once for each
RETRY_SECONDS = (0.5, 1, 2, 4, 8, 16, 32, 64, 128)  # Slack waits for minutes; here nobody is away for longer than this
CATCHING_UP = 30.0  # seconds in which a bot should have found what was said while it was away
NOTICED_WITHIN = 100.0  # seconds: what nobody meets is looked at every minute
PATIENCE = 150.0  # seconds, after all harm, for everything to come to its end

# Has everybody else wait who would write.
_HOLD = {
    "sqlite": ["BEGIN IMMEDIATE"],
    "postgresql": ["SET LOCAL lock_timeout = '5s'", "LOCK TABLE turns IN EXCLUSIVE MODE"],
}


@dataclass(frozen=True, slots=True)
class Row:
    """A turn of ours in the ledger."""

    token: str
    status: str
    problem: str
    reference: str
    reply: str
    shown: bool
    hint: str  # what Bobbin answered by itself

    @property
    def is_stopped(self) -> bool:
        return self.status == "stopped"

    @property
    def is_refused(self) -> bool:
        return "open with me" in self.hint or "open in this thread" in self.hint


def _token(question: str) -> str:
    """Empty where there is none: what the database refuses is recorded without its words."""
    return next(iter(TOKEN.findall(question)), "")


class Storage:
    """The database, looked at from outside."""

    def __init__(self, engine: Engine, file: Path) -> None:
        """*file* is where it is, if it is in one."""
        self._engine = engine
        self.file = file

    def rows(self, *where: ColumnElement[bool]) -> list[Row]:
        """Every turn, in the order of acceptance. Empty while there is no database."""
        by_itself = case((turns.c.model == "", turns.c.answer), else_="")
        columns = (
            *(turns.c.question, turns.c.status, turns.c.problem, turns.c.reference, turns.c.reply, turns.c.shown),
            by_itself,
        )
        try:
            with self._engine.connect() as connection:
                found = connection.execute(select(*columns).where(*where).order_by(turns.c.id)).all()
        except DBAPIError:
            return []
        return [Row(_token(question), *rest) for question, *rest in found]

    def streaming(self) -> list[str]:
        """The tokens of what is being answered."""
        return [row.token for row in self.rows(turns.c.status == "streaming")]

    def row(self, token: str) -> Row | None:
        return next(iter(self.rows(turns.c.question.contains(token))), None)

    @contextlib.contextmanager
    def held(self) -> Iterator[Connection]:
        """Let nobody else write while the context lasts; everybody may read. Raises DBAPIError if somebody is at it."""
        with self._engine.connect() as connection:
            for statement in _HOLD[self._engine.dialect.name]:
                connection.exec_driver_sql(statement)
            yield connection
            connection.rollback()

    def overtake(self, token: str) -> bool:
        """Take a turn on, as another process would; return False if somebody was writing just then."""
        taken = update(turns).where(turns.c.question.contains(token)).values(attempt=turns.c.attempt + 1)
        try:
            with self.held() as connection:
                connection.execute(taken)
                connection.commit()
        except DBAPIError:
            return False
        return True

    def recorded(self) -> list[Recorded]:
        return [
            Recorded(
                *(row.token, row.problem or row.hint or (SAYS_SO if row.is_stopped else ""), row.reference, row.shown),
                is_refused=row.is_refused,
                is_stopped=row.is_stopped,
            )
            for row in self.rows()
        ]

    def forget_starts(self) -> None:
        """Rightly, a bot that was started twenty times in an hour waits before it calls on Discord again."""
        with contextlib.suppress(DBAPIError), self._engine.begin() as connection:
            connection.execute(delete(notes).where(notes.c.name.startswith(STARTS_NOTE)))


@dataclass(frozen=True, slots=True)
class Act:
    """Something that was done to a bot, or the end of it. Times are in seconds on the monotonic clock."""

    what: str
    at: float
    streaming: list[str]  # the tokens of what was being answered then


@dataclass(frozen=True, slots=True)
class Written:
    thread: str
    at: float


class World:
    """All of it, and what is done to it."""

    def __init__(
        self, slack: LocalSlack, discord: LocalDiscord, upstream: Emulator, storage: Storage, wires: dict[str, Wire]
    ) -> None:
        self.slack, self.discord, self.upstream, self.storage = slack, discord, upstream, storage
        self.sides: list[Side] = [SlackSide(slack), DiscordSide(discord)]
        self.wires = wires
        self.bots: list[Bot] = []
        self.server: Server | None = None  # PostgreSQL, where it is ours to restart
        self.harm: list[Act] = []
        self.written: list[Written] = []

    def did(self, what: str) -> None:
        self.harm.append(Act(what, time.monotonic(), self.storage.streaming()))

    async def start(self, bot: Bot) -> None:
        self.storage.forget_starts()
        await bot.start()

    async def kill(self, bot: Bot, what: str = "kill") -> None:
        """Kill it in the middle of whatever it does, and start it again."""
        self.did(what)
        await bot.kill()
        for wire in self.wires.values():
            wire.lose()
        await self.start(bot)

    async def revive(self) -> None:
        """Start what does not run, and thaw what is frozen."""
        for bot in self.bots:
            if bot.is_running:
                bot.thaw()
            else:
                await self.start(bot)

    def serve_files(self, instead: Reply | None = None) -> None:
        """Have both platforms hand out the files that people sent; or for each of them something else *instead*."""
        self.slack.faults.file = self.discord.world.faults.file = instead

    async def mend(self) -> None:
        """Let all be well again."""
        for wire in self.wires.values():
            wire.mend()
        self.upstream.faults.clear()
        self.upstream.pace = PACE
        self.slack.faults.clear()
        self.slack.faults.redeliver = self.slack.faults.lose_acks = 0
        self.slack.faults.mention_first = False
        self.discord.faults.clear()

    async def settled(self, tokens: set[str], patience: float = PATIENCE) -> float:
        """Wait until nothing is left to do; return how long that took, in seconds."""
        began = time.monotonic()
        while time.monotonic() < began + patience:
            rows = [row for row in self.storage.rows() if row.token in tokens]
            is_heard = len(rows) == len(tokens) or time.monotonic() > began + CATCHING_UP
            if is_heard and all(row.shown for row in rows) and not self.slack.under_way:
                break
            await asyncio.sleep(4 * LOOK)
        return time.monotonic() - began

    async def watch(self) -> None:
        """Keep book of when the bot wrote something, until cancelled."""

        async def watch(side: Side) -> None:
            async for thread in side.written():
                self.written.append(Written(thread, time.monotonic()))

        async with asyncio.TaskGroup() as tasks:
            for side in self.sides:
                tasks.create_task(watch(side))


async def until(true: Callable[[], Any], seconds: float = 60.0) -> None:
    """Wait for a condition. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(LOOK / 5)


async def until_told(world: World, *parts: str) -> None:
    """Wait until each of *parts* is named by the readiness page of a bot: that which met the trouble. Raises TimeoutError."""
    async with asyncio.timeout(NOTICED_WITHIN):
        while True:
            told = [name for bot in world.bots for name in await bot.troubles_told()]
            if all(any(name.startswith(part) for name in told) for part in parts):
                return
            await asyncio.sleep(4 * LOOK)


async def until_well(world: World) -> None:
    """Wait until every bot says that it is ready. Raises TimeoutError."""
    async with asyncio.timeout(NOTICED_WITHIN):
        for bot in world.bots:
            while await bot.troubles_told():
                await asyncio.sleep(4 * LOOK)


class Server:
    """A PostgreSQL of ours."""

    def __init__(self, folder: Path) -> None:
        self._server = start(folder)

    @property
    def socket(self) -> str:
        return str(self._server.get_postmaster_info().socket_path)

    @property
    def url(self) -> str:
        return str(self._server.get_uri(driver="psycopg"))

    async def restart(self) -> None:
        await asyncio.to_thread(self._server.stop)
        await asyncio.to_thread(self._server.ensure_postgres_running)

    def close(self) -> None:
        self._server.cleanup()


@asynccontextmanager
async def opened(topology: Topology, folder: Path) -> AsyncIterator[World]:
    """A world in which the bots of *topology* run; logs and an SQLite database are in *folder*."""
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(
            LocalSlack(scopes=SCOPES, events=EVENTS, retry_seconds=RETRY_SECONDS, rate_limits=topology.slack_limits)
        )
        discord = await stack.enter_async_context(LocalDiscord())
        upstream = await stack.enter_async_context(Emulator(pace=PACE))
        wires = {
            "slack": await stack.enter_async_context(wire_to(_port(slack.api_url))),
            "discord": await stack.enter_async_context(wire_to(_port(discord.api_url))),
            "upstream": await stack.enter_async_context(wire_to(_port(upstream.url))),
        }
        # Both hand out addresses of their own, for sockets, gateways and files; those have to be the wires' as well.
        slack._platform.origin = slack._events.origin = f"http://127.0.0.1:{wires['slack'].port}"
        discord.world.base_url = f"http://127.0.0.1:{wires['discord'].port}"
        server, file = None, folder / "bobbin.db"
        bots_url = f"sqlite:///{file}"
        engines_url = f"sqlite:///file:{file}?mode=rw&uri=true"  # which makes no file where there is none
        if topology.database == "postgres":
            server = await asyncio.to_thread(Server, folder / "postgres")
            stack.callback(server.close)
            reach = server  # for the type checker: it is there
            wires["database"] = await stack.enter_async_context(
                Wire(lambda: asyncio.open_unix_connection(reach.socket))
            )
            engines_url, bots_url = server.url, f"postgresql://postgres@127.0.0.1:{wires['database'].port}/postgres"
        engine = create_engine(engines_url, poolclass=NullPool)
        world = World(slack, discord, upstream, Storage(engine, file), wires)
        world.server = server
        variables = {
            "BOBBIN_UPSTREAM__URL": f"http://127.0.0.1:{wires['upstream'].port}",
            "BOBBIN_UPSTREAM__TOKENS": ",".join(f"emulated-{number}" for number in range(TOKENS)),
            "BOBBIN_UPSTREAM__IDLE_TIMEOUT": "10",
            "BOBBIN_DATABASE__URL": bots_url,
            "BOBBIN_SECRET_KEY": base64.urlsafe_b64encode(bytes(32)).decode(),  # one for all processes
            **to_join(slack, discord),
            # A few people ask what a crowd would.
            "BOBBIN_LIMITS__PER_PERSON_MINUTE": "0",
            "BOBBIN_LIMITS__PER_CHANNEL_MINUTE": "0",
            "BOBBIN_WEB__HOST": "127.0.0.1",
            "BOBBIN_WEB__PORT": "0",
        }
        world.bots = [Bot(one, variables, folder / f"{one.name}.log") for one in topology.processes]
        stack.push_async_callback(_kill_all, world)
        for bot in world.bots:
            await world.start(bot)
        watching = asyncio.create_task(world.watch())
        stack.callback(watching.cancel)
        yield world


async def _kill_all(world: World) -> None:
    await asyncio.gather(*(bot.kill() for bot in world.bots))


def _port(url: str) -> int:
    return int(url.partition("//")[2].partition("/")[0].rpartition(":")[2])


def conversations(upstream: Emulator) -> Iterator[list[str]]:
    for conversation in upstream.conversations.values():
        yield [turn.question for turn in conversation.turns]
