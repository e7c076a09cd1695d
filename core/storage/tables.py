"""The tables, as the newest migration leaves them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    false,
)

from core.words import LONGEST_ID, keepable, whole

if TYPE_CHECKING:
    from sqlalchemy import Dialect

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Words(TypeDecorator[str]):
    """Text of people, models and services: whatever they send, it can be written."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        del dialect
        return None if value is None else whole(value)


class Id(TypeDecorator[str]):
    """A name that somebody else gave, sought and written in the form that fits. SQLite would take any length."""

    impl = String(LONGEST_ID)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        del dialect
        return None if value is None else keepable(value)


# SQLite numbers rows by itself only where the type is exactly INTEGER.
_RowNumber = BigInteger().with_variant(Integer, "sqlite")

threads = Table(
    "threads",
    metadata,
    Column("id", Id, primary_key=True),
    Column("chat", String(32), nullable=False),
    Column("within", JSON, nullable=False),  # list of place ids, widest first
    Column("conversation", Id),  # NULL: the next question begins a new one
    Column("model", Id, nullable=False, server_default=""),  # what the conversation was begun with
    # Rises with whatever makes the conversation differ from what was said here: a turn that was under way then
    # does not bring it back.
    Column("epoch", Integer, nullable=False, server_default="0"),
    Column("forgotten", BigInteger, nullable=False, server_default="0"),  # turns up to this id are not remembered
    # The thread that it goes on from, and the last turn of it that is known here; null: it began by itself.
    Column("branch_of", Id),
    Column("branched_at", BigInteger, nullable=False, server_default="0"),
)

turns = Table(
    "turns",
    metadata,
    Column("id", _RowNumber, primary_key=True, autoincrement=True),
    Column("key", Id, nullable=False, unique=True),
    Column("thread", Id, ForeignKey("threads.id", ondelete="CASCADE"), nullable=False),
    Column("workspace", Id),  # the widest place that the thread lies in; null: recorded by an earlier version
    Column("asker", Id, nullable=False),
    Column("question", Words, nullable=False),
    Column("references", JSON, nullable=False),  # the URLs among the next, for processes of an earlier version
    Column("attachments", JSON),  # objects with the fields of core.attachment's; null: recorded by an earlier version
    Column("asker_name", Words, nullable=False, server_default=""),
    Column("quotes", JSON),  # objects with the fields of core.quote's; null: none
    Column("private", Boolean, nullable=False, server_default=false()),
    Column("unseen", Boolean, nullable=False, server_default=false()),
    Column("preset", Id, nullable=False, server_default=""),
    Column("language", String(8), nullable=False, server_default=""),
    Column("status", String(16), nullable=False),
    Column("answer", Words, nullable=False, server_default=""),
    Column("problem", Words, nullable=False, server_default=""),
    Column("aside", Words, nullable=False, server_default=""),
    Column("final", Boolean, nullable=False, server_default=false()),
    Column("revised", Words, nullable=False, server_default=""),
    Column("edition", BigInteger, nullable=False, server_default="0"),
    Column("withdrawn", Boolean, nullable=False, server_default=false()),
    Column("reply", Words, nullable=False, server_default=""),
    Column("shown", Boolean, nullable=False, server_default=false()),
    Column("gave_up", Id, nullable=False, server_default=""),  # why it is not shown, if it never could be
    Column("interruptions", Integer, nullable=False, server_default="0"),
    Column("stopping", Boolean, nullable=False, server_default=false()),  # whoever is at it is to stop
    Column("stopped_by", Id, nullable=False, server_default=""),  # the id of who wanted that; empty: it came of a mute
    Column("waited", Boolean, nullable=False, server_default=false()),  # others of its thread were before it
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("model", Id, nullable=False, server_default=""),
    Column("reference", String(32), nullable=False),
    Column("trace", Id, nullable=False, server_default=""),  # the upstream's own reference
    Column("cut", Boolean, nullable=False, server_default=false()),
    Column("answered_as", Id, nullable=False, server_default=""),
    Column("seconds", Float, nullable=False, server_default="0"),
    Column("accepted_at", DateTime(timezone=True), nullable=False),
    Column("done_at", DateTime(timezone=True)),
    Index("ix_turns_thread_id", "thread", "id"),
    # What is left to do, and only that, as the migrations say where they make these two: they stay small however long the
    # history grows. Said here as well, it would load what SQLAlchemy has for each kind of database.
    Index(
        "ix_turns_open",
        "thread",
        "id",
    ),
    Index(
        "ix_turns_open_in_workspace",
        "workspace",
        "asker",
    ),
)

presets = Table(
    "presets",
    metadata,
    Column("place", Id, primary_key=True),
    Column("name", String(64)),
    Column("model", Id),
    Column("instructions", Words),
    Column("follow", String(16)),
    Column("changed_by", Id, nullable=False),
    Column("changed_in", String(8), nullable=False, server_default=""),  # the language that they speak
    Column("changed_at", DateTime(timezone=True), nullable=False),
)

# How the bot stands in a thread, or in a channel: what people told it there about listening without a mention.
stances = Table(
    "stances",
    metadata,
    Column("place", Id, primary_key=True),  # the id of a thread, or of a channel's place
    Column("muted", Boolean, nullable=False, server_default=false()),
    Column("left", BigInteger, nullable=False, server_default="0"),  # it was told to leave after the turn of this id
    Column("told", Boolean, nullable=False, server_default=false()),  # were people told that it needs a mention there?
    Column("changed_by", Id, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
)

# What people think of an answer: each one's newest verdict.
feedback = Table(
    "feedback",
    metadata,
    Column("turn", _RowNumber, ForeignKey("turns.id", ondelete="CASCADE"), primary_key=True),
    Column("person", Id, primary_key=True),
    Column("verdict", String(16), nullable=False),
    Column("comment", Words, nullable=False, server_default=""),
    Column("attempt", Integer, nullable=False),  # whose answer it is about, and
    Column("model", Id, nullable=False),  # which model gave that
    Column("at", DateTime(timezone=True), nullable=False),
)

# How much was asked by each person and in each channel, in a minute and a day that began with a question; the times are
# milliseconds since 1970. Apart from the turns, so that counting doesn't take longer the more there are.
rates = Table(
    "rates",
    metadata,
    Column("subject", Id, primary_key=True),
    Column("minute_began", BigInteger, nullable=False),
    Column("minute_count", Integer, nullable=False),
    Column("day_began", BigInteger, nullable=False),
    Column("day_count", Integer, nullable=False),
)

# What the processes use up together of what a platform lets them do, and hold of it. A row is written as a whole, by whoever
# has locked it; what it says is over within minutes.
budgets = Table(
    "budgets",
    metadata,
    Column("name", Id, primary_key=True),
    Column("state", JSON, nullable=False),
)

notes = Table(
    "notes",
    metadata,
    Column("name", Id, primary_key=True),
    Column("text", Words, nullable=False),
)


def is_ours(thing: object, name: str | None, kind: str, reflected: bool, _counterpart: object) -> bool:  # noqa: FBT001  # alembic's
    """Say to alembic whether a table is declared here; PostgreSQL holds the engine's as well."""
    del thing, reflected
    return kind != "table" or not (name or "").startswith("procrastinate_")
