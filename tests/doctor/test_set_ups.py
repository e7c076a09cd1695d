"""Wrong set-ups of what all platforms share, one a row: the doctor names the fault and its mend in a line."""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
import sqlite3
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from bots import platforms
from bots.doctor.database import check
from bots.finding import Finding, Verdict, side_by_side
from bots.web import Web
from core.storage.database import open_database
from core.storage.migrate import migrate
from core.vitals import Vitals
from sandbox.upstream import Emulator
from tests.doctor.conftest import BAD, GOOD, Doctor
from tests.pooler import aged, breaking

QUOTED = f'"{GOOD}"'


# Settings

SETTINGS = {
    "token in quotes": ({"UPSTREAM__TOKEN": QUOTED}, "UPSTREAM__TOKEN", "quotation marks; write it without"),
    "database's address in quotes": ({"DATABASE__URL": "'sqlite:///x.db'"}, "DATABASE__URL", "quotation marks"),
    "upstream URL without scheme": ({"UPSTREAM__URL": "api.example.com"}, "UPSTREAM__URL", "must begin with https://"),
    "unknown section": ({"WBE__PORT": "1"}, "BOBBIN_WBE__PORT", "did you mean BOBBIN_WEB__PORT?"),
    "unknown key": ({"WEB__PROT": "1"}, "BOBBIN_WEB__PROT", "did you mean BOBBIN_WEB__PORT?"),
    "one underscore": ({"UPSTREAM_TOKEN": "x"}, "BOBBIN_UPSTREAM_TOKEN", "did you mean BOBBIN_UPSTREAM__TOKEN?"),
    "wrong type": ({"WEB__PORT": "http"}, "BOBBIN_WEB__PORT", 'must be a whole number, not "http"'),
    "wrong number": ({"WEB__PORT": "80000"}, "BOBBIN_WEB__PORT", "must be less than or equal to 65535"),
    "wrong choice": ({"LOG__FORMAT": "xml"}, "BOBBIN_LOG__FORMAT", 'must be console or json, not "xml"'),
    "secret key malformed": ({"SECRET_KEY": "x"}, "BOBBIN_SECRET_KEY", "make one with"),
    "engine nonsense": ({"ENGINE": "celery"}, "BOBBIN_ENGINE", "must be embedded or procrastinate"),
    "engine mismatch": ({"ENGINE": "procrastinate"}, "engine", 'set BOBBIN_DATABASE__URL to "postgresql://'),
    "section as a word": ({"WEB": "8080"}, "BOBBIN_WEB", "set BOBBIN_WEB__…"),
}


@pytest.mark.parametrize(("variables", "names", "mend"), SETTINGS.values(), ids=SETTINGS)
async def test_a_setting(doctor: Doctor, variables: dict[str, str], names: str, mend: str) -> None:
    report = await doctor(**variables)
    [line] = report.found["settings"].splitlines()
    assert (report.code, line[0]) == (2, "✗")
    assert names in line
    assert mend in line
    assert GOOD not in line


FILES = {
    "bad TOML": ("[web\nport = 1", "bobbin.toml", "line 1"),
    "unknown key in the file": ("[web]\nprot = 1", "bobbin.toml", "web.prot; did you mean port?"),
    "unknown key of a preset": ('[presets.brief]\nmodle = "o3"', "bobbin.toml", "brief.modle; did you mean model?"),
    "unknown section in the file": ("[wbe]\nport = 1", "bobbin.toml", "wbe; did you mean web?"),
    "secret in the file": ('[upstream]\ntoken = "hush-hush"', "upstream.token", "set BOBBIN_UPSTREAM__TOKEN instead"),
    "file not UTF-8": (b"# \xff\xfe", "bobbin.toml", "UTF-8. Save it in that encoding"),
}


