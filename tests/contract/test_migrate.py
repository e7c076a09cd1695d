"""What bringing a database up to date promises: one schema on every version, all of it or nothing."""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from procrastinate.schema import SchemaManager
from psycopg import sql
from sqlalchemy import Connection, MetaData, insert, make_url, text

from core.errors import SetupError
from core.storage.database import Database, open_database
from core.storage.ledger import Ledger
from core.storage.migrate import is_current, migrate, revisions
from core.thread import Conversation, ConversationId, Origin, PlaceId, Thread, ThreadId
from core.turn import NOTHING_SHOWN, Question, QuestionKey, Status
from tests.pooler import aged

# Columns in their order, enums with their values in theirs, and whatever else has a definition.
SCHEMA = """
select 'column', table_name, ordinal_position::text, concat_ws(' ', column_name, udt_name, character_maximum_length,
    is_nullable, column_default) from information_schema.columns where table_schema = 'public'
union all select 'enum', typname, enumlabel, (rank() over (partition by typname order by enumsortorder))::text
    from pg_enum join pg_type on pg_type.oid = enumtypid
union all select 'index', tablename, indexname, indexdef from pg_indexes where schemaname = 'public'
union all select 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint
    where connamespace = 'public'::regnamespace and contype <> 'n'
union all select 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) from pg_trigger
    where not tgisinternal
union all select 'function', proname, oid::regprocedure::text, pg_get_functiondef(oid) from pg_proc
    where pronamespace = 'public'::regnamespace
"""
MIGRATES = ("-m", "bots", "migrate")


async def test_the_engines_tables_are_those_of_its_steps_taken_one_by_one(postgres_url: str) -> None:
    """As they were made before, when each version of PostgreSQL before 17 refused to take them in one transaction."""
    database = open_database(postgres_url)
    await migrate(database)
    name = f"{make_url(postgres_url).database}_steps"
    there = make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("alter function procrastinate_fetch_job_v2 reset enable_sort")
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        try:
            with psycopg.connect(there, autocommit=True) as other:
                for step in _steps():
                    other.execute(step)
                theirs = set(other.execute(SCHEMA).fetchall())
            ours = {row for row in connection.execute(SCHEMA) if "procrastinate" in f"{row[1]}{row[2]}"}
        finally:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
    assert {row[:3] for row in theirs ^ ours} == {
        ("trigger", "procrastinate_jobs", f"bobbin_lock_is_free_after_{event}") for event in ("update", "delete")
    }
    await database.close()


async def test_one_that_is_killed_in_the_middle_leaves_nothing_to_mend(postgres_url: str, tmp_path: Path) -> None:
    async with await psycopg.AsyncConnection.connect(postgres_url) as other:
        # It makes a table of that name some thirty steps on, and waits to know what becomes of this one.
        await other.execute("create table procrastinate_workers (id integer)")
        killed = await _migrate(postgres_url, tmp_path)
        await _until_somebody_waits(postgres_url)
        killed.kill()
        assert await killed.wait() == -signal.SIGKILL
        await other.rollback()
    again = await _migrate(postgres_url, tmp_path)
    _, err = await asyncio.wait_for(again.communicate(), 40)
    assert (again.returncode, err) == (0, b"")
    database = open_database(postgres_url)
    assert await is_current(database)
    await database.close()


def test_the_files_of_migrations_are_called_as_alembic_knows_them() -> None:
    """A process reads their names, and does without alembic where there is nothing to bring up to date."""
    script = ScriptDirectory(str(files("migrations")))
    assert tuple(one.revision for one in script.walk_revisions())[::-1] == revisions()
    assert script.get_current_head() == revisions()[-1]


async def test_what_was_migrated_before_goes_on(database_url: str) -> None:
    """From each earlier schema to the newest."""
    database = open_database(database_url)
    for earlier in ("base", "0001", "head"):
        await migrate(database)
        await database.run(lambda connection, to=earlier: _to(connection, to))  # type: ignore[misc]
        assert await is_current(database) == (earlier == "head")
        await migrate(database)
        assert await is_current(database)
    await database.close()


THREAD = Thread(ThreadId("slack:T1/D1"), "slack", (PlaceId("slack:T1"), PlaceId("slack:T1/D1")))
BELOW = replace(THREAD, id=ThreadId("slack:T1/D1/1700000000.000001"), origin=Origin(THREAD.id, 1))
PICTURE = "https://example.org/files/a.png?hm=1"


