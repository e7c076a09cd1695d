"""What every engine promises: each turn is seen to once, in the order of its thread, whatever becomes of a process."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status
from psycopg import sql
from sqlalchemy import Connection, text
from structlog.testing import capture_logs

from core.engine import MOST_THREADS, Engine, jobs
from core.engine.distributed import Procrastinate
from core.engine.embedded import Embedded
from core.engine.jobs import Jobs
from core.errors import SetupError, StorageUnavailable
from core.preset import Preset
from core.quota import Quota
from core.relay import Relay
from core.settings import load
from core.storage.database import open_database
from core.storage.ledger import Ledger
from core.storage.migrate import migrate
from core.storage.stops import Outcome
from core.thread import PlaceId, Thread, ThreadId
from core.turn import NOTHING_SHOWN, Accepted, Question, QuestionKey
from tests.conftest import POSTGRES
from tests.contract.replica import GOES_ON

PRESETS = {"default": Preset(model="m", instructions="")}
REPLICA = Path(__file__).with_name("replica.py")
PATIENCE = 60.0  # seconds, of which a busy machine may need some


def question(key: str, where: str = "1", asker: str = "ada") -> Question:
    thread = Thread(ThreadId(f"chat:{where}"), "chat", (PlaceId("chat:w"),))
    return Question(QuestionKey(key), thread, asker, "Why?")


class Place:
    """A process's share of Bobbin, with a worker that answers when it may, and remembers what it did."""

    def __init__(
        self, kind: str, url: str, *, at_once: int = MOST_THREADS, looks_every: float = jobs.LOOKS_EVERY
    ) -> None:
        self.database = open_database(url)
        self.jobs = Jobs(url, at_once=at_once, looks_every=looks_every) if kind == "procrastinate" else None
        quota = Quota(1_000, 1_000, 1_000)
        self.ledger = (
            Ledger(self.database, self.jobs.summon, quota=quota) if self.jobs else Ledger(self.database, quota=quota)
        )
        self.engine: Engine = (
            Procrastinate(self.jobs, self.ledger, self.see_to)
            if self.jobs
            else Embedded(self.ledger, self.see_to, at_once=at_once)
        )
        self.relay = Relay(self.ledger, self.engine.wake, PRESETS, longest_question=100)
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.answers_left = asyncio.Semaphore(1_000)
        self.trouble: list[Exception] = []  # raised one by one, before a thread is looked at
        self.begun: list[str] = []
        self.ended: list[str] = []

    async def see_to(self, thread: ThreadId) -> None:
        if self.trouble:
            raise self.trouble.pop()
        while taken := await self.ledger.take(thread):
            self.begun.append(taken.turn.question.key)
            await self.may_answer.wait()
            await self.answers_left.acquire()
            turn = taken.turn.start("m").finish("Because.")
            await self.ledger.conclude(turn, None, epoch=taken.epoch)
            await self.ledger.settle(turn.settle())
            self.ended.append(turn.question.key)

    async def ask(self, key: str, where: str = "1", asker: str = "ada") -> Accepted:
        return await self.relay.ask(question(key, where, asker))

    async def scalar(self, query: str) -> object:
        def scalar(connection: Connection) -> object:
            return connection.scalar(text(query))

        return await self.database.run(scalar)

    async def execute(self, statement: str) -> None:
        await self.database.run(lambda connection: connection.execute(text(statement)))

    async def no_job_is_left(self) -> None:
        await until(lambda: self.scalar("select count(*) = 0 from procrastinate_jobs"))