@pytest.mark.parametrize(("text", "names", "mend"), FILES.values(), ids=FILES)
async def test_a_settings_file(doctor: Doctor, tmp_path: Path, text: str | bytes, names: str, mend: str) -> None:
    (tmp_path / "bobbin.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    report = await doctor()
    assert report.code == 2
    assert names in report.found["settings"]
    assert mend in report.found["settings"]
    assert "hush" not in report.found["settings"]


@pytest.mark.parametrize("set_up", ["/run/secrets file unreadable", "/run/secrets file with a typo", "in quotes"])
async def test_a_secret_file(doctor: Doctor, tmp_path: Path, set_up: str) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    name, mend = "bobbin_secret_key", "let that read it"
    if "typo" in set_up:
        name, mend = "bobbin_secret_kye", "did you mean BOBBIN_SECRET_KEY?"
    (folder / name).write_text('"quoted"')
    if "unreadable" in set_up:
        if os.geteuid() == 0:  # who may read everything
            (folder / name).unlink()
            (folder / name).mkdir()  # …but no folder
        (folder / name).chmod(0)
    if "quotes" in set_up:
        mend = "write it without them"
    report = await doctor({"secrets": folder})
    assert report.code == 2
    assert mend in report.found["settings"]
    assert name in report.found["settings"].lower()


async def test_no_platform_at_all(doctor: Doctor) -> None:
    report = await doctor()
    assert report.code == 1
    assert "nobody can ask: set BOBBIN_" in report.found["platforms"]


# The AI service

UPSTREAM = {
    "no upstream token": ("", {}, {"UPSTREAM__TOKEN": ""}, "set BOBBIN_UPSTREAM__TOKEN to one from https://"),
    "wrong upstream token": ("", {}, {"UPSTREAM__TOKEN": BAD}, "Make a new one at https://platform"),
    "upstream unreachable": (
        "http://127.0.0.1:9",
        {},
        {},
        "can't be reached (Connection refused). Check BOBBIN_UPSTREAM__URL",
    ),
    "upstream URL with /v1": ("/v1", {}, {}, "BOBBIN_UPSTREAM__URL should end at the host: http://127.0.0.1"),
    "another API": ("", {"no_api": True}, {}, "is not the AI service"),
    "used up": ("", {"used_up": True}, {}, "Top it up at https://platform"),
    "502 HTML": ("", {"html": "502"}, {}, "HTTP 502"),
    "200 HTML": ("", {"html": "200"}, {}, "Is a proxy or a login page in between, and is BOBBIN_UPSTREAM__URL right?"),
    "bad request": ("", {"bad_request": True}, {"PRESETS__DEFAULT__MODEL": "o3"}, "did not answer a question to o3"),
    "no such model": ("", {}, {"PRESETS__DEFAULT__MODEL": "no-such"}, "refuses the model no-such"),
    "trailing newline": ("", {}, {"UPSTREAM__TOKEN": f" {GOOD}\n"}, "✓"),
}


@pytest.mark.parametrize("row", UPSTREAM.values(), ids=UPSTREAM)
async def test_the_upstream(
    doctor: Doctor, emulator: Emulator, row: tuple[str, dict[str, object], dict[str, str], str]
) -> None:
    url, faults, variables, mend = row
    emulator.faults.replace(faults)
    where = {"UPSTREAM__URL": f"{emulator.url}{url}" if url.startswith("/") else url} if url else {}
    report = await doctor(**where, **variables)
    assert mend in report.found["upstream"]
    assert BAD not in report.found["upstream"]


async def test_an_upstream_that_hangs(doctor: Doctor, emulator: Emulator) -> None:
    emulator.faults.replace({"silent_before": True})
    report = await doctor({"limit": 0.5})
    assert "no answer within 0.5 seconds" in report.found["upstream"]
    assert set(report.found) > {"database", "web"}


# The database: SQLite


async def test_a_new_database_is_not_made(doctor: Doctor) -> None:
    report = await doctor()
    assert "will be made at the first start" in report.found["database"]


@pytest.mark.parametrize("is_running", [True, False], ids=["two processes on one SQLite", "one process ended"])
async def test_a_file(doctor: Doctor, tmp_path: Path, *, is_running: bool) -> None:
    url = f"sqlite:///{tmp_path / 'bobbin.db'}"
    database = open_database(url)
    await migrate(database)
    if is_running:
        async with database.sole(0):
            report = await doctor(DATABASE__URL=url)
        await database.close()
    else:
        await database.close()
        report = await doctor(DATABASE__URL=url)
    assert "its schema is up to date" in report.found["database"]
    assert ("! a Bobbin is running on it; stop it before" in report.found["database"]) == is_running


@pytest.mark.parametrize(
    ("number", "mend"), [("0001", "will be upgraded at the next start"), ("9999", "Install the newer version again")]
)
async def test_a_schema(doctor: Doctor, tmp_path: Path, number: str, mend: str) -> None:
    url = f"sqlite:///{tmp_path / 'bobbin.db'}"
    database = open_database(url)
    await migrate(database)
    write = "update alembic_version set version_num = ?"
    await database.run(lambda of: of.exec_driver_sql(write, (number,)))
    await database.close()
    report = await doctor(DATABASE__URL=url)
    assert mend in report.found["database"]


PLACES = {
    "database folder missing": ("sqlite:///no/such/bobbin.db", "no folder", "make it, or name another"),
    "database path is a folder": ("sqlite:///folder", "is a folder", "name a file in it"),
    "mysql://…": ("mysql://bobbin@db/bobbin", "begins with 'mysql'", "set BOBBIN_DATABASE__URL to sqlite:///"),
    "/data/bobbin.db": ("/data/bobbin.db", "not a URL", "set BOBBIN_DATABASE__URL to one such as sqlite:///"),
    "port no number": ("postgresql://x:hush-hush@db:port/x", "a port that is no number", "set BOBBIN_DATABASE__URL"),
    "file is no database": (
        "sqlite:///letter.txt",
        "is not a SQLite database",
        "name another file in BOBBIN_DATABASE__URL",
    ),
    "file is damaged": ("sqlite:///damaged.db", "is not a SQLite database, or it is damaged", "Restore a backup"),
}


@pytest.mark.parametrize(("url", "fault", "mend"), PLACES.values(), ids=PLACES)
async def test_a_place(doctor: Doctor, tmp_path: Path, url: str, fault: str, mend: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "letter.txt").write_text("Dear reader, " * 100)
    with sqlite3.connect(tmp_path / "damaged.db") as connection:
        connection.execute("create table alembic_version (version_num text)")
    connection.close()
    with (tmp_path / "damaged.db").open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 4000)
    report = await doctor(DATABASE__URL=url)
    assert fault in report.found["database"]
    assert mend in report.found["database"]
    assert "hush" not in report.found["database"]


