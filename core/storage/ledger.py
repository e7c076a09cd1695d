"""What outlives the process: every question, how far its answer is, and what threads remember."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import case, delete, exists, func, literal, or_, select, update

from core.errors import Overtaken
from core.storage import rows
from core.storage.tables import Words, notes, presets, threads, turns
from core.thread import Conversation, ConversationId, PlaceId, Thread, ThreadId
from core.turn import OVER, Accepted, Question, QuestionKey, Reply, Status, Turn, TurnId
from core.words import LONGEST_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from datetime import timedelta

    from sqlalchemy import ColumnElement, Connection

    from core.preset import Preset
    from core.storage.database import Database

    # Asks, inside the transaction that gives a thread something to do, for it to be seen to.
    Summon = Callable[[Connection, Thread], None]

_ONCE = "once/"  # before the names of notes that expire: their text says when
_OVER = tuple(status.value for status in OVER)


@dataclass(frozen=True, slots=True)
class Taken:
    """A turn that this process may now see to, and what it needs for that."""

    turn: Turn
    accepted_at: datetime
    interruptions: int  # how often that happened since it was asked
    was_interrupted: bool  # somebody had begun it: the upstream may have heard the question
    conversation: Conversation | None  # None: begin a new one
    epoch: int  # of what the thread remembers; see `Ledger.conclude`
    has_earlier: bool  # does the thread remember turns before this one?
    presets: list[tuple[str, Preset]]  # what is set in the thread's layers, widest first

    @property
    def is_first_answer(self) -> bool:
        """Has nobody asked to have it answered anew?"""
        return self.turn.attempt == 1 + self.interruptions


class Ledger:
    """Verbs over the tables. Every one is a transaction.

    Each raises StorageUnavailable when there is no database, and CannotBeKept for what the database refuses to take.
    """

    def __init__(self, database: Database, summon: Summon = lambda _connection, _thread: None) -> None:
        """*summon* is for an engine that keeps its jobs in the same database."""
        self._database = database
        self._summon = summon

    # Questions and turns

    async def accept(self, question: Question, reply: Reply, told: str | None = None) -> Accepted:
        """Record *question* once, by its key. With *told*, Bobbin's own answer, it is over at once."""
        turn = Turn(
            id=TurnId(0),
            question=question,
            status=Status.QUEUED if told is None else Status.ANSWERED,
            answer=told or "",
            reply=reply,
            reference=secrets.token_hex(4),
        )

        def accept(connection: Connection) -> Accepted:
            rows.lock_thread(connection, question.thread)
            number = rows.add_turn(connection, turn)
            if number is not None:
                self._summon(connection, question.thread)
                return Accepted(turn=replace(turn, id=number), is_new=True)
            return Accepted(turn=rows.find_turns(connection, turns.c.key == question.key)[0], is_new=False)

        return await self._database.run(accept)

    async def take(self, thread: ThreadId) -> Taken | None:
        """Take on the oldest turn of *thread* that isn't done; None if all are.

        From here on nobody who took it before may write to it any more.
        """
        return await self._database.run(lambda connection: _take(connection, thread))

    async def holds(self, turn: Turn) -> None:
        """Raise Overtaken when another process has *turn* by now, or it was asked anew."""
        if not await self._database.run(lambda connection: rows.is_of_its_attempt(connection, turn)):
            raise Overtaken

    async def save(self, turn: Turn) -> None:
        """Keep what changed of *turn*. Raises Overtaken when another process has it by now."""
        await self._database.run(lambda connection: rows.write(connection, turn))

    async def conclude(self, turn: Turn, conversation: Conversation | None, *, epoch: int, trace: str = "") -> None:
        """Keep how *turn* ended, and the *conversation* that its thread goes on with. Raises Overtaken.

        The conversation is not kept if what the thread remembers has changed since *epoch*, or if the thread has
        turns after this one, of which it can't know.
        """

        def conclude(connection: Connection) -> None:
            # The thread before the turn, like everybody: whoever hands the question in again does so as well.
            rows.go_on_with(connection, turn, conversation, epoch)
            rows.write(connection, turn, trace=trace[:LONGEST_ID])

        await self._database.run(conclude)

    async def reopen(self, key: QuestionKey, text: str | None = None) -> Turn | None:
        """Have a question answered anew: as *text*, as its asker revised it, or as it was.

        Whoever is at it may write no more. Returns None if there is no such question, or it was withdrawn.
        """
        wording = (
            literal(text, Words)
            if text is not None
            else case((turns.c.revised != "", turns.c.revised), else_=turns.c.question)
        )
        return await self._change(
            key,
            ~turns.c.withdrawn,
            question=wording,
            revised="",
            status=Status.QUEUED.value,
            answer="",
            problem="",
            aside="",
            model="",
            gave_up="",
            interruptions=0,
            done_at=None,
        )

    async def offer(self, key: QuestionKey, text: str) -> Turn | None:
        """Offer to answer a question, that is over, as *text*; if that is what it says, offer nothing any more.

        Returns None if nothing is offered that was not offered before.
        """
        wording = case((turns.c.question == text, ""), else_=literal(text, Words))
        return await self._change(
            key,
            ~turns.c.withdrawn,
            turns.c.status.in_(_OVER),
            turns.c.revised != wording,
            revised=wording,
            keep_memory=True,
        )

    async def withdraw(self, key: QuestionKey) -> Turn | None:
        """Take a question back with its answer: its words are forgotten. None if there is no such question."""
        over = case((turns.c.status.in_(_OVER), turns.c.status), else_=Status.STOPPED.value)
        return await self._change(
            key,
            ~turns.c.withdrawn,
            withdrawn=True,
            status=over,
            question="",
            references=[],
            attachments=[],
            answer="",
            problem="",
            aside="",
            revised="",
        )

    async def settle(self, turn: Turn, gave_up: str = "") -> None:
        """Keep that the thread shows how *turn* ended, or why that was given up. Raises Overtaken."""
        done = datetime.now(UTC)
        await self._database.run(
            lambda connection: rows.write(connection, turn, done_at=done, gave_up=gave_up[:LONGEST_ID])
        )

    async def open_threads(self, chats: Collection[str]) -> list[ThreadId]:
        """The threads of *chats* that have something left to do, the longest waiting first."""
        query = (
            select(turns.c.thread)
            .join(threads)
            .where(~turns.c.shown, threads.c.chat.in_(chats))
            .group_by(turns.c.thread)
            .order_by(func.min(turns.c.id))
        )
        return await self._database.run(lambda connection: [ThreadId(name) for name in connection.scalars(query)])

    async def active_threads(self, chat: str, since: datetime, at_most: int) -> list[tuple[Thread, QuestionKey]]:
        """The threads of *chat* in which something was asked since then, each with its newest question; newest first."""

        def find(connection: Connection) -> list[Turn]:
            # Turns are numbered as they are accepted: from the newest one that is older, back, none is of interest. Asked
            # by itself, since the database should know how few are left before it decides how to look for them.
            older = select(turns.c.id).where(turns.c.accepted_at < since).order_by(turns.c.id.desc()).limit(1)
            # By subqueries, since SQLite would begin a join at the other end, with all threads there are.
            later = turns.alias("later")
            newest = (
                select(turns.c.id)
                .where(turns.c.id > (connection.scalar(older) or 0))
                .where(select(threads.c.chat).where(threads.c.id == turns.c.thread).scalar_subquery() == chat)
                .where(~exists().where(later.c.thread == turns.c.thread, later.c.id > turns.c.id))
                .order_by(turns.c.id.desc())
                .limit(at_most)
            )
            return rows.find_turns(connection, turns.c.id.in_(connection.scalars(newest).all()))

        found = await self._database.run(find)
        return [(turn.question.thread, turn.question.key) for turn in found]

    async def turn(self, key: QuestionKey) -> Turn | None:
        """Return the turn of a question, None if it was never accepted."""
        found = await self._database.run(lambda connection: rows.find_turns(connection, turns.c.key == key))
        return found[0] if found else None

    async def newest_asked(self, thread: ThreadId) -> Turn | None:
        """The newest turn of *thread* that is for the upstream, and that the thread remembers; None if there is none."""
        is_for_upstream = or_(turns.c.model != "", turns.c.status.not_in(_OVER))
        found = await self._database.run(
            lambda connection: rows.find_turns(
                connection,
                turns.c.thread == thread,
                turns.c.id > threads.c.forgotten,
                ~turns.c.withdrawn,
                is_for_upstream,
                at_most=1,
            )
        )
        return found[0] if found else None

    async def transcript(self, thread: ThreadId, before: TurnId, at_most: int) -> list[Turn]:
        """The newest *at_most* turns that the upstream answered in *thread* before one, oldest first.

        What was forgotten, and what Bobbin answered by itself, is no part of it.
        """
        found = await self._database.run(
            lambda connection: rows.find_turns(
                connection, turns.c.thread == thread, turns.c.id < before, *rows.remembered(turns), at_most=at_most
            )
        )
        return found[::-1]

    async def forget_conversation(self, thread: ThreadId) -> None:
        """Let the next turn of *thread* begin without memory."""
        newest = select(func.coalesce(func.max(turns.c.id), 0)).where(turns.c.thread == thread).scalar_subquery()
        change = update(threads).where(threads.c.id == thread)
        change = change.values(conversation=None, epoch=threads.c.epoch + 1, forgotten=newest)
        await self._database.run(lambda connection: connection.execute(change))

    # Presets

    async def presets_at(self, places: Iterable[PlaceId]) -> list[tuple[str, Preset]]:
        """What is set at each of *places* that has something set, in their order."""
        return await self._database.run(lambda connection: rows.find_presets(connection, tuple(places)))

    async def set_preset(self, place: PlaceId, wish: Preset, by: str) -> None:
        """Set the fields that *wish* decides. A named preset replaces what had been set field by field."""
        changed = {"changed_by": by, "changed_at": datetime.now(UTC)}
        fields = {"name": wish.name, "model": wish.model, "instructions": wish.instructions}
        decided = {name: value for name, value in fields.items() if value is not None}
        changes = fields if wish.name is not None else decided

        def set_preset(connection: Connection) -> None:
            insert = rows.insert_into(connection, presets).values(place=place, **fields, **changed)
            connection.execute(insert.on_conflict_do_update(index_elements=["place"], set_={**changes, **changed}))

        await self._database.run(set_preset)

    async def clear_preset(self, place: PlaceId, by: str) -> None:
        """Leave every field at *place* open. Who did it stays on record."""
        opened = {"name": None, "model": None, "instructions": None, "changed_by": by, "changed_at": datetime.now(UTC)}
        change = update(presets).where(presets.c.place == place).values(opened)
        await self._database.run(lambda connection: connection.execute(change))

    # Notes

    async def note(self, name: str) -> str | None:
        """Return what an adapter wrote under *name*, None if nothing."""
        query = select(notes.c.text).where(notes.c.name == name)
        return await self._database.run(lambda connection: connection.scalar(query))

    async def write_note(self, name: str, text: str) -> None:
        """Keep a small fact over restarts."""

        def write(connection: Connection) -> None:
            insert = rows.insert_into(connection, notes).values(name=name, text=text)
            connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_={"text": text}))

        await self._database.run(write)

    async def first_time(self, name: str, within: timedelta) -> bool:
        """Whether nobody has asked this about *name* so recently; of several who ask at once, one is the first."""
        now = datetime.now(UTC)

        def ask(connection: Connection) -> bool:
            # All are written in one form and zone, in which what is earlier sorts first.
            connection.execute(
                delete(notes).where(notes.c.name.startswith(_ONCE), notes.c.text <= now.isoformat(" ", "microseconds"))
            )
            insert = rows.insert_into(connection, notes)
            insert = insert.values(name=_ONCE + name, text=(now + within).isoformat(" ", "microseconds"))
            return connection.scalar(insert.on_conflict_do_nothing().returning(notes.c.name)) is not None

        return await self._database.run(ask)

    async def _change(
        self, key: QuestionKey, *where: ColumnElement[bool], keep_memory: bool = False, **values: object
    ) -> Turn | None:
        """Change a turn and have it shown anew: nobody who took it before may write to it, nor to its conversation."""
        # The thread before the turn, see `conclude`.
        of_turn = select(turns.c.thread).where(turns.c.key == key).scalar_subquery()
        lock = select(threads.c.id).where(threads.c.id == of_turn).with_for_update(key_share=True)

        def change(connection: Connection) -> Turn | None:
            if connection.scalar(lock) is None:
                return None
            changed = update(turns).where(turns.c.key == key, *where)
            changed = changed.values(shown=False, attempt=turns.c.attempt + 1, **values)
            thread = connection.scalar(changed.returning(turns.c.thread))
            if thread is None:
                return None
            if not keep_memory:
                memory = update(threads).where(threads.c.id == thread)
                connection.execute(memory.values(conversation=None, epoch=threads.c.epoch + 1))
            turn = rows.find_turns(connection, turns.c.key == key)[0]
            self._summon(connection, turn.question.thread)
            return turn

        return await self._database.run(change)

    async def check(self) -> None:
        """Raise StorageUnavailable unless the database answers."""
        await self._database.run(lambda connection: connection.execute(select(1)))


def _take(connection: Connection, thread: ThreadId) -> Taken | None:
    row = rows.oldest_open(connection, thread)
    if row is None:
        return None
    turn = replace(rows.as_turn(row), attempt=row.attempt + 1)
    was_interrupted = turn.status is Status.STREAMING
    interruptions = row.interruptions + was_interrupted
    rows.take(connection, turn, interruptions)
    return Taken(
        turn=turn,
        accepted_at=row.accepted_at
        if row.accepted_at.tzinfo
        else row.accepted_at.replace(tzinfo=UTC),  # SQLite has none
        interruptions=interruptions,
        was_interrupted=was_interrupted,
        conversation=Conversation(ConversationId(row.conversation), row.begun) if row.conversation else None,
        epoch=row.epoch,
        has_earlier=row.has_earlier,
        presets=rows.find_presets(connection, turn.question.thread.layers),
    )