async def until(is_so: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await is_so():
            await asyncio.sleep(0.01)


async def begun(place: Place, turns: int) -> None:
    async def is_so() -> bool:
        return len(place.begun) >= turns

    await until(is_so)


@pytest.fixture(
    params=[
        "embedded sqlite_url",
        *(f"{kind} {version}_postgres" for kind in ("embedded", "procrastinate") for version in POSTGRES),
    ]
)
async def open_place(request: pytest.FixtureRequest) -> AsyncIterator[Callable[[], Place]]:
    """Opens places on the same database; with each kind of engine in turn."""
    kind, database = request.param.split()
    async with places(kind, str(request.getfixturevalue(database))) as open_one:
        yield open_one


@pytest.fixture
async def open_replica(postgres_url: str) -> AsyncIterator[Callable[[], Place]]:
    """Opens places that share the work of one database."""
    async with places("procrastinate", postgres_url) as open_one:
        yield open_one


@asynccontextmanager
async def places(kind: str, url: str) -> AsyncIterator[Callable[[], Place]]:
    database = open_database(url)
    await migrate(database)
    await database.close()
    opened: list[Place] = []

    def open_one(**given: Any) -> Place:
        opened.append(Place(kind, url, **given))
        return opened[-1]

    yield open_one
    for place in opened:
        await place.engine.stop(grace=0)
        await place.database.close()


async def started(place: Place) -> Place:
    await place.engine.start(["chat"])
    return place


# Every engine


async def test_turns_run_in_their_threads_order_and_threads_side_by_side(open_place: Callable[[], Place]) -> None:
    place = await started(open_place())
    place.may_answer.clear()
    for key in ("a1", "b1", "a2", "b2", "a3"):
        await place.ask(key, where=key[0])
    await begun(place, 2)
    assert sorted(place.begun) == ["a1", "b1"]
    assert place.engine.busy == 2
    place.may_answer.set()
    await place.engine.idle()
    assert [key for key in place.ended if key[0] == "a"] == ["a1", "a2", "a3"]
    assert [key for key in place.ended if key[0] == "b"] == ["b1", "b2"]


async def test_a_question_delivered_often_is_seen_to_once(open_place: Callable[[], Place]) -> None:
    place = await started(open_place())
    await asyncio.gather(*(place.ask("1") for _ in range(5)))
    await place.engine.idle()
    assert place.begun == ["1"]


async def test_a_turn_accepted_while_its_thread_runs_is_seen_to(open_place: Callable[[], Place]) -> None:
    place = await started(open_place())
    for number in range(20):  # at whatever moment of the one before
        await place.ask(str(number))
        await begun(place, number)
    await place.engine.idle()
    assert place.ended == [str(number) for number in range(20)]


async def test_what_was_accepted_before_is_taken_up_at_the_start(open_place: Callable[[], Place]) -> None:
    place = open_place()
    await place.ask("1")
    await Ledger(place.database).accept(question("2", "another"), NOTHING_SHOWN)  # nobody was summoned
    await place.engine.start(["chat"])
    await place.engine.idle()
    assert sorted(place.ended) == ["1", "2"]


async def test_what_is_open_in_other_chats_is_left_alone(open_place: Callable[[], Place]) -> None:
    asked_by, place = open_place(), open_place()
    await asked_by.ask("1")
    await place.engine.start(["another chat"])
    await place.engine.idle()
    assert place.begun == []
    assert await place.ledger.open_threads(["chat"]) == ["chat:1"]


async def test_however_many_wait_few_run_at_once_and_nobody_waits_behind_all_of_another_person(
    open_place: Callable[..., Place],
) -> None:
    place = await started(open_place(at_once=2))
    place.answers_left = asyncio.Semaphore(0)
    for number in range(6):
        await place.ask(f"ada {number}", f"ada {number}", "ada")
    await place.ask("ben", "ben", "ben")
    await begun(place, 2)
    assert (sorted(place.begun), place.engine.busy) == (["ada 0", "ada 1"], 2)
    place.answers_left.release()  # one ends while the other goes on: there is room for one
    await begun(place, 3)
    assert place.begun[2] == "ben"
    for _ in range(6):
        place.answers_left.release()
    await place.engine.idle()
    assert sorted(place.ended) == ["ada 0", "ada 1", "ada 2", "ada 3", "ada 4", "ada 5", "ben"]


async def test_more_than_may_run_are_taken_up_at_the_start(open_place: Callable[..., Place]) -> None:
    place = open_place(at_once=2)
    for number in range(7):
        await place.ask(f"{number}", f"{number}")
    await place.engine.start(["chat"])
    assert place.engine.busy <= 2
    await place.engine.idle()
    assert sorted(place.ended) == [f"{number}" for number in range(7)]


async def test_a_thread_in_trouble_is_tried_again(open_place: Callable[[], Place]) -> None:
    place = await started(open_place())
    place.trouble = [StorageUnavailable(), LookupError()]
    await place.ask("1")
    await place.engine.idle()
    assert place.ended == ["1"]


async def test_a_question_asked_anew_is_seen_to_anew(open_place: Callable[[], Place]) -> None:
    place = await started(open_place())
    await place.ask("1")
    await place.engine.idle()
    assert await place.relay.again(QuestionKey("1"))
    await place.engine.idle()
    assert place.ended == ["1", "1"]


async def test_stopping_lets_what_runs_come_to_its_end(open_place: Callable[[], Place]) -> None:
    place = await started(open_place())
    place.may_answer.clear()
    await place.ask("1")
    await begun(place, 1)
    stopping = asyncio.create_task(place.engine.stop(grace=30))
    await asyncio.sleep(0)
    place.may_answer.set()
    await stopping
    assert place.ended == ["1"]


async def test_what_does_not_end_in_time_is_taken_up_by_the_next(open_place: Callable[[], Place]) -> None:
    first = await started(open_place())
    first.may_answer.clear()
    await first.ask("1")
    await begun(first, 1)
    await first.engine.stop(grace=0)
    second = await started(open_place())
    await second.engine.idle()
    assert (first.ended, second.ended) == ([], ["1"])


# Several processes


async def test_two_share_the_work_and_keep_the_order(open_replica: Callable[[], Place]) -> None:
    both = [await started(open_replica()) for _ in range(2)]
    for number in range(60):
        await both[number % 2].ask(f"{number}", where=str(number % 6))
    await both[0].engine.idle()
    assert sorted(both[0].ended + both[1].ended, key=int) == [str(number) for number in range(60)]
    for place in both:
        assert place.ended
        for thread in range(6):
            mine = [int(key) for key in place.begun if int(key) % 6 == thread]
            assert mine == sorted(mine)


async def test_a_turn_and_its_job_are_recorded_together_or_not_at_all(open_replica: Callable[[], Place]) -> None:
    place = open_replica()
    await place.ask("1")
    await place.ask("1")
    assert await place.scalar("select count(*) from procrastinate_jobs") == 1
    await place.execute("alter table procrastinate_jobs rename to gone")
    with pytest.raises(ConnectorException):
        await place.ask("2")
    assert await place.ledger.turn(QuestionKey("2")) is None


async def test_a_lock_that_is_free_again_wakes_who_waits_for_it(
    open_replica: Callable[..., Place],
) -> None:
    place = await started(open_replica(looks_every=3600))
    place.may_answer.clear()
    for number in range(20):
        await place.ask(f"{number}")
    await begun(place, 1)
    place.may_answer.set()
    await place.no_job_is_left()
    assert place.ended == [str(number) for number in range(20)]


async def test_it_survives_the_loss_of_every_connection(open_replica: Callable[[], Place]) -> None:
    """As when PostgreSQL restarts: what runs goes on, what comes is taken."""
    place, other = await started(open_replica()), open_replica()
    place.may_answer.clear()
    await place.ask("1")
    await begun(place, 1)
    await other.scalar(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )
    place.may_answer.set()
    await place.ask("2")
    await place.no_job_is_left()
    assert place.begun == place.ended == ["1", "2"]


async def test_it_waits_while_the_server_takes_no_changes(open_replica: Callable[[], Place], postgres_url: str) -> None:
    place = await started(open_replica())
    with psycopg.connect(postgres_url, autocommit=True) as server, capture_logs() as logs:

        def put(setting: str) -> None:
            """For all that connect from now on."""
            name = sql.Identifier(server.info.dbname)
            server.execute(sql.SQL("alter database {} set default_transaction_read_only = {}").format(name, setting))
            server.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )

        put("on")
        async with asyncio.timeout(20):
            while not any("ReadOnlySqlTransaction" in line.get("causes", ()) for line in logs):
                await asyncio.sleep(0.01)
        put("off")
        await place.ask("1")
        await place.no_job_is_left()
    assert place.ended == ["1"]
    assert [line["event"] for line in logs if line["log_level"] == "error"] == []