async def test_a_place_that_may_not_be_written_to(
    doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Root may write anywhere, so that permissions alone would test nothing there.
    monkeypatch.setattr(os, "access", lambda path, _way: path != tmp_path)
    report = await doctor()
    assert f"no permission to write to {tmp_path}" in report.found["database"]
    assert "change its owner with chown" in report.found["database"]


async def test_a_disk_without_room(tmp_path: Path) -> None:
    settings = platforms.settings(database={"url": f"sqlite:///{tmp_path / 'bobbin.db'}"})
    *_, finding = [one async for one in check(settings, least_free=2**80)]
    assert finding.verdict is Verdict.WRONG
    assert (
        f"kB are free on the disk of {tmp_path / 'bobbin.db'}: without room, no question is taken" in finding.sentence
    )


# The database: PostgreSQL


@contextmanager
def locked_user(url: str) -> Iterator[str]:
    """A user of that server who needs a password; gives the name."""
    name = "bobbin_locked"
    with psycopg.connect(url, autocommit=True) as connection:
        [path] = connection.execute("show hba_file").fetchone() or ("",)
        hba = Path(path)
        if not os.access(hba, os.W_OK):
            pytest.skip("the server's pg_hba.conf is out of reach")
        before = hba.read_text()
        connection.execute(sql.SQL("create role {} login password 'right-password'").format(sql.Identifier(name)))
        hba.write_text(f"local all {name} scram-sha-256\nlocal all bobbin_nobody reject\n{before}")
        connection.execute("select pg_reload_conf()")
        try:
            yield name
        finally:
            hba.write_text(before)
            connection.execute("select pg_reload_conf()")
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))


async def test_a_wrong_password(doctor: Doctor, postgres_url: str) -> None:
    with locked_user(postgres_url) as name:
        wrong = make_url(postgres_url).set(username=name, password="hush-hush")
        report = await doctor(DATABASE__URL=wrong.render_as_string(hide_password=False))
        assert f"refuses user “{name}” with this password. Correct the password" in report.found["database"]
        bare = make_url(postgres_url).set(username=name, password=None)
        report = await doctor(DATABASE__URL=bare.render_as_string(hide_password=False))
        assert "wants a password" in report.found["database"]
        shut = make_url(postgres_url).set(username="bobbin_nobody")
        report = await doctor(DATABASE__URL=shut.render_as_string(hide_password=False))
        assert "pg_hba.conf" in report.found["database"]


POSTGRESQL = {
    "wrong user": ({"username": "bobbin_missing"}, "has no user “bobbin_missing”. Create it, or correct the user"),
    "wrong database": ({"database": "missing"}, "has no database “missing”. Create it (createdb missing)"),
    "wrong port": ({"query": {}, "host": "127.0.0.1", "port": 9}, "Nothing listens at 127.0.0.1, port 9. Start"),
    "wrong socket": ({"query": {"host": "/nowhere"}, "host": None}, "Nothing listens at the socket in /nowhere"),
    "wrong host": ({"query": {}, "host": "bobbin.invalid"}, "The host “bobbin.invalid” isn't known. Correct the host"),
    "unknown option": ({"query": {"colour": "red"}}, "Correct what follows the database's name"),
    "wrong sslmode": ({"query": {"sslmode": "maybe"}, "host": "127.0.0.1"}, "Check sslmode and sslrootcert"),
}


