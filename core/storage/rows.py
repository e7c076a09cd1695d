"""Turns, threads and presets as rows: how they are found, written, and taken on.

The statements of every turn are built once: to build one takes longer than to run it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

from sqlalchemy import Integer, and_, bindparam, case, delete, exists, func, null, or_, select, update

from core import attachment, quote
from core.attachment import file
from core.errors import Overtaken
from core.preset import Follow, Preset
from core.storage.tables import presets, threads, turns
from core.thread import Conversation, PlaceId, Thread, ThreadId
from core.turn import Question, QuestionKey, Reply, Status, Turn, TurnId
from core.words import keepable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from sqlalchemy import ColumnElement, Connection, FromClause, Row, Table
    from sqlalchemy.dialects import postgresql

    from core.attachment import Attachment


# The thread of questions that were deleted before anybody knew where they were asked: of no chat.
_NOWHERE = {"id": "", "chat": "", "within": []}
_UNBURIED_AT_ONCE = 10  # old ones that make place for a new one


def insert_into(connection: Connection, table: Table) -> postgresql.Insert:
    """An insert that may say what happens on a conflict."""
    return insert_for(connection.dialect.name, table)


def remembered(of: FromClause) -> tuple[ColumnElement[bool], ...]:
    """Conditions on turns, joined with their thread: what the upstream answered and nobody asked to forget."""
    status = (Status.ANSWERED.value, Status.STOPPED.value)
    return of.c.id > threads.c.forgotten, of.c.model != "", of.c.status.in_(status), ~of.c.withdrawn


def lock_thread(connection: Connection, thread: Thread) -> None:
    """Record *thread*, and keep others from giving it turns: these get their ids in the order in which they commit."""
    values = {
        "id": thread.id,
        "chat": thread.chat,
        "within": list(thread.within),
        "branch_of": thread.origin.thread if thread.origin else None,
        "branched_at": thread.origin.turn if thread.origin else 0,
    }
    connection.execute(_thread(connection.dialect.name), values)


def add_turn(connection: Connection, turn: Turn) -> TurnId | None:
    """Record *turn* under a number of its own; None if its question has been recorded before."""
    question, now = turn.question, datetime.now(UTC)
    row = {
        "key": question.key,
        "thread": question.thread.id,
        "workspace": question.thread.workspace,
        "asker": question.asker,
        "question": question.text,
        "references": [one.url for one in question.attachments if one.url and one.is_read],
        "attachments": [attachment.stored(one) for one in question.attachments],
        "asker_name": question.asker_name,
        "quotes": [quote.stored(one) for one in question.quotes] or None,
        "private": question.is_private,
        "unseen": question.is_unseen,
        "edition": question.edition,
        "preset": question.preset,
        "waited": turn.waited,
        "language": question.language,
        "model": turn.model,
        "status": turn.status,
        "answer": turn.answer,
        "reply": turn.reply,
        "shown": turn.shown,
        "reference": turn.reference,
        "accepted_at": now,
        "done_at": now if turn.shown else None,
    }
    return connection.execute(_turn_with_id(connection.dialect.name), row).scalar_one_or_none()


def end(connection: Connection, turn: Turn) -> None:
    """Keep that *turn*, just recorded, is over with what it says now."""
    changed = {"status": turn.status, "answer": turn.answer, "shown": turn.shown}
    changed["done_at"] = datetime.now(UTC) if turn.shown else None
    connection.execute(update(turns).where(turns.c.id == turn.id).values(changed))


def bury(connection: Connection, key: QuestionKey, kept: timedelta) -> bool:
    """Record that the question of *key* was deleted before it was known; return False if it is known.

    It takes the question's place, so that of the two the one is there that came first. Those older than *kept* go,
    some at a time.
    """
    now = datetime.now(UTC)
    dialect = connection.dialect.name
    connection.execute(insert_for(dialect, threads).values(_NOWHERE).on_conflict_do_nothing())
    oldest = select(turns.c.id).where(turns.c.thread == _NOWHERE["id"]).order_by(turns.c.id).limit(_UNBURIED_AT_ONCE)
    oldest = oldest.with_for_update(skip_locked=True)  # others may be at it
    connection.execute(delete(turns).where(turns.c.id.in_(oldest), turns.c.accepted_at < now - kept))
    row = {
        "key": key,
        "thread": _NOWHERE["id"],
        "asker": "",
        "question": "",
        "references": [],
        "attachments": [],
        "status": Status.STOPPED,
        "withdrawn": True,
        "shown": True,
        "reference": "",
        "accepted_at": now,
        "done_at": now,
    }
    insert = insert_for(dialect, turns).values(row).on_conflict_do_nothing(index_elements=["key"])
    return connection.scalar(insert.returning(turns.c.id)) is not None


def oldest_open(connection: Connection, thread: ThreadId) -> Row[Any] | None:
    """The oldest turn of *thread* that isn't done, with what its thread remembers; nobody else may take it meanwhile."""
    return connection.execute(_OLDEST, {"of_thread": thread}).first()


