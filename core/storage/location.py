"""Finds permanent problems with the location of a SQLite file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from core.errors import SetupError

if TYPE_CHECKING:
    from pathlib import Path

# What SQLite keeps beside a database (https://www.sqlite.org/tempfiles.html), and our own lock.
LOCK = ".lock"
BESIDE = ("", "-wal", "-shm", LOCK)


def check_location(file: Path) -> None:
    """Raises SetupError unless this process can keep a database in *file*, which is no symbolic link."""
    folder = file.parent
    if not folder.is_dir():
        raise SetupError(f"database.url: there is no folder {folder}; make it, or name another.")
    if file.is_dir():
        raise SetupError(f"database.url: {file} is a folder; name a file in it.")
    if file.exists() and file.stat().st_nlink > 1:
        # https://www.sqlite.org/howtocorrupt.html#_multiple_links_to_the_same_file
        raise SetupError(
            f"database.url: {file} has a second name, a hard link, and SQLite damages a database that is opened by both. "
            f"Delete the other, which this finds: find / -xdev -samefile {file}"
        )
    beside = (file.with_name(f"{file.name}{end}") for end in BESIDE)
    needed = [(folder, os.W_OK | os.X_OK), *((path, os.R_OK | os.W_OK) for path in beside if path.exists())]
    for path, way in needed:
        if not os.access(path, way):
            if os.statvfs(path).f_flag & os.ST_RDONLY:
                raise SetupError(
                    f"database.url: {path} lies on a file system that is mounted read-only. Mount it so that it can be "
                    "written to, or name another place."
                )
            found = path.stat()
            raise SetupError(
                f"database.url: no permission to write to {path}. It belongs to uid {found.st_uid}, gid {found.st_gid} (mode "
                f"{found.st_mode & 0o7777:04o}), and Bobbin runs as uid {os.geteuid()}, gid {os.getegid()}: change its owner "
                "with chown, run Bobbin as a user who may write there, or name another place."
            )