@pytest.mark.parametrize(("changes", "mend"), POSTGRESQL.values(), ids=POSTGRESQL)
async def test_postgresql(doctor: Doctor, postgres_url: str, changes: dict[str, object], mend: str) -> None:
    url = make_url(postgres_url).set(**changes)  # type: ignore[arg-type]
    report = await doctor(DATABASE__URL=url.render_as_string(hide_password=False))
    assert mend in report.found["database"]
    assert report.found["database"].count("\n") == 1
    assert "engine" not in report.found  # one fault is said once


async def test_a_server_without_tls(doctor: Doctor, postgres_url: str) -> None:
    async with breaking(postgres_url) as (url, _):
        report = await doctor(DATABASE__URL=url.replace("sslmode=disable", "sslmode=require"))
    assert "over TLS" in report.found["database"]
    assert "whether the server offers TLS" in report.found["database"]


async def test_a_server_that_is_none(doctor: Doctor, emulator: Emulator) -> None:
    port = emulator.url.rpartition(":")[2]
    report = await doctor(DATABASE__URL=f"postgresql://bobbin@127.0.0.1:{port}/x")
    assert "is not PostgreSQL" in report.found["database"]


async def test_a_server_that_takes_no_changes(doctor: Doctor, postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as server:
        name = sql.Identifier(server.info.dbname)
        server.execute(sql.SQL("alter database {} set default_transaction_read_only = on").format(name))
    report = await doctor(DATABASE__URL=postgres_url)
    assert "✗ PostgreSQL takes no changes" in report.found["database"]
    assert "Name the primary in BOBBIN_DATABASE__URL" in report.found["database"]
    assert "engine" not in report.found  # one fault is said once


async def test_a_server_that_is_too_old(doctor: Doctor, postgres_url: str) -> None:
    async with aged(postgres_url, 13) as url:
        report = await doctor(DATABASE__URL=url)
    assert "needs version 14 or newer. Upgrade the server" in report.found["database"]


async def test_postgresql_without_its_driver(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    report = await doctor(DATABASE__URL="postgresql://bobbin@127.0.0.1/bobbin")
    assert "pip install 'bobbin-bot[postgres]'" in report.found["database"]


# The web door


async def test_a_port_that_is_taken(doctor: Doctor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        for variable in ("WEB__PORT", "WEB__HEALTH_PORT"):
            report = await doctor(**{variable: str(other.getsockname()[1])})
            assert "web" in report.faults
            assert f"stop it, or set BOBBIN_{variable} to a free one" in report.found["web"]


@pytest.mark.parametrize("has_health_port", [True, False])
async def test_a_port_that_another_bobbin_has(doctor: Doctor, *, has_health_port: bool) -> None:
    web = Web(Vitals())
    async with web.open("127.0.0.1", 0, 0 if has_health_port else None):
        ports = {"WEB__PORT": str(web.port)}
        if has_health_port:
            ports["WEB__HEALTH_PORT"] = str(web.health_port)
        report = await doctor(**ports)
    assert "web" not in report.faults
    assert f"! a Bobbin listens on 127.0.0.1:{web.port} already" in report.found["web"]


@pytest.mark.parametrize("host", ["bobbin.invalid", "192.0.2.1"])
async def test_web_host_wrong(doctor: Doctor, host: str) -> None:
    report = await doctor(WEB__HOST=host)
    assert f"{host} is no address of this machine: set BOBBIN_WEB__HOST" in report.found["web"]


# How it goes about it


async def test_checks_run_side_by_side_and_tell_as_they_find() -> None:
    met, told = asyncio.Event(), list[str]()

    async def first() -> AsyncGenerator[Finding, None]:
        yield Finding("one")
        await met.wait()
        yield Finding("three")

    async def second() -> AsyncGenerator[Finding, None]:
        yield Finding("two")
        met.set()

    await side_by_side({"a": first, "b": second}, lambda _, finding: told.append(finding.sentence))
    assert told == ["one", "two", "three"]


async def test_a_check_that_breaks_is_a_finding_and_takes_nothing_with_it() -> None:
    told: dict[str, Finding] = {}

    async def broken() -> AsyncGenerator[Finding, None]:
        yield Finding(os.environ["BOBBIN_NO_SUCH_THING"])

    async def well() -> AsyncGenerator[Finding, None]:
        yield Finding("well")

    await side_by_side({"broken": broken, "well": well}, told.__setitem__)
    assert told["well"] == Finding("well")
    assert told["broken"].verdict is Verdict.WRONG
    assert "KeyError" in told["broken"].sentence


async def test_a_lock_is_only_looked_at(doctor: Doctor, tmp_path: Path) -> None:
    """Who starts while the doctor looks is not kept out."""
    url = f"sqlite:///{tmp_path / 'bobbin.db'}"
    database = open_database(url)
    await migrate(database)
    async with database.sole(0):
        pass
    await doctor(DATABASE__URL=url)
    with (tmp_path / "bobbin.db.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    await database.close()
