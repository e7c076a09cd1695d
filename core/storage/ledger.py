"""The ledger, which outlives the process: every question, how far its answer is, and what threads remember."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import select

from core.errors import Overtaken, StopWanted
from core.stance import places
from core.storage import aftermath, deeds, find, intake, queue, revisions, rows, sharing, stances, stops, talk
from core.storage.deeds import Deeds, Done
from core.storage.intake import Bounds
from core.storage.tables import notes, presets, turns
from core.turn import ActiveThread, Question, QuestionKey, Reply, Status, Turn, TurnId
from core.words import LONGEST_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from sqlalchemy import Connection

    from core.following import Talk
    from core.preset import Preset
    from core.quota import Quota
    from core.rates import Rates
    from core.stance import Stance
    from core.storage.database import Database
    from core.storage.deeds import Deed, Summon
    from core.storage.intake import Obeyed
    from core.storage.queue import Taken
    from core.storage.stops import Stopped
    from core.thread import Conversation, PlaceId, Thread, ThreadId
    from core.turn import Accepted


T = TypeVar("T")

# That a message was deleted of which nothing is known; platforms bring messages again for a few hours.
TOMBSTONES_KEPT = timedelta(days=1)
_WRITTEN = "storage/written"  # the note that `check` writes
_CHECKED_WITH = 16_000  # characters


class Ledger:
    """Verbs over the tables. Every one is a transaction.

    Each raises StorageUnavailable when there is no database, and CannotBeKept for what the database refuses to take.
    """

    def __init__(
        self,
        database: Database,
        summon: Summon | None = None,
        *,
        quota: Quota | None = None,
        rates: Rates | None = None,
        bot_turns: int = 0,
        tombstones_kept: timedelta = TOMBSTONES_KEPT,
    ) -> None:
        """Say what is accepted.

        *summon* is for an engine that keeps its jobs in the same database. *quota* None: any number may be open; *rates*
        None: as much may be asked as people like; *bot_turns*: so many turns in a row may be bots' in a thread, if not 0.
        """
        self._database = database
        self._tombstones_kept = tombstones_kept
        self._summon = summon or _to_nobody
        self._bounds = Bounds(quota=quota, rates=rates, bot_turns=bot_turns)

    # Questions and turns

    async def accept(
        self, question: Question, reply: Reply, told: str | None = None, *, is_seen: bool = False
    ) -> Accepted:
        """Record *question* once, by its key. With *told*, Bobbin's own answer, it is over at once.

        So it is beyond the quota and the rates, and then that is told; in silence to who is being told so just now, or
        was before in the time for which a rate holds. *is_seen*: what is *told* need not be shown. Raises BotsAlone.
        """
        turn = _new_turn(question, reply, Status.QUEUED if told is None else Status.ANSWERED, told or "")
        turn = replace(turn, shown=is_seen)
        return await self._database.run(lambda connection: intake.accept(connection, self._summon, turn, self._bounds))

    async def obey(self, question: Question, reply: Reply, deed: Deed) -> Obeyed:
        """Record *question*, which is a command, once, by its key; and only then do *deed*, whose words answer it.

        In one transaction: there is no deed without its record, and no record without its deed. *deed* is called
        again should the transaction have to be, so it must touch nothing else. Beyond the quota nothing is done. Raises
        BotsAlone; and TooMany if more would be asked than the rates allow.
        """
        turn = _new_turn(question, reply, Status.ANSWERED, "")
        return await self._database.run(
            lambda connection: intake.obey(connection, self._summon, turn, self._bounds, deed)
        )

    async def obey_once(self, occasion: str, deed: Deed, within: timedelta, *, by: str = "") -> Done | None:
        """Do *deed*, unless one was done on the same *occasion* so recently; then return None.

        For a command whose answer is no turn. In one transaction, as `obey`. An empty *occasion* is never the same. *by*:
        who gave it, if what it has answered again counts for them. Raises TooMany, as `obey` does.
        Returns what to tell, and which turns are to be answered again, or no further.
        """

        def obey(connection: Connection) -> Done | None:
            if occasion and not deeds.is_first(connection, occasion, within):
                return None
            done = Deeds(connection, self._summon)
            told = deed(done)
            if by and done.reopened:
                intake.check_rates(connection, self._bounds.rates, by, done.reopened.question.thread)
            return Done(told, done.reopened, tuple(done.stopped))

        return await self._database.run(obey)

    async def is_first(self, occasion: str, within: timedelta) -> bool:
        """Record *occasion*; return whether nobody has so recently."""
        return await self._database.run(lambda connection: deeds.is_first(connection, occasion, within))

    async def share(self, key: QuestionKey, by: str, thread: Thread, reply: Reply) -> Accepted | None:
        """Record in *thread* the private question of *key* with its answer, once: as `Relay.share`."""
        return await self._database.run(
            lambda connection: sharing.share(connection, self._summon, key, by, thread=thread, reply=reply)
        )

    async def judge(self, key: QuestionKey, of_attempt: int, by: str, verdict: str) -> bool | None:
        """Keep what *by* thinks of an answer; return whether that is news, None if people see another one by now."""
        return await self._database.run(lambda connection: aftermath.judge(connection, key, of_attempt, by, verdict))

    async def comment(self, key: QuestionKey, by: str, words: str) -> bool:
        """Keep what *by* adds to what they think of an answer; return whether they think anything of it."""
        return await self._database.run(lambda connection: aftermath.comment(connection, key, by, words))

    async def go_on(self, question: Question, reply: Reply, of: Turn) -> Accepted | None:
        """Record *question*, which goes on with the answer of the turn *of*, once. None if people see another by now.

        Raises TooMany, and BotsAlone.
        """
        return await self._database.run(
            lambda connection: aftermath.go_on(connection, self._summon, question, reply, bounds=self._bounds, of=of)
        )

    async def branch(self, question: Question, reply: Reply, told: str, of: Turn) -> Accepted:
        """Record *question* as the beginning of a thread that goes on from the turn *of*, once; *told* answers it."""
        turn = _new_turn(question, reply, Status.ANSWERED, told)
        return await self._database.run(lambda connection: aftermath.branch(connection, self._summon, turn, of=of))

    async def grow(self, thread: Thread, of: ThreadId, after: TurnId) -> None:
        """Have *thread*, unless it has turns, go on from what was said in another up to the turn *after*."""

        def grow(connection: Connection) -> None:
            rows.lock_thread(connection, thread)
            aftermath.grow(connection, thread.id, of, after)

        await self._database.run(grow)

    async def began(self, thread: ThreadId, by: str) -> bool:
        """Did *by* ask first in *thread*?"""
        return await self.look(lambda look: look.began(thread, by))

    async def look(self, at: Callable[[Deeds], T]) -> T:
        """Return what *at* finds; it must change nothing."""
        return await self._database.run(lambda connection: at(Deeds(connection, self._summon)))

    async def take(self, thread: ThreadId) -> Taken | None:
        """Take on the oldest turn of *thread* that isn't done; None if all are.

        From here on nobody who took it before may write to it any more.
        """
        return await self._database.run(lambda connection: queue.take(connection, thread))

    async def holds(self, turn: Turn) -> None:
        """Raise Overtaken when another process has *turn* by now, or it was asked anew; StopWanted when it is to stop."""
        is_stopping = await self._database.run(lambda connection: rows.is_stopping(connection, turn), first=True)
        if is_stopping is None:
            raise Overtaken
        if is_stopping and not turn.is_over:
            raise StopWanted

    async def save(self, turn: Turn) -> None:
        """Keep what changed of *turn*. Raises Overtaken when another process has it by now."""
        await self._database.run(lambda connection: rows.write(connection, turn), first=True)

    async def conclude(self, turn: Turn, conversation: Conversation | None, *, epoch: int, trace: str = "") -> None:
        """Keep how *turn* ended, and the *conversation* that its thread goes on with. Raises Overtaken.

        The conversation is not kept if what the thread remembers has changed since *epoch*, or if the thread has
        turns after this one, of which it can't know.
        """

        def conclude(connection: Connection) -> None:
            # The thread before the turn, like everybody: whoever hands the question in again does so as well.
            rows.go_on_with(connection, turn, conversation, epoch)
            rows.write(connection, turn, trace=trace[:LONGEST_ID])

        await self._database.run(conclude, first=True)

    async def is_newest(self, key: QuestionKey, edition: int) -> bool:
        """Was no later edit of a question heard than *edition*? From here on, none that is earlier is taken."""
        return await self._database.run(lambda connection: revisions.is_newest(connection, key, edition))

    async def reopen(
        self,
        key: QuestionKey,
        text: str | None = None,
        *,
        edition: int = 0,
        of_attempt: int | None = None,
        by: str = "",
    ) -> Turn | None:
        """Have a question answered anew: as *text*, whoever is at it, for its asker has revised it; or as it was.

        As *text* only if no later edit than *edition* is known. A process that answers it may write no more.

        Returns None if there is no such question, or it was withdrawn; and, for a question as it was, if it is neither
        over nor to stop, or *of_attempt* is given and there was another attempt since. *by*: who asks for it, if that
        counts for them. Raises TooMany if it is more than the rates allow.
        """

        def reopen(connection: Connection) -> Turn | None:
            turn = deeds.reopen(connection, self._summon, key, text, edition=edition, of_attempt=of_attempt)
            if turn and by:
                intake.check_rates(connection, self._bounds.rates, by, turn.question.thread)
            return turn

        return await self._database.run(reopen)

    async def offer(self, key: QuestionKey, text: str, *, edition: int = 0) -> Turn | None:
        """Offer to answer a question, that is over, as *text*; if that is what it says, offer nothing any more.

        Returns None if nothing is offered that was not offered before, or a later edit than *edition* is known.
        """
        return await self._database.run(
            lambda connection: revisions.offer(connection, self._summon, key, text, edition=edition)
        )

    async def withdraw(self, key: QuestionKey) -> Turn | None:
        """Take a question back with its answer: its words are forgotten. None if there is no such question.

        What went on with its answer goes with it. A question that comes only later is not asked any more: its deletion may
        have come before it did.
        """
        return await self._database.run(
            lambda connection: revisions.withdraw(connection, self._summon, key, self._tombstones_kept)
        )

    async def bury(self, key: QuestionKey) -> None:
        """Have a question that is not known yet not be asked any more; one that is known stays as it is."""
        await self._database.run(lambda connection: rows.bury(connection, key, self._tombstones_kept))

    async def stop(self, key: QuestionKey, by: str, *, of_attempt: int | None = None) -> Stopped:
        """Have the answer to a question end with what came so far, or not begin, as *by* wants it."""
        return await self._database.run(lambda connection: stops.stop(connection, key, by, of_attempt))

    async def stop_before(self, turn: Turn, by: str, *, whosever: bool = False) -> tuple[TurnId, ...] | None:
        """Stop what *by* asked in the thread of *turn*, and comes before it; return these turns.

        *whosever*: if there is none, the one that is being answered. None: there is something, and it isn't for *by*.
        """
        return await self._database.run(lambda connection: stops.stop_before(connection, turn, by, whosever=whosever))

    async def stopping(self, threads: Collection[ThreadId]) -> list[TurnId]:
        """Return which turns of *threads* are to stop, and have not yet."""
        return await self._database.run(lambda connection: stops.stopping(connection, threads))

    async def stopped_by(self, turn: TurnId) -> str:
        """Return who wanted a turn to stop; empty if nobody did, or the bot was told to be quiet."""
        query = select(turns.c.stopped_by).where(turns.c.id == turn)
        return await self._database.run(lambda connection: connection.scalar(query) or "")

    async def open_turn_noting(self, key: QuestionKey, mark: str, within: str) -> Turn | None:
        """Return the turn of *key*, or one in whose reply *mark* stands and whose thread's id begins with *within*.

        Of those only that are still to be answered, or being answered.
        """
        return await self._database.run(lambda connection: find.open_noting(connection, key, mark, within))

    async def settle(self, turn: Turn, gave_up: str = "") -> None:
        """Keep that the thread shows how *turn* ended, or why that was given up. Raises Overtaken."""
        await self._database.run(_settling(turn, gave_up), first=True)

    async def settle_and_take(self, turn: Turn, gave_up: str = "") -> Taken | None:
        """As `settle`, and then `take` the next one of its thread: one wait for the disk instead of two."""
        settle = _settling(turn, gave_up)

        def settle_and_take(connection: Connection) -> Taken | None:
            settle(connection)
            return queue.take(connection, turn.question.thread.id)

        return await self._database.run(settle_and_take, first=True)

    async def open_threads(self, chats: Collection[str], at_most: int | None = None) -> list[ThreadId]:
        """The threads of *chats* that have something left to do: the longest waiting first, but fairly.

        Workspaces take turns, within each its people, and of each their threads.
        """
        return await self._database.run(lambda connection: queue.open_threads(connection, chats, at_most))

    async def active_threads(self, chat: str, since: datetime, at_most: int) -> list[ActiveThread]:
        """The threads of *chat* in which something was asked since then; newest first."""

        def active(connection: Connection) -> list[ActiveThread]:
            found = [turn.question for turn in find.active(connection, chat, since, at_most)]
            firsts = find.firsts(connection, (one.thread.id for one in found))
            return [ActiveThread(one.thread, firsts[one.thread.id], one.key) for one in found]

        return await self._database.run(active)

    async def turn(self, key: QuestionKey) -> Turn | None:
        """Return the turn of a question, None if it was never accepted."""
        found = await self._database.run(lambda connection: rows.find_turns(connection, turns.c.key == key))
        return found[0] if found else None

    async def turn_noting(self, mark: str, ranges: Iterable[tuple[QuestionKey, QuestionKey]]) -> Turn | None:
        """Return the newest turn with *mark* in its reply, of those with a key in one of *ranges*, compared as text."""
        return await self._database.run(lambda connection: find.noting(connection, mark, ranges))

    async def transcript(self, thread: ThreadId, before: TurnId, at_most: int) -> list[Turn]:
        """The newest *at_most* turns that the upstream answered in *thread* before one, oldest first.

        What was forgotten, and what Bobbin answered by itself, is no part of it. What *thread* branches off from, is.
        """
        found = await self._database.run(lambda connection: aftermath.transcript(connection, thread, before, at_most))
        return found[::-1]

    async def seen(self, thread: ThreadId, upto: TurnId, at_most: int) -> list[Turn]:
        """The newest *at_most* turns whose answers people see in *thread*, up to one of them; oldest first."""
        kinds = (Status.ANSWERED, Status.STOPPED)
        found = await self._database.run(
            lambda connection: aftermath.transcript(connection, thread, TurnId(upto + 1), at_most, kinds=kinds)
        )
        return found[::-1]

    async def answers(self, keys: Collection[QuestionKey], longest: int) -> dict[QuestionKey, str]:
        """What all could read of the answers to those of *keys* that have one: the first *longest* characters each."""
        return await self._database.run(lambda connection: rows.find_answers(connection, keys, longest))

    # Presets

    async def presets_at(self, places: Iterable[PlaceId]) -> list[tuple[str, Preset]]:
        """What is set at each of *places* that has something set, in their order."""
        return await self._database.run(lambda connection: rows.find_presets(connection, tuple(places)))

    async def preset_changed_by(self, place: str) -> tuple[str, str]:
        """Who last changed what is set at *place*, and the language that they speak; empty if nothing is set."""
        query = select(presets.c.changed_by, presets.c.changed_in).where(presets.c.place == place)
        row = await self._database.run(lambda connection: connection.execute(query).one_or_none())
        return (row[0], row[1]) if row else ("", "")

    async def count(self, by: str, thread: Thread) -> None:
        """Count what the service is asked for *by* in *thread* as a question. Raises TooMany."""
        await self._database.run(lambda connection: intake.check_rates(connection, self._bounds.rates, by, thread))

    # Following

    async def standing(self, thread: Thread) -> tuple[list[tuple[str, Preset]], dict[PlaceId, Stance], Talk]:
        """What is set, and was told the bot, where *thread* is, and who has talked with it there."""
        return await self._database.run(
            lambda connection: (
                rows.find_presets(connection, thread.layers),
                stances.find(connection, places(thread)),
                talk.find(connection, thread.id),
            )
        )

    async def tell_once(self, place: PlaceId) -> bool:
        """Record that people are told what is not heard at *place*; return whether they were not told before."""
        return await self._database.run(lambda connection: stances.tell_once(connection, place))

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

    async def check(self, *, by_writing: bool = False) -> None:
        """Raise StorageUnavailable unless the database answers; *by_writing*: and takes as much as a long question."""
        if by_writing:
            await self.write_note(_WRITTEN, datetime.now(UTC).isoformat().ljust(_CHECKED_WITH, "."))
        else:
            await self._database.run(lambda connection: connection.execute(select(1)))


def _to_nobody(_connection: Connection, _thread: Thread, _behind: int = 0, /) -> None:
    """The engine is told when it is recorded."""


def _settling(turn: Turn, gave_up: str) -> Callable[[Connection], None]:
    done = datetime.now(UTC)
    return lambda connection: rows.write(connection, turn, done_at=done, gave_up=gave_up[:LONGEST_ID])


def _new_turn(question: Question, reply: Reply, status: Status, answer: str) -> Turn:
    reference = secrets.token_hex(4)
    return Turn(TurnId(0), question, status=status, answer=answer, reply=reply, reference=reference)
