"""Brings a database to the newest schema, and says whether it is there."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from sqlalchemy import String, column, inspect, select, table, text
from sqlalchemy.exc import ProgrammingError

from core.errors import SetupError, StorageUnavailable
from core.storage.tables import metadata
from core.storage.trouble import is_damaged

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from core.storage.database import Database

OLDEST_POSTGRESQL = 14  # earlier ones have had no fixes since 2025: https://www.postgresql.org/support/versioning
_HELD = "alembic_version"  # the table of what was run here
_LOCK = 0x626F6262  # any number of our own: "bobb"
_MAY_NOT = "42501"  # https://www.postgresql.org/docs/current/errcodes-appendix.html: insufficient_privilege
_MEND = "Restore a backup, or name another file in BOBBIN_DATABASE__URL."
_ELSE = "or set BOBBIN_DATABASE__URL to a database of Bobbin's own."


async def migrate(database: Database) -> None:
    """Run what is missing; safe to be called by several processes at once.

    Raises StorageUnavailable; SetupError for a database that this version can't work with, and then changes nothing.
    """
    try:
        await database.run(_upgrade)
    except StorageUnavailable as error:
        if is_damaged(error.__cause__):
            raise SetupError(
                f"What stands in the database's file is not a SQLite database, or it is damaged. {_MEND}"
            ) from error
        raise


async def is_current(database: Database) -> bool:
    """Has the database the newest schema? Raises as `migrate` does, for False can be mended by that."""
    return await database.run(is_newest)


def is_newest(connection: Connection) -> bool:
    """The same of a connection."""
    return _revision(connection) == revisions()[-1]


@cache
def revisions() -> tuple[str, ...]:
    """The migrations that this version has, the newest last, as their files are called."""
    scripts = (files("migrations") / "versions").iterdir()
    return tuple(sorted(script.name.partition("_")[0] for script in scripts if script.name.endswith(".py")))


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        # Two replicas that start together: the second waits here and then finds nothing left to do.
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    if is_newest(connection):
        return
    # A process that has nothing to bring up to date does without what this loads, for as long as it runs.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", "") != _MAY_NOT:
            raise
        raise SetupError(
            "The user named in BOBBIN_DATABASE__URL may not create tables in this database. Make that user the "
            "database's owner, or run `bobbin migrate` as its owner."
        ) from error


def _revision(connection: Connection) -> str | None:
    """The newest migration that was run here; None if none was. Raises SetupError for what this version can't work with."""
    if connection.dialect.name == "postgresql":
        _check_version(int(connection.exec_driver_sql("show server_version_num").scalar_one()))
    held = select(column("version_num", String)).select_from(table(_HELD))
    found = connection.scalars(held).all() if inspect(connection).has_table(_HELD) else []
    newest = revisions()[-1]
    if not found:
        if others := sorted(metadata.tables.keys() & set(inspect(connection).get_table_names())):
            raise SetupError(
                f"The database already has tables called {', '.join(others)}, and nothing in it says that they are "
                f"Bobbin's. Restore a backup if they are, {_ELSE}"
            )
        return None
    if len(found) == 1 and found[0] in revisions():
        return found[0]
    if len(found) == 1 and found[0].isdecimal() and found[0] > newest:
        raise SetupError(
            f"The database was upgraded by a newer Bobbin: its schema is number {found[0][:20]}, and this version knows "
            f"them up to {newest}. Install the newer version again, or restore a backup from before the upgrade."
        )
    raise SetupError(
        f"The database's table {_HELD} holds what no version of Bobbin writes there, so that its schema can't be "
        f"told. Restore a backup, {_ELSE}"
    )


def _check_version(number: int) -> None:
    """*number* is as https://www.postgresql.org/docs/current/libpq-status.html#LIBPQ-PQSERVERVERSION says: 180004 is 18.4."""
    major, minor = divmod(number, 10_000)
    if major < OLDEST_POSTGRESQL:
        raise SetupError(
            f"The database is PostgreSQL {major}.{minor}, and Bobbin needs version {OLDEST_POSTGRESQL} or newer. Upgrade "
            "the server, or set BOBBIN_DATABASE__URL to a newer one."
        )