async def test_who_was_taken_for_dead_does_not_end_the_job_of_another(open_replica: Callable[[], Place]) -> None:
    place = open_replica()
    assert place.jobs
    await place.jobs.open()
    manager = place.jobs._app.job_manager
    await place.ask("1")
    lost = await manager.fetch_job(["chat"], await manager.register_worker())
    assert await place.jobs.rescue() == []
    await place.execute("update procrastinate_workers set last_heartbeat = '-infinity'")
    assert await place.jobs.rescue() == ["chat:1"]
    held = await manager.fetch_job(["chat"], await manager.register_worker())
    assert lost
    assert held
    await manager.finish_job(lost, Status.SUCCEEDED, delete_job=True)
    await manager.retry_job(lost)
    assert await place.scalar("select count(*) from procrastinate_jobs where status = 'doing'") == 1
    await manager.finish_job(held, Status.SUCCEEDED, delete_job=True)
    await place.no_job_is_left()


async def test_without_our_trigger_it_does_not_start(open_replica: Callable[[], Place]) -> None:
    place = open_replica()
    await place.execute("drop trigger bobbin_lock_is_free_after_delete on procrastinate_jobs")
    with pytest.raises(SetupError, match="bobbin migrate"):
        await place.engine.start(["chat"])


# Real processes: what happens when one of them is killed, or frozen and woken


