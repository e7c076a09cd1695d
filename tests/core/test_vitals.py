from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from core.vitals import Vitals, set_up_log


@pytest.fixture(autouse=True)
def log_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


async def test_all_is_well_when_every_part_is_up() -> None:
    vitals = Vitals()
    vitals.expect("database")
    vitals.expect("chat")
    assert vitals.troubles == {"database": "starting", "chat": "starting"}
    well = asyncio.create_task(vitals.well())
    vitals.up("database")
    await asyncio.sleep(0)
    assert not well.done()
    vitals.up("chat")
    await asyncio.wait_for(well, 1)
    vitals.down("chat", "interrupted")
    assert vitals.troubles == {"chat": "interrupted"}


@pytest.mark.parametrize("as_json", [True, False])
def test_no_secret_is_logged_wherever_it_stands(capsys: pytest.CaptureFixture[str], *, as_json: bool) -> None:
    set_up_log("DEBUG", as_json=as_json, secrets=["hush-hush", ""])
    log = structlog.get_logger("ours")
    log.info("the token is hush-hush", token="hush-hush", body={"token": "hush-hush"})
    logging.getLogger("a.library").warning("sent %s", {"authorization": "hush-hush"})
    try:
        int("hush-hush")
    except ValueError:
        log.exception("it failed")
    logged = capsys.readouterr().err
    assert "hush" not in logged
    assert logged.count("[redacted]") >= 5
    assert "ValueError" in logged


def test_lines_are_json_with_what_was_bound(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_log("INFO", as_json=True)
    with structlog.contextvars.bound_contextvars(reference="abc123"):
        structlog.get_logger("ours").warning("a turn failed")
        logging.getLogger("a.library").error("and so did we")
    ours, theirs = map(json.loads, capsys.readouterr().err.splitlines())
    assert (ours["event"], ours["level"], ours["reference"], ours["logger"]) == (
        "a turn failed",
        "warning",
        "abc123",
        "ours",
    )
    assert (theirs["event"], theirs["reference"]) == ("and so did we", "abc123")


def test_what_is_below_the_level_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_log("WARNING", as_json=True)
    structlog.get_logger("ours").info("chatter")
    logging.getLogger("httpx").info("chatter")
    assert capsys.readouterr().err == ""


def test_json_holds_lists_and_tables_not_pythons_words_for_them(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_log("INFO", as_json=True, secrets=["hush-hush"])
    structlog.get_logger("ours").info("ready", listens=("a",), well=True, nested={"token": ["hush-hush"]})
    line = json.loads(capsys.readouterr().err)
    assert (line["listens"], line["well"], line["nested"]) == (["a"], True, {"token": ["[redacted]"]})