def take(connection: Connection, turn: Turn, interruptions: int) -> None:
    """Have *turn* be of its attempt from now on."""
    status = turn.status if turn.is_over else Status.STREAMING
    values = {"this": turn.id, "attempt": turn.attempt, "status": status, "interruptions": interruptions}
    connection.execute(_TAKE, values)


def write(connection: Connection, turn: Turn, **also: object) -> None:
    """Keep what may have changed of *turn*. Raises Overtaken when it is of a later attempt by now."""
    changed = {
        "status": turn.status,
        "answer": turn.answer,
        "problem": turn.problem,
        "aside": turn.aside,
        "final": turn.is_final,
        "reply": turn.reply,
        "shown": turn.shown,
        "model": turn.model,
        "cut": turn.is_cut,
        "answered_as": turn.answered_as,
        "seconds": turn.seconds,
    }
    written = connection.execute(_WRITE, {"this": turn.id, "of_attempt": turn.attempt, **changed, **also})
    if written.rowcount == 0:
        raise Overtaken


def is_stopping(connection: Connection, turn: Turn) -> bool | None:
    """Is it to stop? None if it is of a later attempt by now."""
    return connection.scalar(_HELD, {"this": turn.id, "of_attempt": turn.attempt})


def go_on_with(connection: Connection, turn: Turn, conversation: Conversation | None, epoch: int) -> None:
    """Keep the *conversation* that *turn*'s thread goes on with, if it was not made to forget since *epoch*."""
    values = {
        "of_thread": turn.question.thread.id,
        "of_epoch": epoch,
        "this": turn.id,
        "named": conversation.id if conversation else None,
        "model": conversation.model if conversation else "",
    }
    connection.execute(_GO_ON, values)


def find_turns(connection: Connection, *where: ColumnElement[bool], at_most: int | None = None) -> list[Turn]:
    """Turns, the newest first."""
    query = select(turns, threads.c.chat, threads.c.within).join(threads).where(*where)
    return [as_turn(row) for row in connection.execute(query.order_by(turns.c.id.desc()).limit(at_most))]


@dataclass(frozen=True, slots=True)
class Known:
    """The questions of a thread that the bot knows."""

    keys: frozenset[QuestionKey]  # of all its turns
    newest: QuestionKey | None  # of those that its conversation may know; None if there is none
    forgotten: QuestionKey | None  # up to this one, people asked to forget what was said


def find_answers(connection: Connection, keys: Iterable[QuestionKey], longest: int) -> dict[QuestionKey, str]:
    """As `Ledger.answers`."""
    kept = {keepable(key): key for key in keys}
    found = connection.execute(_ANSWERS, {"keys": list(kept), "longest": longest})
    return {kept[key]: text for key, text in found}


def find_known(connection: Connection, thread: ThreadId, before: TurnId, at_most: int) -> Known:
    """As `Ledger.known`."""
    found = connection.execute(_KNOWN, {"of_thread": thread, "at_most": at_most}).all()
    earlier = [row for row in found if row.id < before]
    return Known(
        frozenset(QuestionKey(row.key) for row in found),
        next((QuestionKey(row.key) for row in earlier if row.remembered), None),
        next((QuestionKey(row.key) for row in earlier if row.forgotten), None),
    )


def find_presets(connection: Connection, places: tuple[PlaceId, ...]) -> list[tuple[str, Preset]]:
    """What is set at each of *places* that has something set, in their order."""
    rows = connection.execute(_PRESETS, {"places": places})
    found = {row.place: _preset(row) for row in rows}
    return [(place, found[kept]) for place in places if (kept := keepable(place)) in found]


def _preset(row: Row[Any]) -> Preset:
    # A later version may know of more ways to follow.
    follow = Follow(row.follow) if row.follow in tuple(Follow) else None
    return Preset(name=row.name, model=row.model, instructions=row.instructions, follow=follow)


