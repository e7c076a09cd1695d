"""The command line, as somebody at a shell meets it."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from bots import platforms
from core.storage.database import open_database
from sandbox.upstream import Emulator
from tests.e2e.conftest import SECRET_KEY, STAND_INS, Side, section
from tests.e2e.shell import run, start, started, until
from tests.pooler import aged, breaking


def variables(name: str, local: Any) -> dict[str, str]:
    return {f"BOBBIN_{name}__{field}".upper(): value for field, value in section(name, local).items()}


@pytest.fixture
def alone(emulator: Emulator, tmp_path: Path) -> dict[str, str]:
    """The variables of a bot that is joined to the AI service only."""
    return {
        "BOBBIN_UPSTREAM__URL": emulator.url,
        "BOBBIN_UPSTREAM__TOKEN": "emulated",
        "BOBBIN_DATABASE__URL": f"sqlite:///{tmp_path / 'bobbin.db'}",
    }


@pytest.fixture
def joined(alone: dict[str, str], request: pytest.FixtureRequest) -> dict[str, str]:
    """The variables of a bot that is joined to everything."""
    for name in STAND_INS:
        alone |= variables(name, request.getfixturevalue(f"local_{name}"))
    return alone


async def test_wrong_settings_are_all_said_at_once() -> None:
    code, _, err = await run("run", BOBBIN_WEB__PORT="many", BOBBIN_LOG__LEVEL="loud", BOBBIN_UPSTRAEM__URL="x")
    assert code == 2
    assert len(err.strip().splitlines()) == 3
    assert "BOBBIN_WEB__PORT" in err
    assert "BOBBIN_LOG__LEVEL" in err
    assert "BOBBIN_UPSTRAEM__URL" in err


async def test_a_wrong_token_is_one_sentence_and_an_exit_code(alone: dict[str, str], side: Any) -> None:
    [secret, *_] = platforms.settings().secrets_of(side.name)
    code, _, err = await run("run", **alone, **variables(side.name, side.local) | {secret: "wrong-token"})
    assert code == 2
    last = err.strip().splitlines()[-1]
    assert secret in last
    assert err.count(secret) == 1
    assert "wrong-token" not in err


async def test_without_the_services_token_it_says_so(joined: dict[str, str]) -> None:
    code, _, err = await run("run", **joined | {"BOBBIN_UPSTREAM__TOKEN": ""})
    assert (code, "BOBBIN_UPSTREAM__TOKEN" in err) == (2, True)


@pytest.mark.parametrize("name", platforms.names())
async def test_a_service_is_never_the_sandbox(name: str) -> None:
    [token, *_] = platforms.settings().secrets_of(name)
    code, out, err = await run("run", "--no-sandbox")
    assert (code, out) == (2, "")
    assert "No platform is configured, so nobody can ask: set BOBBIN_" in err
    assert token in err
    assert "BOBBIN_UPSTREAM__TOKEN" in err
    assert "BOBBIN_UPSTREAM__TOKEN" not in (await run("run", "--no-sandbox", BOBBIN_UPSTREAM__TOKEN="x"))[2]
    code, out, err = await run("run", **{token: ""})
    assert (code, out) == (2, "")
    assert f"{token} is set, but empty." in err
    bare = token.removeprefix("BOBBIN_").replace("__", "_")
    code, out, err = await run("run", "--no-sandbox", **{bare: "x"})
    assert f"{bare} is set, but Bobbin reads {token}: set that instead." in err


@pytest.mark.parametrize(("command", "code"), [("run", 2), ("migrate", 2), ("doctor", 1)])
async def test_a_file_that_is_no_database_is_said(
    joined: dict[str, str], tmp_path: Path, command: str, code: int
) -> None:
    (tmp_path / "bobbin.db").write_text("Dear reader, " * 1000)
    found, out, err = await run(command, **joined)
    assert found == code
    assert "is not a SQLite database, or it is damaged" in out + err


@pytest.mark.parametrize("part", ["worker", *platforms.names()])
async def test_a_part_without_tokens_is_not_the_sandbox(part: str) -> None:
    code, out, err = await run("run", "--only", part)
    assert (code, out) == (2, "")
    lacking = platforms.names() if part == "worker" else [part]
    assert all(secret in err for name in lacking for secret in platforms.settings().secrets_of(name))


@pytest.mark.parametrize("words", [("doctor",), ("migrate",), ("run",)], ids="".join)
async def test_no_secret_of_the_databases_url_is_shown(joined: dict[str, str], words: tuple[str, ...]) -> None:
    url = "postgresql://bobbin:hush-1@127.0.0.1:1/bobbin?password=hush-2&sslpassword=hush-3"
    process = await start(*words, **joined | {"BOBBIN_DATABASE__URL": url, "BOBBIN_LOG__LEVEL": "DEBUG"})
    if words == ("run",):
        said = await until(process.stderr, "can't be reached")
        assert "database=postgresql://bobbin:***@127.0.0.1:1/bobbin" in said
        process.send_signal(signal.SIGTERM)
    out, err = await asyncio.wait_for(process.communicate(), 40)
    said = (said if words == ("run",) else "") + out.decode() + err.decode()
    assert "127.0.0.1:1/bobbin" in said
    assert "hush" not in said


@pytest.mark.parametrize("name", platforms.names())
async def test_a_part_whose_platform_has_no_token_says_which(joined: dict[str, str], name: str) -> None:
    secrets = platforms.settings().secrets_of(name)
    code, _, err = await run("run", "--only", name, **joined | dict.fromkeys(secrets, ""))
    assert code == 2
    assert all(secret in err for secret in secrets)


async def test_parts_that_could_not_open_each_others_secrets_do_not_start(
    joined: dict[str, str], postgres_url: str
) -> None:
    code, _, err = await run("run", "--only", "worker", **joined | {"BOBBIN_DATABASE__URL": postgres_url})
    assert (code, "BOBBIN_SECRET_KEY" in err) == (2, True)


async def test_one_process_starts_without_a_key_and_says_that_others_need_it(
    joined: dict[str, str], postgres_url: str
) -> None:
    async with started("run", **joined | {"BOBBIN_DATABASE__URL": postgres_url}) as process:
        said = await until(process.stderr, "ready")
    assert "BOBBIN_SECRET_KEY" in said


@pytest.mark.parametrize(("command", "code"), [("run", 2), ("migrate", 2), ("doctor", 1)])
async def test_a_schema_of_a_newer_version_is_refused_in_a_sentence(
    joined: dict[str, str], database_url: str, command: str, code: int
) -> None:
    joined |= {"BOBBIN_DATABASE__URL": database_url}
    assert (await run("migrate", **joined))[0] == 0
    database = open_database(database_url)
    await database.run(lambda connection: connection.exec_driver_sql("update alembic_version set version_num = '9999'"))
    await database.close()
    found, out, err = await run(command, **joined)
    assert found == code
    [said] = [line for line in (out + err).splitlines() if "Install the newer version again" in line]
    assert said.startswith("✗ database: The database was" if command == "doctor" else "The database was")


@pytest.mark.parametrize(("command", "code"), [("run", 2), ("migrate", 2), ("doctor", 1)])
async def test_a_version_of_postgresql_that_is_too_old_is_refused_in_a_sentence(
    joined: dict[str, str], postgres_url: str, command: str, code: int
) -> None:
    async with aged(postgres_url, 13) as url:
        found, out, err = await run(command, **joined | {"BOBBIN_DATABASE__URL": url})
    assert found == code
    [said] = [line for line in (out + err).splitlines() if "needs version 14 or newer" in line]
    assert said.startswith("✗ database: The database is" if command == "doctor" else "The database is")
    assert "✓ database" not in out


async def test_the_upstream_serves_anybody() -> None:
    async with started("upstream", "--port", "0", "--pace", "0") as process:
        said = await until(process.stdout, "http://")
        url = "http://" + said.partition("http://")[2].split()[0]
        async with httpx.AsyncClient(trust_env=False) as client:
            body = {"model": "gpt-5.1", "question": "say exactly: hello", "stateful": True}
            answer = await client.post(f"{url}/aichat/conversations", json=body, headers={"Authorization": "Bearer x"})
            refusal = await client.post(f"{url}/aichat/conversations", json={}, headers={"Authorization": "Bearer x"})
    assert answer.json()["answer"] == "hello"
    assert answer.json()["id"]
    assert refusal.status_code == 400
    assert refusal.json()["error"]["code"] == "bad_request"


async def test_unknown_faults_are_said() -> None:
    code, _, err = await run("upstream", "--port", "0", "--faults", "nonsense")
    assert code == 2
    assert "nonsense" in err


async def test_the_bot_joins_what_it_is_pointed_at_and_ends_in_order(joined: dict[str, str], side: Side) -> None:
    async with started("run", **joined) as process:
        await until(process.stderr, "ready")
        thread = await side.open(1, "say exactly: here")
        await side.until(lambda: (True, "here") in side.said(thread))


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_ends_it_at_once(
    joined: dict[str, str], side: Side, emulator: Emulator, first: signal.Signals, second: signal.Signals
) -> None:
    emulator.pace = 0.2  # the answer takes longer than the test
    process = await start("run", **joined)
    try:
        await until(process.stderr, "ready")
        thread = await side.open(1, "count to 100")
        await side.until(lambda: any(is_bot for is_bot, _ in side.said(thread)))
        process.send_signal(first)
        await until(process.stderr, "ending")
        process.send_signal(second)
        await asyncio.wait_for(process.communicate(), 15)  # less than its answer, and its grace
        assert process.returncode == -second
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_who_has_nothing_to_do_ends_soon_though_the_database_is_gone(
    joined: dict[str, str], postgres_url: str
) -> None:
    async with breaking(postgres_url) as (url, gone):
        # A grace that would be longer than the test is patient.
        more = {"BOBBIN_DATABASE__URL": url, "BOBBIN_SECRET_KEY": SECRET_KEY, "BOBBIN_SHUTDOWN_GRACE": "300"}
        async with started("run", "--only", "worker", **joined | more) as process:
            await until(process.stderr, "ready")
            gone()
            await until(process.stderr, "the database can't be reached")
            await until(process.stderr, "the engine can't reach the database")


async def test_the_doctor_finds_all_well(joined: dict[str, str]) -> None:
    code, out, _ = await run("doctor", **joined)
    assert code == 0, out
    assert out.count("✓") == 4 + len(platforms.names())  # what all share, and each, be it that it has no token


@pytest.mark.parametrize("name", STAND_INS)
async def test_the_doctor_says_what_to_do(joined: dict[str, str], emulator: Emulator, name: str) -> None:
    [secret, *_] = platforms.settings().secrets_of(name)
    emulator.faults.replace({"invalid_token": True})
    code, out, _ = await run("doctor", **joined | {secret: "wrong-token"})
    assert code == 1
    assert out.count("✗") == 2
    assert secret in out
    assert "wrong-token" not in out


@pytest.mark.parametrize(("command", "code"), [("migrate", 2), ("doctor", 1)])
async def test_a_database_that_is_gone_is_told_by_its_cause(joined: dict[str, str], command: str, code: int) -> None:
    url = {"BOBBIN_DATABASE__URL": "postgresql://bobbin:hush@127.0.0.1:9/x"}
    found, out, err = await run(command, **joined | url)
    assert found == code
    assert "Nothing listens at 127.0.0.1, port 9. Start PostgreSQL, or correct host and port" in out + err
    assert "hush" not in out + err


@pytest.mark.parametrize("name", platforms.names())
async def test_manifests_are_printed(name: str) -> None:
    code, out, _ = await run("manifest", name)
    assert (code, out.strip()) == (0, platforms.platform(name).manifest(platforms.settings().section(name)).strip())


async def test_a_manifest_of_nothing_says_what_there_is() -> None:
    choose = f"Choose {' or '.join(platforms.names())}."
    code, _, err = await run("manifest", "telegraph")
    assert (code, err.strip()) == (2, f"Unknown platform 'telegraph'. {choose}")
    code, _, err = await run("manifest")
    assert (code, err.strip()) == (2, f"Which platform? {choose}")


@pytest.mark.parametrize("command", [(), ("run",), ("upstream",)], ids=" ".join)
async def test_the_help_shows_flags_without_a_value(command: tuple[str, ...]) -> None:
    code, out, _ = await run(*command, "--help")
    assert (code, "bool" in out) == (0, False)
    assert "--help" in out


async def test_migrate_brings_a_database_up_to_date(tmp_path: Path) -> None:
    code, out, _ = await run("migrate", BOBBIN_DATABASE__URL=f"sqlite:///{tmp_path / 'new.db'}")
    assert (code, (tmp_path / "new.db").exists()) == (0, True)
    assert "up to date" in out


async def test_statistics_are_told_beside_a_running_bot(joined: dict[str, str], side: Side) -> None:
    code, _, err = await run("stats", **joined)
    assert (code, "bobbin migrate" in err) == (2, True)
    async with started("run", **joined) as process:
        await until(process.stderr, "ready")
        thread = await side.open(1, "say exactly: here")
        await side.until(lambda: (True, "here") in side.said(thread))
        code, out, _ = await run("stats", "--days", "2", **joined)
    assert code == 0
    head, line = out.splitlines()
    assert head.split()[-7:] == ["questions", "answers", "failures", "stopped", "open", "good", "bad"]
    assert line.split()[1:5] == ["default", "gpt-5.1", "1", "1"]


async def test_a_backup_holds_what_a_copy_of_the_file_would_lose(tmp_path: Path) -> None:
    file, copy = tmp_path / "bobbin.db", tmp_path / "copy.db"
    variables = {"BOBBIN_DATABASE__URL": f"sqlite:///{file}"}
    assert (await run("migrate", **variables))[0] == 0
    # As a running bot leaves it: what is newest stands beside the file.
    with closing(sqlite3.connect(file)) as bot:
        bot.execute("insert into notes values ('newest', 'told')")
        bot.commit()
        code, out, _ = await run("backup", str(copy), **variables)
        assert (code, f"{copy}: " in out) == (0, True)
        with closing(sqlite3.connect(copy)) as kept:
            assert kept.execute("select text from notes where name = 'newest'").fetchall() == [("told",)]
    assert [stat.S_IMODE(one.stat().st_mode) for one in (file, copy)] == [0o600, 0o600]
    code, _, err = await run("backup", str(copy), **variables)
    assert (code, "is there already" in err) == (2, True)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("sqlite:///nowhere.db", "there is no such file yet"),
        ("postgresql://somewhere/bobbin", "pg_dump"),
        ("sqlite:///damaged.db", "can't be copied"),
    ],
)
async def test_what_can_t_be_backed_up_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "damaged.db").write_text("Dear reader, " * 1000)
    code, _, err = await run("backup", str(tmp_path / "copy.db"), BOBBIN_DATABASE__URL=url)
    assert (code, told in err, (tmp_path / "copy.db").exists()) == (2, True, False)
