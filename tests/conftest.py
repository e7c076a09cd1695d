"""What every kind of test may use: databases of both kinds, empty and up to date."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql
from sqlalchemy import make_url

from core.storage.database import Database, open_database
from core.storage.ledger import Ledger
from core.storage.migrate import migrate
from tests.clock import Clock
from tests.postgresql import start

# How long an example takes says something about the machine, and nothing about what is tested.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

# A server of yours, if you would rather use it than those brought along.
YOURS = os.environ.get("BOBBIN_TEST_POSTGRES", "")
PATIENCE = 60.0  # seconds
# The versions of PostgreSQL to test on, by what their fixtures begin with.
POSTGRES = ["newest"] if YOURS else ["newest", "oldest"]


@pytest.fixture(scope="session")
def newest_server() -> Iterator[str]:
    """The URL of a real PostgreSQL on which databases may be made."""
    with _server(max) as url:
        yield url


@pytest.fixture(scope="session")
def oldest_server() -> Iterator[str]:
    """The same, of the oldest version brought along."""
    with _server(min) as url:
        yield url


@pytest.fixture
def newest_postgres(newest_server: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    with _empty_database(newest_server) as url:
        yield url


@pytest.fixture
def oldest_postgres(oldest_server: str) -> Iterator[str]:
    """The same, on the oldest version brought along."""
    with _empty_database(oldest_server) as url:
        yield url


@pytest.fixture
def postgres_url(newest_postgres: str) -> str:
    """The URL of an empty PostgreSQL database, of any version: where that matters, of each in turn (see conftest.py there)."""
    return newest_postgres


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'bobbin.db'}"


@pytest.fixture(params=["sqlite_url", *(f"{version}_postgres" for version in POSTGRES)])
def database_url(request: pytest.FixtureRequest) -> str:
    """Each kind of database in turn, PostgreSQL in its oldest and newest version: whoever takes this is tested on all."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A database with the newest schema, on a machine that may be slow."""
    opened = open_database(database_url, connect_timeout=PATIENCE, patience=PATIENCE)
    await migrate(opened)
    yield opened
    await opened.close()


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


@contextmanager
def _server(choose: Callable[[Iterable[int]], int]) -> Iterator[str]:
    if YOURS:
        yield YOURS
        return
    # Not below pytest's own folder: of that, another pytest changes the permissions while the server runs.
    server = start(Path(tempfile.mkdtemp(prefix="bobbin-postgres-")), choose)
    yield server.get_uri()
    server.cleanup()


@contextmanager
def _empty_database(server: str) -> Iterator[str]:
    name = f"bobbin_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite", action="store_true", help="write anew what tests/bots/test_corpus.py expects")
