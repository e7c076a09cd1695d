"""The command line, as somebody at a shell meets it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from bots import platforms
from core.storage.database import open_database
from sandbox.upstream import Emulator
from tests.e2e.conftest import SECRET_KEY
from tests.pooler import aged, breaking

HOUSE = Path(__file__).parent.parent.parent


async def start(*words: str, **variables: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bots", *words),
        env={
            **os.environ,
            "PYTHONPATH": str(HOUSE),
            "BOBBIN_WEB__HOST": "127.0.0.1",
            "BOBBIN_WEB__PORT": "0",
            "BOBBIN_LOG__FORMAT": "console",
            **variables,
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def run(*words: str, **variables: str) -> tuple[int, str, str]:
    """Run to the end; return exit code, output and errors."""
    process = await start(*words, **variables)
    out, err = await asyncio.wait_for(process.communicate(), 40)
    assert process.returncode is not None
    assert "Traceback" not in err.decode(), err.decode()
    return process.returncode, out.decode(), err.decode()


async def until(stream: asyncio.StreamReader | None, text: str) -> str:
    """Read until *text* was read; return all of it."""
    assert stream
    read = ""
    async with asyncio.timeout(40):
        while text not in read:
            line = (await stream.readline()).decode()
            assert line, f"it ended before saying {text!r}:\n{read}"
            read += line
    return read


@asynccontextmanager
async def started(*words: str, **variables: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """While the context lasts it runs; then it is asked to end, and ends well."""
    process = await start(*words, **variables)
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        _, err = await asyncio.wait_for(process.communicate(), 20)
        assert process.returncode == 0, err.decode()
        assert "Traceback" not in err.decode(), err.decode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.fixture
def joined(emulator: Emulator, local_slack: Any, local_discord: Any, tmp_path: Path) -> dict[str, str]:
    """The variables of a bot that is joined to everything."""
    return {
        "BOBBIN_UPSTREAM__URL": emulator.url,
        "BOBBIN_UPSTREAM__TOKEN": "emulated",
        "BOBBIN_DATABASE__URL": f"sqlite:///{tmp_path / 'bobbin.db'}",
        "BOBBIN_SLACK__API_URL": local_slack.api_url,
        "BOBBIN_SLACK__BOT_TOKEN": local_slack.bot_token,
        "BOBBIN_SLACK__APP_TOKEN": local_slack.app_token,
        "BOBBIN_DISCORD__API_URL": local_discord.api_url,
        "BOBBIN_DISCORD__GATEWAY_URL": local_discord.gateway_url,
        "BOBBIN_DISCORD__TOKEN": local_discord.token,
    }


async def test_wrong_settings_are_all_said_at_once() -> None:
    code, _, err = await run("run", BOBBIN_WEB__PORT="many", BOBBIN_LOG__LEVEL="loud", BOBBIN_UPSTRAEM__URL="x")
    assert code == 2
    assert len(err.strip().splitlines()) == 3
    assert "BOBBIN_WEB__PORT" in err
    assert "BOBBIN_LOG__LEVEL" in err
    assert "BOBBIN_UPSTRAEM__URL" in err


@pytest.mark.parametrize("platform", ["slack", "discord"])
async def test_a_wrong_token_is_one_sentence_and_an_exit_code(joined: dict[str, str], platform: str) -> None:
    secret = "BOBBIN_SLACK__BOT_TOKEN" if platform == "slack" else "BOBBIN_DISCORD__TOKEN"
    mine = {
        name: value for name, value in joined.items() if "BOBBIN_SLACK" not in name and "BOBBIN_DISCORD" not in name
    }
    mine |= {name: value for name, value in joined.items() if f"BOBBIN_{platform.upper()}" in name}
    code, _, err = await run("run", **mine | {secret: "wrong-token"})
    assert code == 2
    last = err.strip().splitlines()[-1]
    assert secret in last
    assert "wrong-token" not in err


async def test_without_the_services_token_it_says_so(joined: dict[str, str]) -> None:
    code, _, err = await run("run", **joined | {"BOBBIN_UPSTREAM__TOKEN": ""})
    assert (code, "BOBBIN_UPSTREAM__TOKEN" in err) == (2, True)


async def test_with_no_tokens_the_sandbox_answers_on_both_platforms_from_memory() -> None:
    async with started("run") as process:
        said = await until(process.stdout, "Ctrl-C ends")
    assert "No platform has a token" in said
    assert "Your favourite colour is teal" in said
    assert "the launch is on Friday" in said.partition("You told me")[2]


@pytest.mark.parametrize("part", ["worker", "slack"])
async def test_a_part_without_tokens_is_not_the_sandbox(part: str) -> None:
    code, out, err = await run("run", "--only", part)
    assert (code, out) == (2, "")
    assert "BOBBIN_SLACK__BOT_TOKEN" in err


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


async def test_a_part_whose_platform_has_no_token_says_which(joined: dict[str, str]) -> None:
    code, _, err = await run("run", "--only", "discord", **joined | {"BOBBIN_DISCORD__TOKEN": ""})
    assert (code, "BOBBIN_DISCORD__TOKEN" in err) == (2, True)


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


async def test_a_script_is_played_and_printed(tmp_path: Path) -> None:
    script = tmp_path / "script.txt"
    script.write_text(
        "# a comment\n"
        "slack ada #general: @bobbin say exactly: one\n\n"
        "discord ben dm: say exactly: two\n"
        "say exactly: three\n"
        "discord ada #general: /preset set model=o3\n"
        "slack ben #random: nice weather\n"
    )
    code, out, _ = await run("sandbox", "--script", str(script))
    assert code == 0
    unasked = "(Bobbin wasn't mentioned, so it stays quiet – add @bobbin)"
    for text in ("bobbin │ one", "bobbin │ two", "bobbin │ three", "`o3`", unasked):
        assert text in out


async def test_a_script_that_makes_no_sense_is_said(tmp_path: Path) -> None:
    script = tmp_path / "script.txt"
    script.write_text("what?\n")
    code, _, err = await run("sandbox", "--script", str(script))
    assert code == 2
    assert "what?" in err


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


async def test_the_bot_joins_what_it_is_pointed_at_and_ends_in_order(joined: dict[str, str], local_slack: Any) -> None:
    async with started("run", **joined) as process:
        await until(process.stderr, "ready")
        await local_slack.say("ada", "general", "@bobbin say exactly: here")
        await local_slack.wait_for(lambda: len(local_slack.messages("general")) == 2, 10)


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_ends_it_at_once(
    joined: dict[str, str], local_slack: Any, emulator: Emulator, first: signal.Signals, second: signal.Signals
) -> None:
    emulator.pace = 0.2  # the answer takes longer than the test
    process = await start("run", **joined)
    try:
        await until(process.stderr, "ready")
        await local_slack.say("ada", "general", "@bobbin count to 100")
        await local_slack.wait_for(lambda: len(local_slack.messages("general")) > 1, 10)
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
    assert out.count("✓") == 3 + len(platforms.names())  # and what all of them share


async def test_the_doctor_says_what_to_do(joined: dict[str, str], emulator: Emulator) -> None:
    emulator.faults.replace({"invalid_token": True})
    code, out, _ = await run("doctor", **joined | {"BOBBIN_SLACK__BOT_TOKEN": "wrong-token"})
    assert code == 1
    assert out.count("✗") == 2
    assert "BOBBIN_SLACK__BOT_TOKEN" in out
    assert "wrong-token" not in out


async def test_the_doctor_finds_the_database_gone(joined: dict[str, str]) -> None:
    code, out, _ = await run("doctor", **joined | {"BOBBIN_DATABASE__URL": "postgresql://bobbin:hush@127.0.0.1:9/x"})
    assert code == 1
    assert "✗ database" in out
    assert "hush" not in out


async def test_manifests_are_printed() -> None:
    _, slack, _ = await run("manifest", "slack")
    assert json.loads(slack)["settings"]["socket_mode_enabled"]
    _, discord, _ = await run("manifest", "discord")
    assert discord.startswith("https://discord.com/oauth2/authorize?")
    code, _, err = await run("manifest", "telegraph")
    assert (code, ", ".join(platforms.names()) in err) == (2, True)


async def test_migrate_brings_a_database_up_to_date(tmp_path: Path) -> None:
    code, out, _ = await run("migrate", BOBBIN_DATABASE__URL=f"sqlite:///{tmp_path / 'new.db'}")
    assert (code, (tmp_path / "new.db").exists()) == (0, True)
    assert "up to date" in out
