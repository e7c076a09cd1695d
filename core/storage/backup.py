"""Copies a SQLite database while it is in use: its newest changes stand in a file beside it, which a plain copy leaves out."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from core.errors import SetupError, reason
from core.storage.database import file_of, readable

if TYPE_CHECKING:
    from pathlib import Path

_PAGES = 500  # copied at a time: a running bot has to wait for no longer than that takes
_BETWEEN = 0.01  # seconds


def back_up(url: str, to: Path) -> int:
    """Copy the database of *url* into the new file *to*, for its owner's eyes only; return its size in bytes.

    Raises SetupError. https://www.sqlite.org/backup.html
    """
    source = file_of(url)
    if source is None:
        raise SetupError(f"{readable(url)} is no SQLite file. Back up PostgreSQL by its own means, such as pg_dump.")
    if not source.is_file():
        raise SetupError(f"{readable(url)}: there is no such file yet.")
    try:
        os.close(os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        raise SetupError(f"{to} is there already. Name a new file.") from None
    except OSError as error:
        raise SetupError(f"{to} can't be written: {reason(error)}.") from None
    try:
        read_only = f"{source.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(read_only, uri=True)) as database, closing(sqlite3.connect(to)) as copy:
            database.backup(copy, pages=_PAGES, sleep=_BETWEEN)
    except sqlite3.Error as error:
        to.unlink()
        raise SetupError(f"{readable(url)} can't be copied: {error}.") from None
    return to.stat().st_size
