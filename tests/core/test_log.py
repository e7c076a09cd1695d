from __future__ import annotations

import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator

import pytest
import structlog

from core.log import FOREIGN, OURS, set_up_log


@pytest.fixture(autouse=True)
def log_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    hooks, showwarning = (sys.excepthook, threading.excepthook, sys.unraisablehook), warnings.showwarning
    yield
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    warnings.showwarning = showwarning
    for name in OURS:
        logging.getLogger(name).setLevel(logging.NOTSET)
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize("as_json", [True, False])
def test_no_secret_is_logged_wherever_it_stands(capsys: pytest.CaptureFixture[str], *, as_json: bool) -> None:
    set_up_log("DEBUG", as_json=as_json, secrets=["hush-hush", ""])
    log = structlog.get_logger("core.ours")
    log.info("the token is hush-hush", token="hush-hush", body={"token": "hush-hush"})
    logging.getLogger("a.library").warning("sent %s", {"authorization": "hush-hush"})
    try:
        int("hush-hush")
    except ValueError:
        log.exception("it failed")
    logged = capsys.readouterr().err
    assert "hush" not in logged
    assert logged.count("[redacted]") >= 4
    assert "ValueError" in logged


def test_lines_are_json_with_what_was_bound(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_log("INFO", as_json=True)
    with structlog.contextvars.bound_contextvars(reference="abc123"):
        structlog.get_logger("core.ours").warning("a turn failed")
        logging.getLogger("a.library").error("and so did we")  # a sentence of this very source
    ours, theirs = map(json.loads, capsys.readouterr().err.splitlines())
    assert list(ours)[:3] == ["timestamp", "level", "event"]
    assert (ours["event"], ours["level"], ours["reference"], ours["logger"]) == (
        "a turn failed",
        "warning",
        "abc123",
        "core.ours",
    )
    assert theirs["event"].startswith("and so did we (test_log.py:")
    assert (theirs["logger"], theirs["level"], theirs["reference"]) == ("a.library", "error", "abc123")


def test_what_is_below_the_level_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_log("WARNING", as_json=True)
    structlog.get_logger("core.ours").info("chatter")
    logging.getLogger("httpx").info("chatter")
    assert capsys.readouterr().err == ""


def test_json_holds_lists_and_tables_not_pythons_words_for_them(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_log("INFO", as_json=True, secrets=["hush-hush"])
    structlog.get_logger("core.ours").info("ready", listens=("a",), well=True, nested={"token": ["hush-hush"]})
    line = json.loads(capsys.readouterr().err)
    assert (line["listens"], line["well"], line["nested"]) == (["a"], True, {"token": ["[redacted]"]})


WORDS = "what-somebody-wrote"


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR"])
@pytest.mark.parametrize("as_json", [True, False])
def test_a_library_writes_no_words_whatever_it_says(
    capsys: pytest.CaptureFixture[str], level: str, *, as_json: bool
) -> None:
    set_up_log(level, as_json=as_json)
    library = logging.getLogger("some.library")
    library.setLevel(logging.DEBUG)  # as some do by themselves
    for say in (library.debug, library.info, library.warning, library.error):
        say("heard %s", WORDS)
        say(f"heard {WORDS}")  # as libraries do
        say({"heard": WORDS})
        say("%s", WORDS)
        say("heard %d", WORDS)  # which logging itself can't write
    try:
        raise KeyError(WORDS) from ValueError(WORDS)  # noqa: TRY301
    except KeyError as error:
        error.add_note(WORDS)
        library.exception("it failed over %s", WORDS)
        library.error("it failed", exc_info=error, stack_info=True)
    logged = capsys.readouterr().err
    assert WORDS not in logged
    assert "it failed over %s (test_log.py:" in logged
    assert FOREIGN in logged
    assert "some.library" in logged
    assert "KeyError" in logged
    assert "ValueError" in logged
    assert "which is the cause of" in logged


def test_what_a_library_says_below_a_warning_is_not_even_put_together() -> None:
    set_up_log("DEBUG", as_json=True)
    assert not logging.getLogger("another.library").isEnabledFor(logging.INFO)
    assert logging.getLogger("bots.some").isEnabledFor(logging.DEBUG)


def test_our_errors_are_told_by_type_and_place(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_log("INFO", as_json=True)
    try:
        raise ExceptionGroup(WORDS, [ValueError(WORDS), KeyError(WORDS)])  # noqa: TRY301
    except ExceptionGroup:
        structlog.get_logger("core.ours").exception("it failed")
    logged = capsys.readouterr().err
    assert WORDS not in logged
    told = json.loads(logged)["exception"]
    assert all(kind in told for kind in ("ExceptionGroup", "ValueError", "KeyError", "test_log.py"))


def test_what_python_itself_would_print_is_a_line_without_words(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_log("INFO", as_json=True)

    def fail() -> None:
        raise ValueError(WORDS)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning(WORDS, UserWarning, "/somewhere/there.py", 7)
    sys.excepthook(ValueError, ValueError(WORDS), None)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert WORDS not in str(lines)
    assert [line["level"] for line in lines] == ["error", "warning", "critical"]
    assert lines[1]["where"] == "there.py:7"


def test_values_are_json_or_a_types_name(capsys: pytest.CaptureFixture[str]) -> None:
    class Question:
        def __repr__(self) -> str:
            return WORDS

    set_up_log("INFO", as_json=True)
    values = {"many": {2, 1}, "share": float("nan"), "asked": Question(), "raw": WORDS.encode(), "none": None}
    structlog.get_logger("core.ours").info("ready", **values)
    line = json.loads(capsys.readouterr().err, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert {name: line[name] for name in values} == {
        "many": [1, 2],
        "share": "nan",
        "asked": "Question",
        "raw": "bytes",
        "none": None,
    }