def as_turn(row: Row[Any]) -> Turn:
    """Make a turn of its row, joined with its thread's."""
    thread = Thread(ThreadId(row.thread), row.chat, tuple(PlaceId(place) for place in row.within))
    question = Question(
        QuestionKey(row.key),
        thread,
        row.asker,
        row.question,
        _attachments(row),
        asker_name=row.asker_name,
        quotes=tuple(quote.read(one) for one in row.quotes or ()),
        is_private=row.private,
        is_unseen=row.unseen,
        edition=row.edition,
        preset=row.preset,
        language=row.language,
    )
    return Turn(
        id=TurnId(row.id),
        question=question,
        status=Status(row.status),
        answer=row.answer,
        problem=row.problem,
        aside=row.aside,
        is_final=row.final,
        revised=row.revised,
        is_withdrawn=row.withdrawn,
        reply=Reply(row.reply),
        shown=row.shown,
        attempt=row.attempt,
        model=row.model,
        reference=row.reference,
        waited=row.waited,
        stopped_by=row.stopped_by,
        is_cut=row.cut,
        answered_as=row.answered_as,
        seconds=row.seconds,
    )


def _attachments(row: Row[Any]) -> tuple[Attachment, ...]:
    """What earlier versions recorded are URLs alone, which end in the file's name."""
    if row.attachments:
        return tuple(attachment.read(one) for one in row.attachments)
    return tuple(file(unquote(url.partition("?")[0].rpartition("/")[2]), "", None, url) for url in row.references)


def insert_for(dialect: str, table: Table) -> postgresql.Insert:
    """As `insert_into`, for a statement that is built once."""
    # Both dialects spell `on conflict` alike; the type of the one stands for both. That of the other isn't loaded.
    of_dialect = import_module(f"sqlalchemy.dialects.{dialect}")
    return cast("postgresql.Insert", of_dialect.insert(table))


@cache
def _thread(dialect: str) -> postgresql.Insert:
    insert = insert_for(dialect, threads)
    return insert.on_conflict_do_update(index_elements=["id"], set_={"within": insert.excluded.within})


@cache
def _turn_with_id(dialect: str) -> Any:
    return insert_for(dialect, turns).on_conflict_do_nothing(index_elements=["key"]).returning(turns.c.id)


def _oldest() -> Any:
    before = turns.alias("before")
    earlier = exists().where(before.c.thread == turns.c.thread, before.c.id < turns.c.id, *remembered(before))
    return (
        select(
            turns,
            threads.c.chat,
            threads.c.within,
            threads.c.conversation,
            threads.c.epoch,
            threads.c.model.label("begun"),
            or_(earlier, threads.c.branch_of.is_not(None)).label("has_earlier"),
        )
        .join(threads)
        .where(turns.c.thread == bindparam("of_thread"), ~turns.c.shown)
        .order_by(turns.c.id)
        .limit(1)
        .with_for_update(of=turns)
    )


def _go_on() -> Any:
    later = exists().where(
        turns.c.thread == bindparam("of_thread"), turns.c.id > bindparam("this"), turns.c.model != ""
    )
    change = update(threads).where(threads.c.id == bindparam("of_thread"), threads.c.epoch == bindparam("of_epoch"))
    named = bindparam("named", type_=threads.c.conversation.type)
    return change.values(conversation=case((later, null()), else_=named), model=bindparam("model"))


def _known() -> Any:
    is_remembered, is_forgotten = and_(*remembered(turns)), turns.c.id <= threads.c.forgotten
    return (
        select(turns.c.id, turns.c.key, is_remembered.label("remembered"), is_forgotten.label("forgotten"))
        .join(threads)
        .where(turns.c.thread == bindparam("of_thread"))
        .order_by(turns.c.id.desc())
        .limit(bindparam("at_most", type_=Integer()))
    )


def _answers() -> Any:
    answer = func.substr(turns.c.answer, 1, bindparam("longest", type_=Integer()))
    known = turns.c.key.in_(bindparam("keys", expanding=True))
    query = select(turns.c.key, answer).join(threads).where(known, *remembered(turns))
    return query.where(~turns.c.private, turns.c.answer != "")


_OLDEST = _oldest()
# What these set are the columns that they are given values for.
_TAKE = update(turns).where(turns.c.id == bindparam("this"))
_WRITE = _TAKE.where(turns.c.attempt == bindparam("of_attempt"))
_HELD = select(turns.c.stopping).where(turns.c.id == bindparam("this"), turns.c.attempt == bindparam("of_attempt"))
_GO_ON = _go_on()
_KNOWN = _known()
_ANSWERS = _answers()
_PRESETS = select(presets).where(presets.c.place.in_(bindparam("places", expanding=True)))
