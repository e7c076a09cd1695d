"""Can the database be used, and by whom?"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from bots.finding import Finding, Verdict
from core.errors import SetupError, StorageUnavailable
from core.storage.causes import cause
from core.storage.database import file_of, readable
from core.storage.look import look

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from core.settings import Settings

IN_USE = "a Bobbin is running on it; stop it before you start another"
READ_ONLY = (
    "PostgreSQL takes no changes: it is a standby, or the database was set to be read-only. Name the primary in "
    "BOBBIN_DATABASE__URL, or let the database be written to"
)
LEAST_FREE = 16 * 1024 * 1024  # bytes: SQLite's write-ahead log alone takes four


async def check(settings: Settings, least_free: int = LEAST_FREE) -> AsyncGenerator[Finding, None]:
    """*least_free*: bytes that a SQLite database's disk should have left. Raises SetupError."""
    url = settings.database.url.get_secret_value()
    seen = await look(url)
    if not seen.exists:
        yield Finding(f"{readable(url)} will be made at the first start")
    elif seen.has_newest_schema:
        yield Finding(f"{readable(url)} answers, and its schema is up to date")
    else:
        yield Finding(f"{readable(url)} answers; its schema will be upgraded at the next start")
    if seen.is_in_use:
        yield Finding(IN_USE, Verdict.ADVICE)
    if not seen.takes_changes:
        yield Finding(READ_ONLY, Verdict.WRONG)
    if (file := file_of(url)) and (free := shutil.disk_usage(file.parent).free) < least_free:
        yield Finding(
            f"only {free // 1024:,} kB are free on the disk of {file}: without room, no question is taken. Make room",
            Verdict.WRONG,
        )


async def check_engine(settings: Settings, hearing: float) -> AsyncGenerator[Finding, None]:
    """Raises SetupError. What keeps the database from being used at all `check` says."""
    url = settings.database.url.get_secret_value()
    try:
        seen = await look(url)
    except SetupError:
        return
    if not seen.takes_changes:
        return
    try:
        async for finding in _engine(
            url, hearing, shares_its_work=settings.shares_its_work, is_newest=seen.has_newest_schema
        ):
            yield finding
    except StorageUnavailable as error:
        yield Finding(cause(error, url), Verdict.WRONG)
    except ModuleNotFoundError:
        yield Finding("install what PostgreSQL needs: pip install 'bobbin-bot[postgres]'", Verdict.WRONG)


async def _engine(url: str, hearing: float, *, shares_its_work: bool, is_newest: bool) -> AsyncGenerator[Finding, None]:
    """Raises SetupError, StorageUnavailable, ModuleNotFoundError."""
    from core.engine import presence  # noqa: PLC0415  # who runs on SQLite doesn't have what this needs

    await presence.check_sessions(url, hearing)
    if shares_its_work:
        await _can_share(url, is_newest=is_newest)
        yield Finding("processes can share their work on this database")
        return
    who = await presence.present(url)
    if who == "several":
        raise SetupError(
            "engine is embedded here, but other processes share the work of this database by procrastinate: stop them, "
            "or set BOBBIN_ENGINE to the same for all"
        )
    yield Finding("embedded: one process does it all")
    if who == "one":
        yield Finding(IN_USE, Verdict.ADVICE)


async def _can_share(url: str, *, is_newest: bool) -> None:
    """Raises SetupError, StorageUnavailable."""
    from core.engine import presence  # noqa: PLC0415  # as above
    from core.engine.jobs import Jobs  # noqa: PLC0415

    if is_newest:  # else its tables are still to come
        jobs = Jobs(url)
        jobs.hurry()
        try:
            await jobs.open()
        finally:
            await jobs.close()
    async with presence.sharing(url, patience=0):
        return
