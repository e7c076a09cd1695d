"""Several tokens, and several processes on one database."""

from __future__ import annotations

import base64

import psycopg
import pytest

from core.engine.presence import sharing
from core.storage.database import open_database
from core.storage.migrate import migrate
from sandbox.upstream import Emulator
from tests.doctor.conftest import BAD, GOOD, Doctor
from tests.pooler import deaf


@pytest.fixture
async def migrated(postgres_url: str) -> str:
    database = open_database(postgres_url)
    await migrate(database)
    await database.close()
    return postgres_url


async def test_each_token_is_tried_and_named_by_its_place(doctor: Doctor) -> None:
    report = await doctor(UPSTREAM__TOKENS=f"{BAD},{GOOD}")
    assert report.code == 1
    good, bad = sorted(report.found["upstream"].splitlines())
    assert good.startswith("✓")
    assert "token 1 of 2" in good
    assert bad.startswith("✗")
    assert "token 2 of 2" in bad
    assert BAD not in report.found["upstream"]


async def test_tokens_may_all_stand_together(doctor: Doctor) -> None:
    report = await doctor(UPSTREAM__TOKEN="", UPSTREAM__TOKENS=GOOD)
    assert "upstream" not in report.faults
    assert "token 1" not in report.found["upstream"]


async def test_a_token_that_is_used_up_is_told_from_one_that_is_refused(doctor: Doctor, emulator: Emulator) -> None:
    emulator.faults.replace({"used_up": True})
    report = await doctor()
    assert report.faults >= {"upstream"}
    assert "Top it up" in report.found["upstream"]


async def test_a_service_that_is_down_is_told_once(doctor: Doctor) -> None:
    report = await doctor(UPSTREAM__URL="http://127.0.0.1:9", UPSTREAM__TOKENS=BAD)
    assert report.found["upstream"].count("✗") == 1


async def test_a_shared_database_is_well_before_and_after_its_first_start(doctor: Doctor, postgres_url: str) -> None:
    for _ in range(2):
        report = await doctor(DATABASE__URL=postgres_url)
        assert not report.faults & {"database", "engine"}
        assert report.found["engine"].startswith("✓")
        database = open_database(postgres_url)
        await migrate(database)
        await database.close()


async def test_changed_tables_of_the_engine_are_found(doctor: Doctor, migrated: str) -> None:
    async with await psycopg.AsyncConnection.connect(migrated) as connection:
        await connection.execute("drop trigger bobbin_lock_is_free_after_delete on procrastinate_jobs")
    report = await doctor(DATABASE__URL=migrated)
    assert report.faults >= {"engine"}
    assert "bobbin migrate" in report.found["engine"]


async def test_processes_that_have_no_key_in_common_are_told_so(
    doctor: Doctor, migrated: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.platforms.configured", lambda _: ["upstream"])
    monkeypatch.setattr("core.sections.UpstreamSection.seals", True)
    assert "secret key" in (await doctor(DATABASE__URL=migrated)).faults
    assert "secret key" not in (await doctor(ENGINE="embedded")).found
    key = base64.urlsafe_b64encode(bytes(32)).decode()
    assert "secret key" not in (await doctor(ENGINE="procrastinate", SECRET_KEY=key)).found


async def test_one_that_works_alone_is_found_beside_those_that_share(doctor: Doctor, migrated: str) -> None:
    database = open_database(migrated)
    async with database.sole(patience=0):
        report = await doctor(DATABASE__URL=migrated)
        assert "BOBBIN_ENGINE" in report.found["engine"]
        assert "engine" in report.faults
        report = await doctor(DATABASE__URL=migrated, ENGINE="embedded")
        assert "engine" not in report.faults  # it may be the one that runs
        assert "! a Bobbin is running on it" in report.found["engine"]
    await database.close()


async def test_those_that_share_are_found_beside_one_that_works_alone(doctor: Doctor, migrated: str) -> None:
    async with sharing(migrated, patience=0):
        report = await doctor(DATABASE__URL=migrated, ENGINE="embedded")
    assert "engine" in report.faults
    assert "BOBBIN_ENGINE" in report.found["engine"]


@pytest.mark.parametrize("engine", ["embedded", "procrastinate"])
async def test_a_pooler_that_swallows_notifications_is_found(doctor: Doctor, migrated: str, engine: str) -> None:
    async with deaf(migrated) as url:
        report = await doctor({"hearing": 0.5}, DATABASE__URL=url, ENGINE=engine)
    assert "PgBouncer" in report.found["engine"]
    assert report.faults >= {"engine"}
    assert report.found["database"].startswith("✓")
