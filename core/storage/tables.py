"""The tables, as the newest migration leaves them."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    false,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only where the type is exactly INTEGER.
_RowNumber = BigInteger().with_variant(Integer, "sqlite")

threads = Table(
    "threads",
    metadata,
    Column("id", String(255), primary_key=True),
    Column("chat", String(32), nullable=False),
    Column("within", JSON, nullable=False),  # list of place ids, widest first
    Column("conversation", String(255)),  # NULL: the next question begins a new one
    Column("model", String(255), nullable=False, server_default=""),  # what the conversation was begun with
    # Rises with whatever makes the conversation differ from what was said here: a turn that was under way then
    # does not bring it back.
    Column("epoch", Integer, nullable=False, server_default="0"),
    Column("forgotten", BigInteger, nullable=False, server_default="0"),  # turns up to this id are not remembered
)

turns = Table(
    "turns",
    metadata,
    Column("id", _RowNumber, primary_key=True, autoincrement=True),
    Column("key", String(255), nullable=False, unique=True),
    Column("thread", String(255), ForeignKey("threads.id", ondelete="CASCADE"), nullable=False),
    Column("asker", String(255), nullable=False),
    Column("question", Text, nullable=False),
    Column("references", JSON, nullable=False),
    Column("status", String(16), nullable=False),
    Column("answer", Text, nullable=False, server_default=""),
    Column("problem", Text, nullable=False, server_default=""),
    Column("aside", Text, nullable=False, server_default=""),
    Column("revised", Text, nullable=False, server_default=""),
    Column("withdrawn", Boolean, nullable=False, server_default=false()),
    Column("reply", Text, nullable=False, server_default=""),
    Column("shown", Boolean, nullable=False, server_default=false()),
    Column("gave_up", String(255), nullable=False, server_default=""),  # why it is not shown, if it never could be
    Column("interruptions", Integer, nullable=False, server_default="0"),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("model", String(255), nullable=False, server_default=""),
    Column("reference", String(32), nullable=False),
    Column("trace", String(255), nullable=False, server_default=""),  # the upstream's own reference
    Column("accepted_at", DateTime(timezone=True), nullable=False),
    Column("done_at", DateTime(timezone=True)),
    Index("ix_turns_thread_id", "thread", "id"),
    # What is left to do, and only that: stays small however long the history grows.
    Index(
        "ix_turns_open",
        "thread",
        "id",
        sqlite_where=text("shown = 0"),
        postgresql_where=text("NOT shown"),
    ),
)

presets = Table(
    "presets",
    metadata,
    Column("place", String(255), primary_key=True),
    Column("name", String(64)),
    Column("model", String(255)),
    Column("instructions", Text),
    Column("changed_by", String(255), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
)

notes = Table(
    "notes",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("text", Text, nullable=False),
)


def is_ours(thing: object, name: str | None, kind: str, reflected: bool, _counterpart: object) -> bool:  # noqa: FBT001  # alembic's
    """Say to alembic whether a table is declared here; PostgreSQL holds the engine's as well."""
    del thing, reflected
    return kind != "table" or not (name or "").startswith("procrastinate_")