def _as_of_the_first_version(connection: Connection) -> None:
    """Write what a process of that schema left when it was ended: one question answered, and one not yet."""
    known = MetaData()
    known.reflect(connection)
    now = datetime.now(UTC)
    connection.execute(
        insert(known.tables["threads"]).values(
            id=THREAD.id, chat="slack", within=list(THREAD.within), conversation="c-1", model="m", epoch=0, forgotten=0
        )
    )
    turn = {
        "thread": THREAD.id,
        "asker": "U1",
        "references": [PICTURE],
        "accepted_at": now,
        "reply": '{"where": {"channel": "D1", "thread_ts": "1700000000.000001", "question_ts": "1700000000.000001"}}',
        "reference": "ab",
    }
    first = {"key": "slack:T1/D1/1700000000.000001", "question": "Why?", "answer": "Because.", "model": "m"}
    second = {"key": "slack:T1/D1/1700000001.000001", "question": "And now?", "answer": "", "model": ""}
    for one, status in ((first, "answered"), (second, "queued")):
        over = status == "answered"
        connection.execute(
            insert(known.tables["turns"]).values(
                **turn, **one, status=status, shown=over, done_at=now if over else None
            )
        )
    connection.execute(
        insert(known.tables["presets"]).values(
            place=THREAD.channel, name="terse", model="o3", instructions=None, changed_by="U1", changed_at=now
        )
    )
    connection.execute(insert(known.tables["notes"]).values(name="slack/seen", text="1700000001.000001"))


async def test_what_the_first_version_has_written_goes_on(database_url: str) -> None:
    database = open_database(database_url)
    await migrate(database)
    await database.run(lambda connection: _to(connection, "0001"))
    await database.run(_as_of_the_first_version)
    await migrate(database)
    ledger = Ledger(database)
    taken = await ledger.take(THREAD.id)
    assert taken
    assert (taken.turn.question.text, taken.turn.question.asker) == ("And now?", "U1")
    assert [one.name for one in taken.turn.question.attachments] == ["a.png"]
    assert taken.conversation == Conversation(ConversationId("c-1"), "m")
    assert taken.has_earlier
    (before,) = await ledger.transcript(THREAD.id, taken.turn.id, 10)
    assert (before.question.text, before.answer, before.status) == ("Why?", "Because.", Status.ANSWERED)
    await ledger.conclude(taken.turn.start("m").finish("Later."), None, epoch=taken.epoch)
    await ledger.settle(taken.turn.start("m").finish("Later.").settle())
    ((_, preset),) = await ledger.presets_at((THREAD.channel,))
    assert (preset.name, preset.model, preset.follow) == ("terse", "o3", None)
    assert await ledger.note("slack/seen") == "1700000001.000001"
    await ledger.accept(Question(QuestionKey("below"), BELOW, "U1", "Why so?"), NOTHING_SHOWN)
    below = await ledger.take(BELOW.id)
    assert below
    assert below.has_earlier
    assert [one.answer for one in await ledger.transcript(BELOW.id, below.turn.id, 10)] == ["Because."]
    await database.close()


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (["9999"], "newer Bobbin.*9999.*Install the newer version again, or restore a backup"),
        (["0001", "0002"], "alembic_version"),
        ([""], "alembic_version"),
        (["e4a1c2b7d9f0"], "alembic_version"),  # another program's
        ([], "tables called budgets, feedback, notes, presets, rates, stances, threads, turns"),
    ],
    ids=["newer", "two", "empty", "strange", "none"],
)
async def test_a_schema_that_is_not_known_is_refused_and_left_as_it_is(
    database: Database, held: list[str], said: str
) -> None:
    def hold(connection: Connection) -> None:
        connection.execute(text("delete from alembic_version"))
        for number in held:
            connection.execute(text("insert into alembic_version values (:number)"), {"number": number})

    await database.run(hold)
    for look in (migrate, is_current):
        with pytest.raises(SetupError, match=said):
            await look(database)
    left = await database.run(lambda connection: connection.scalars(text("select * from alembic_version")).all())
    assert sorted(left) == held


async def test_a_version_of_postgresql_that_is_too_old_is_refused(postgres_url: str) -> None:
    async with aged(postgres_url, 13) as url:
        database = open_database(url)
        for look in (migrate, is_current):
            with pytest.raises(SetupError, match=r"PostgreSQL 13\.\d+, .* needs version 14 or newer"):
                await look(database)
        await database.close()
    with psycopg.connect(postgres_url) as connection:
        assert not connection.execute("select from pg_tables where schemaname = 'public'").fetchall()


async def test_a_user_who_may_not_make_tables_is_told_so(postgres_url: str) -> None:
    """As everybody but the owner since PostgreSQL 15."""
    user = f"user_{make_url(postgres_url).database}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("create role {} login").format(sql.Identifier(user)))
        try:
            database = open_database(make_url(postgres_url).set(username=user).render_as_string(hide_password=False))
            with pytest.raises(SetupError, match="may not create tables"):
                await migrate(database)
            await database.close()
        finally:
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(user)))


def _to(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    config.attributes["connection"] = connection
    if revision != "head":
        command.downgrade(config, revision)


def _steps() -> list[bytes]:
    steps = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    return [step.read_bytes() for step in steps if step.name < "03.04.00_51"]  # as far as migration 0002 goes


async def _migrate(url: str, folder: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *MIGRATES,
        cwd=folder,
        env={"PYTHONPATH": str(Path(__file__).parent.parent.parent), "BOBBIN_DATABASE__URL": url},
        stderr=asyncio.subprocess.PIPE,
    )


async def _until_somebody_waits(url: str) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as looking, asyncio.timeout(40):
        waits = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        while not await (await looking.execute(waits)).fetchall():
            await asyncio.sleep(0.05)