class Replicas:
    """Processes that stream slowly, and all that they have shown."""

    def __init__(self, url: str, file: Path, place: Place) -> None:
        """*place* is another process's."""
        self._url, self._file, self.place = url, file, place
        self.processes: list[Process] = []

    async def start(self) -> Process:
        command = (sys.executable, str(REPLICA), self._url, str(self._file))
        process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, env={"PYTHONPATH": str(Path.cwd())})
        self.processes.append(process)
        await self.says(process, "busy 0")
        return process

    async def says(self, process: Process, line: str) -> None:
        assert process.stdout
        async with asyncio.timeout(PATIENCE):
            while (await process.stdout.readline()).decode().strip() != line:
                assert process.returncode is None

    def go_on(self) -> None:
        """Let answers come to their end, which stop half-way until now."""
        self._file.with_name(self._file.name + GOES_ON).touch()

    def shown(self, by: Process | None = None) -> list[dict[str, str]]:
        # What follows the last line's end is a line that is being written at this moment.
        lines = self._file.read_text().split("\n")[:-1] if self._file.exists() else []
        return [line for line in map(json.loads, lines) if by is None or line["by"] == by.pid]

    async def all_begun(self, by: Process, turns: int) -> None:
        async def is_so() -> bool:
            return len({line["question"] for line in self.shown(by) if line["text"]}) == turns

        await until(is_so)

    async def all_over(self, turns: int) -> None:
        async def is_so() -> bool:
            return len({line["question"] for line in self.shown() if line["is_over"]}) == turns

        await until(is_so)

    def assert_each_shown_once(self) -> None:
        messages = {line["question"]: set[str]() for line in self.shown()}
        for line in self.shown():
            messages[line["question"]].add(line["message"])
        assert all(len(each) == 1 for each in messages.values()), "an answer has two messages"
        ends = Counter(line["question"] for line in self.shown() if line["is_over"])
        assert set(ends.values()) == {1}, "an end was shown twice"


TURNS = 20


@pytest.fixture
async def replicas(postgres_url: str, tmp_path: Path) -> AsyncIterator[Replicas]:
    """Two processes: the first is in the middle of all answers when the second comes."""
    async with places("procrastinate", postgres_url) as open_one:
        place = open_one()
        replicas = Replicas(postgres_url, tmp_path / "shown", place)
        first = await replicas.start()
        for number in range(TURNS):
            await place.ask(str(number), where=str(number))
        await replicas.all_begun(first, TURNS)
        await replicas.start()
        yield replicas
        for process in replicas.processes:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def test_a_killed_ones_answers_go_on_elsewhere_in_the_same_messages(replicas: Replicas) -> None:
    first, _ = replicas.processes
    first.kill()
    replicas.go_on()
    await replicas.all_over(TURNS)
    replicas.assert_each_shown_once()


async def test_one_that_was_frozen_and_woken_shows_nothing_more(replicas: Replicas) -> None:
    first, _ = replicas.processes
    first.send_signal(signal.SIGSTOP)
    replicas.go_on()
    await replicas.all_over(TURNS)
    before = replicas.shown(first)
    first.send_signal(signal.SIGCONT)
    await replicas.says(first, "busy 0")
    assert replicas.shown(first) == before
    replicas.assert_each_shown_once()


async def test_one_that_is_stopped_hands_its_answers_over(replicas: Replicas) -> None:
    first, _ = replicas.processes
    first.terminate()
    assert await first.wait() == 0
    replicas.go_on()
    await replicas.all_over(TURNS)
    replicas.assert_each_shown_once()


async def test_what_is_stopped_elsewhere_ends_at_once_wherever_it_runs(replicas: Replicas) -> None:
    ledger = replicas.place.ledger
    began = time.monotonic()
    for number in range(TURNS):
        outcome, _ = await ledger.stop(QuestionKey(str(number)), "ada")
        assert outcome is Outcome.STOPPED
    await replicas.all_over(TURNS)  # every answer stands still half-way, and shows nothing by itself
    print(f"\n{TURNS} answers of another process ended {time.monotonic() - began:.3f} s after the first stop")  # noqa: T201

    async def is_settled() -> bool:
        return not await ledger.open_threads(["chat"])

    await until(is_settled)
    replicas.assert_each_shown_once()


# Which engine it is


def test_postgresql_is_shared_unless_told_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BOBBIN_TEST_POSTGRES", raising=False)  # ours, and no setting
    postgres, sqlite = ({"url": url} for url in ("postgresql://127.0.0.1/bobbin", "sqlite:///bobbin.db"))
    assert load({}, database=postgres).shares_its_work
    assert not load({}, database=sqlite).shares_its_work
    assert not load({}, database=postgres, engine="embedded").shares_its_work
    with pytest.raises(SetupError, match="keeps its jobs in PostgreSQL"):
        load({}, database=sqlite, engine="procrastinate")


async def test_the_jobs_tables_go_as_they_came(postgres_url: str) -> None:
    database = open_database(postgres_url)
    await migrate(database)

    def down(connection: Connection) -> list[str]:
        config = Config()
        config.set_main_option("script_location", str(Path("migrations").resolve()))
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
        return [
            name
            for (name,) in connection.execute(text("select proname from pg_proc where proname ~ 'procrast|bobbin'"))
        ]

    assert await database.run(down) == []
    await migrate(database)
    await database.close()
