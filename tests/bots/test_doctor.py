from __future__ import annotations

import base64
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import psycopg
import pytest

from bots.doctor import examine
from core.engine import presence
from core.engine.presence import sharing
from core.storage.database import open_database
from core.storage.migrate import migrate
from sandbox.upstream import Emulator
from tests.pooler import deaf

GOOD, BAD = "a-good-token", "a-bad-token"
Doctor = Callable[..., Awaitable[tuple[int, dict[str, str]]]]


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with Emulator(token=GOOD) as running:
        yield running


@pytest.fixture
def doctor(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Doctor:
    """Examines what variables say; gives the exit code, and what stands of each part."""
    for name in [name for name in os.environ if name.startswith("BOBBIN_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    async def examined(**variables: str) -> tuple[int, dict[str, str]]:
        given = {"UPSTREAM__URL": emulator.url, "UPSTREAM__TOKEN": GOOD, **variables}
        for name, value in given.items():
            monkeypatch.setenv(f"BOBBIN_{name}", value)
        code = await examine()
        found: dict[str, str] = {}
        for line in capsys.readouterr().out.splitlines():
            part, _, sentence = line[2:].partition(": ")
            found[part] = f"{found.get(part, '')}{line[0]} {sentence}\n"
        return code, found

    return examined


@pytest.fixture
async def migrated(postgres_url: str) -> str:
    database = open_database(postgres_url)
    await migrate(database)
    await database.close()
    return postgres_url


async def test_each_token_is_tried_and_named_by_its_place(doctor: Doctor) -> None:
    code, found = await doctor(UPSTREAM__TOKENS=f"{BAD},{GOOD}")
    assert code == 1
    good, bad = found["upstream"].splitlines()
    assert good.startswith("✓")
    assert "token 1 of 2" in good
    assert bad.startswith("✗")
    assert "token 2 of 2" in bad
    assert BAD not in found["upstream"]


async def test_tokens_may_all_stand_together(doctor: Doctor) -> None:
    code, found = await doctor(UPSTREAM__TOKEN="", UPSTREAM__TOKENS=GOOD)
    assert code == 0
    assert "token 1" not in found["upstream"]


async def test_a_token_that_is_used_up_is_told_from_one_that_is_refused(doctor: Doctor, emulator: Emulator) -> None:
    emulator.faults.replace({"used_up": True})
    code, found = await doctor()
    assert code == 1
    assert "top it up" in found["upstream"]


async def test_a_service_that_is_down_is_told_once(doctor: Doctor) -> None:
    code, found = await doctor(UPSTREAM__URL="http://127.0.0.1:9", UPSTREAM__TOKENS=BAD)
    assert code == 1
    assert found["upstream"].count("✗") == 1


async def test_a_shared_database_is_well_before_and_after_its_first_start(doctor: Doctor, postgres_url: str) -> None:
    for _ in range(2):
        code, found = await doctor(DATABASE__URL=postgres_url)
        assert code == 0
        assert found["engine"].startswith("✓")
        database = open_database(postgres_url)
        await migrate(database)
        await database.close()


async def test_changed_tables_of_the_engine_are_found(doctor: Doctor, migrated: str) -> None:
    async with await psycopg.AsyncConnection.connect(migrated) as connection:
        await connection.execute("drop trigger bobbin_lock_is_free_after_delete on procrastinate_jobs")
    code, found = await doctor(DATABASE__URL=migrated)
    assert code == 1
    assert "bobbin migrate" in found["engine"]


async def test_processes_that_have_no_key_in_common_are_told_so(doctor: Doctor, migrated: str) -> None:
    discord = {"DISCORD__TOKEN": BAD, "DISCORD__API_URL": "http://127.0.0.1:9"}
    _, found = await doctor(DATABASE__URL=migrated, **discord)
    assert found["secret key"].startswith("✗")
    _, found = await doctor(ENGINE="embedded")
    assert "secret key" not in found
    _, found = await doctor(ENGINE="procrastinate", SECRET_KEY=base64.urlsafe_b64encode(bytes(32)).decode())
    assert "secret key" not in found


async def test_one_that_works_alone_is_found_beside_those_that_share(doctor: Doctor, migrated: str) -> None:
    database = open_database(migrated)
    async with database.sole(patience=0):
        code, found = await doctor(DATABASE__URL=migrated)
        assert code == 1
        assert "BOBBIN_ENGINE" in found["engine"]
        code, _ = await doctor(DATABASE__URL=migrated, ENGINE="embedded")
        assert code == 0  # it is the one that runs
    await database.close()


async def test_those_that_share_are_found_beside_one_that_works_alone(doctor: Doctor, migrated: str) -> None:
    async with sharing(migrated, patience=0):
        code, found = await doctor(DATABASE__URL=migrated, ENGINE="embedded")
    assert code == 1
    assert "BOBBIN_ENGINE" in found["engine"]


@pytest.mark.parametrize("engine", ["embedded", "procrastinate"])
async def test_a_pooler_that_swallows_notifications_is_found(
    doctor: Doctor, migrated: str, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    monkeypatch.setattr(presence, "HEARD_WITHIN", 0.5)
    async with deaf(migrated) as url:
        code, found = await doctor(DATABASE__URL=url, ENGINE=engine)
    assert code == 1
    assert "PgBouncer" in found["engine"]
    assert found["database"].startswith("✓")
