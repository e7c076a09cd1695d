"""The jobs of the engine for several processes: on PostgreSQL only."""

from __future__ import annotations

import re
from pathlib import Path

import sqlalchemy as sa
from alembic import op

from core.storage.postgresql import over_driver

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# procrastinate keeps every step of its schema as a file. We run them up to the one that was its newest when this was
# written: another version of it brings the same tables here, and its later steps are for a migration of their own.
# https://procrastinate.readthedocs.io/en/stable/howto/production/migrations.html
NEWEST_STEP = "03.04.00_50"

# Its steps make these with fewer values, and add the others one by one. PostgreSQL before 17 does not let a transaction
# use a value that it added: https://www.postgresql.org/docs/16/sql-altertype.html. So they come with all of them.
ENUMS = """
create type procrastinate_job_status as enum (
    'todo', 'doing', 'succeeded', 'failed', 'cancelled', 'aborting', 'aborted'
);
create type procrastinate_job_event_type as enum (
    'deferred', 'started', 'deferred_for_retry', 'failed', 'succeeded', 'cancelled', 'abort_requested', 'aborted',
    'scheduled', 'retried'
);
"""
THEIR_ENUMS = re.compile(r"\b(create type \w+ as enum \(|alter type \w+ add value )[^;]*;", re.IGNORECASE)

# It tells its workers of new jobs, not that a lock is free again, for which the thread's next job waits.
WAKE_WHO_WAITS = """
create function bobbin_tell_lock_is_free() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' or exists (select from procrastinate_jobs where lock = old.lock and status = 'todo') then
        perform pg_notify(
            'procrastinate_queue_v1#' || old.queue_name,
            json_build_object('type', 'job_inserted', 'job_id', old.id)::text
        );
    end if;
    return null;
end;
$$;
create trigger bobbin_lock_is_free_after_delete after delete on procrastinate_jobs
    for each row when (old.status = 'doing') execute function bobbin_tell_lock_is_free();
create trigger bobbin_lock_is_free_after_update after update of status on procrastinate_jobs
    for each row when (old.status = 'doing' and new.status <> 'doing') execute function bobbin_tell_lock_is_free();
"""
# With many jobs coming and going, the planner's figures are always old: it then sorts all jobs to find the first.
PIN_THE_PLAN = "alter function procrastinate_fetch_job_v2 set enable_sort = off;"

DROP_ALL = """
drop table procrastinate_events, procrastinate_periodic_defers, procrastinate_jobs, procrastinate_workers cascade;
do $$
declare
    each record;
begin
    for each in
        select oid::regprocedure as name from pg_proc
        where proname like 'procrastinate\\_%' or proname = 'bobbin_tell_lock_is_free'
    loop
        execute 'drop function ' || each.name || ' cascade';
    end loop;
end;
$$;
drop type procrastinate_job_to_defer_v1, procrastinate_job_status, procrastinate_job_event_type;
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _run(ENUMS)
        for step in _steps():
            _run(THEIR_ENUMS.sub("", step.read_text()))
        _run(WAKE_WHO_WAITS)
        _run(PIN_THE_PLAN)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _run(DROP_ALL)


def _steps() -> list[Path]:
    from procrastinate.schema import SchemaManager  # noqa: PLC0415  # comes with PostgreSQL's driver

    steps = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    return [step for step in steps if step.name[: len(NEWEST_STEP)] <= NEWEST_STEP]


def _run(statements: str) -> None:
    # SQLAlchemy sends one statement at a time, and reads `%` and `:name` in it; the driver takes the text as it is.
    connection: sa.Connection = op.get_bind()
    over_driver(connection, lambda driver: driver.execute(statements))
