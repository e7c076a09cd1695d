"""Brings a database to the newest schema, and says whether it is there."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from core.storage.database import Database

_LOCK = 0x626F6262  # any number of our own: "bobb"


async def migrate(database: Database) -> None:
    """Run what is missing; safe to be called by several processes at once. Raises StorageUnavailable."""
    await database.run(_upgrade)


async def is_current(database: Database) -> bool:
    """Has the database the newest schema? Raises StorageUnavailable."""
    return await database.run(_revision) == ScriptDirectory.from_config(_config()).get_current_head()


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        # Two replicas that start together: the second waits here and then finds nothing left to do.
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    return config
