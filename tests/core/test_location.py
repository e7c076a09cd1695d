from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.errors import SetupError, reason
from core.storage.location import check_location


def test_a_place_for_a_database_is_taken_as_it_is(tmp_path: Path) -> None:
    check_location(tmp_path / "bobbin.db")
    for end in ("", "-wal", "-shm", ".lock"):
        (tmp_path / f"bobbin.db{end}").touch()
    check_location(tmp_path / "bobbin.db")


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="is a folder"):
        check_location(tmp_path)


def test_a_file_with_a_second_name_is_refused_by_both(tmp_path: Path) -> None:
    (tmp_path / "bobbin.db").touch()
    (tmp_path / "other.db").hardlink_to(tmp_path / "bobbin.db")
    for name in ("bobbin.db", "other.db"):
        with pytest.raises(SetupError, match="a hard link"):
            check_location(tmp_path / name)


@pytest.mark.parametrize("closed", ["", "bobbin.db", "bobbin.db-wal", "bobbin.db.lock"])
def test_what_can_not_be_written_to_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed: str) -> None:
    # Root may write anywhere, so that permissions alone would test nothing there.
    if closed:
        (tmp_path / closed).touch()
    monkeypatch.setattr(os, "access", lambda path, _way: path != tmp_path / closed)
    with pytest.raises(SetupError, match=rf"write to {tmp_path / closed}\."):
        check_location(tmp_path / "bobbin.db")


def test_a_file_system_that_is_mounted_read_only_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # To mount one takes more rights than a test has.
    monkeypatch.setattr(os, "access", lambda path, _way: path != tmp_path)
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=os.ST_RDONLY))
    with pytest.raises(SetupError, match=rf"{tmp_path} lies on a file system that is mounted read-only\. Mount it"):
        check_location(tmp_path / "bobbin.db")


@pytest.mark.parametrize(
    "error", [OSError("could not bind on any address"), OSError(None, "could not bind on any address")]
)
def test_the_reason_why_a_port_is_closed_is_never_success(error: OSError) -> None:
    assert reason(error) == "could not bind on any address"


def test_the_systems_own_reasons_are_short() -> None:
    assert reason(OSError(98, "error while attempting to bind on address ('127.0.0.1', 1): in use")) == os.strerror(98)
