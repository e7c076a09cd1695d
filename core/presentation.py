"""Keeps a thread up to date with a turn, at the pace its chat allows, and stores the chat's note of what it showed."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from core.backoff import Backoff, Pauses, retry
from core.bounded import BoundedSet
from core.chat import ready
from core.errors import (
    ChatBusy,
    ChatClosed,
    ChatError,
    ChatForbidden,
    ChatRejected,
    ChatUnclear,
    Overtaken,
    StorageUnavailable,
    ThreadGone,
    facts,
)
from core.metrics import Metrics
from core.words import has_sentence, is_blank

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from core.chat import Chat
    from core.storage.ledger import Ledger
    from core.storage.queue import Taken
    from core.turn import Reply, Turn

T = TypeVar("T")

log = structlog.get_logger(__name__)

MOST_TOLD = 100  # kinds of replies; their codes come from outside
LAST_REQUEST = 10.0  # seconds that what is under way gets, when there is no time any more
_AT_ONCE = 0.1  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """The pauses and timeouts of a presentation."""

    # Of an end that can't be shown; a platform may be away for a day.
    end: Backoff = Backoff(first=0.5, longest=60.0, shortest=0.1, give_up_after=86_400.0)
    # Of an update: people wait, and there may be text by now.
    update: Backoff = Backoff(first=1.0, longest=8.0)
    # Of what is to be written down.
    keep: Backoff = Backoff(first=0.5, longest=60.0)
    # A process that was frozen, and is awake again, may have lost its turn: what was confirmed this long ago is asked
    # again before anything is shown. Shorter than the time after which an engine takes a silent process for dead.
    lease: float = 3.0  # seconds
    first_words: float = 0.8  # seconds that what comes first may take to become a sentence
    context: float = 5.0  # seconds for the chat to tell what was said before: who asks waits for it
    title: float = 10.0  # seconds for a better title: the thread's next question waits for it


USUAL = Times()


class Oddities:
    """Replies of platforms that are for an operator rather than the asker.

    Those that nobody could understand are counted, and each kind is told once, loudly. Of a token that is refused,
    *refused* is told, by the chat's name.
    """

    def __init__(self, metrics: Metrics, refused: Callable[[str], None] = lambda _: None) -> None:
        self._metrics = metrics
        self._refused = refused
        self._told: BoundedSet[tuple[str, str]] = BoundedSet(MOST_TOLD)

    def note(self, chat: str, error: ChatError) -> None:
        if isinstance(error, ChatClosed):
            self._refused(chat)
        if not isinstance(error, ChatUnclear):
            return
        self._metrics.unclear.labels(chat).inc()
        if self._told.add((chat, error.code)):
            log.error("a platform sends a reply that can't be understood; trying again", chat=chat, **facts(error))


class Presentation:
    """Keeps what a thread shows of one turn up to date. Of the turn, only the chat's note changes here; `Answer` owns the rest."""

    def __init__(
        self,
        chat: Chat,
        ledger: Ledger,
        reply: Reply,
        *,
        since: float,
        oddities: Oddities | None = None,
        visible: Callable[[str], str] = str,
        times: Times = USUAL,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """*reply* is the chat's note of what the thread shows so far; *since* when the turn was known to be ours.

        That is the moment, in seconds of *clock*, in which the ledger was asked, not that of its answer.
        *visible* takes an answer so far and returns what people are shown of it.
        """
        self._visible = visible
        self._chat = chat
        self._oddities = oddities or Oddities(Metrics())
        self._ledger = ledger
        self._times = times
        self._clock = clock
        self.reply = reply
        self._confirmed = since  # when the turn was last known to be ours
        self.next: tuple[Taken, float] | None = None  # what is to be done in the thread then, and when that was asked
        self.is_forbidden = False  # may nothing be shown there?
        self.is_gone = False  # is there nothing any more where the end could be shown?
        self.first_text_at: datetime | None = None  # None until some of the answer was shown
        self._changed = asyncio.Event()
        self._over = asyncio.Event()  # there is nothing more to follow
        self._is_late = False  # has what follows the turn had its time?
        self._only_waits = False  # does what follows the turn do nothing that must come to its end?

    def changed(self) -> None:
        """Say that there is something new to show."""
        self._changed.set()

    @asynccontextmanager
    async def live(self, now: Callable[[], Turn]) -> AsyncIterator[None]:
        """Show what *now* returns, again and again, while the body runs: at first, and whenever it has `changed`.

        When showing can't go on, the body is broken off with the reason: ThreadGone, ChatForbidden or Overtaken.
        """
        self.changed()  # the turn has begun: that is to be seen as well
        self._over.clear()
        following = asyncio.create_task(self._follow(now))

        body, is_broken_off, patience = asyncio.current_task(), False, LAST_REQUEST

        def break_off(task: asyncio.Task[None]) -> None:
            nonlocal is_broken_off
            if body and _has_failed(task) and not self._over.is_set():
                is_broken_off = body.cancel()

        following.add_done_callback(break_off)
        try:
            yield
        except asyncio.CancelledError:
            # Others may have cancelled it in the same moment, and theirs must not be lost.
            if is_broken_off and body and body.uncancel() == 0:
                following.result()  # it was for this that the body was broken off
            following.cancel()  # nobody waits for the rest of a long update
            patience += LAST_REQUEST  # it has some itself
            raise
        finally:
            self._over.set()
            if self._only_waits:
                following.cancel()
            await asyncio.wait({following}, timeout=patience)
            if not following.done():
                self._is_late = True
                following.cancel()
                await asyncio.wait({following})
            _has_failed(following)  # looked at, so that asyncio does not complain
        if not following.cancelled():
            following.result()

    async def end(self, turn: Turn) -> bool:
        """Show how *turn* ended, however long the platform makes us wait, and settle it; return whether it is shown.

        Gives up, loudly, when the thread is gone or the platform refuses for good: the answer stays in the ledger.
        """
        gave_up = await self._try_to_end(turn)
        if gave_up and self.is_gone:  # people have deleted or archived it, or asked the bot to leave
            log.info("the thread of a turn is gone; its end is not shown", why=gave_up)
        elif gave_up:
            log.error("the end of a turn is not shown", why=gave_up)
        await self.insist(lambda: self._settle(turn, gave_up))
        return not gave_up

    async def _settle(self, turn: Turn, gave_up: str) -> None:
        asked = self._clock()
        taken = await self._ledger.settle_and_take(turn.replied(self.reply).settle(), gave_up)
        self.next = (taken, asked) if taken else None

    async def _try_to_end(self, turn: Turn) -> str:
        """Return why the end can't be shown, empty if it is."""
        pauses = Pauses(self._times.end)
        while not pauses.are_over:
            try:
                await ready(self._chat, turn.replied(self.reply))
                await self.insist(lambda: self._confirm(turn))
                await self._show(turn)
            except (ChatBusy, ChatClosed) as error:
                self._oddities.note(self._chat.name, error)
                pause = pauses.next(error.retry_after)
                log.warning(
                    "the platform refuses the end of an answer for now; trying again",
                    seconds=round(pause, 3),
                    **facts(error),
                )
                await asyncio.sleep(pause)
            except ChatError as error:
                self.is_gone = isinstance(error, ThreadGone)
                return f"{type(error).__name__}: {error}"
            except Overtaken:
                raise
            except Exception as error:  # a fault of ours must not keep the thread's next question waiting
                log.exception("showing the end of a turn fails unexpectedly")
                return f"{type(error).__name__}"
            else:
                return ""
        return f"refused for {self._times.end.give_up_after:.0f} seconds"

    async def _follow(self, now: Callable[[], Turn]) -> None:
        """Show what is new until cancelled, which is done only while it waits: what is under way may have an effect."""
        pauses = Pauses(self._times.update)
        while not self._over.is_set():
            with self._waiting():
                await self._changed.wait()
                await self._first_words(now)
                await ready(self._chat, now().replied(self.reply))
                if not self._is_confirmed:
                    await self.insist(lambda: self._confirm(now()))
            # Cleared before looking: what comes from here on is shown by another round.
            self._changed.clear()
            try:
                await self._show(now())
            except (ThreadGone, ChatForbidden):
                raise
            except ChatRejected as error:
                log.error("updates are refused as they are; showing the end only", **facts(error))
                return
            except ChatError as error:
                self._oddities.note(self._chat.name, error)
                log.warning("an update can't be shown; trying again", **facts(error))
                self.changed()  # what could not be shown is to be shown, whether more comes or not
                with self._waiting():
                    await asyncio.sleep(0.0 if self._over.is_set() else pauses.next(error.retry_after))
            else:
                pauses.went_well()

    async def _first_words(self, now: Callable[[], Turn]) -> None:
        """Wait until there is something to tell people: the first that is posted is what they are notified with."""
        until = None
        while self.first_text_at is None:
            text = self._visible(now().answer)
            if is_blank(text) or has_sentence(text):
                return
            until = until or self._clock() + self._times.first_words
            left = until - self._clock()
            if left <= 0:
                return
            self._changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), left)

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        self._only_waits = True
        try:
            yield
        finally:
            self._only_waits = False

    @property
    def _is_confirmed(self) -> bool:
        return self._clock() - self._confirmed < self._times.lease

    async def _confirm(self, turn: Turn) -> None:
        """Raise Overtaken unless *turn* is ours, now or a moment ago."""
        while not self._is_confirmed:  # the answer may have waited while this process was frozen
            asked = self._clock()
            await self._ledger.holds(turn)
            self._confirmed = asked

    async def _show(self, turn: Turn) -> None:
        showing = asyncio.ensure_future(self._chat.show(turn.replied(self.reply)))
        try:
            reply = await asyncio.shield(showing)
        except asyncio.CancelledError:
            # A message may be under way: what became of it must be kept, or a restart would post it again.
            showing.cancel()
            await asyncio.wait({showing}, timeout=0.0 if self._is_late else LAST_REQUEST)
            while not showing.done():  # once more: it is to end at once
                showing.cancel()
                await asyncio.wait({showing}, timeout=_AT_ONCE)
            if not showing.cancelled() and not _has_failed(showing):
                await self._keep_at_last(turn, showing.result())
            raise
        except ChatForbidden:
            self.is_forbidden = True
            raise
        if self.first_text_at is None and not is_blank(self._visible(turn.answer)):
            self.first_text_at = datetime.now(UTC)
        if reply != self.reply:
            self.reply = reply
            if not turn.is_over:  # an end is kept by `end`
                try:
                    await self.insist(lambda: self._ledger.save(self._to_keep(turn)))
                except asyncio.CancelledError:
                    await self._keep_at_last(turn, reply)
                    raise

    async def _keep_at_last(self, turn: Turn, reply: Reply) -> None:
        """Keep *reply* when there is no time to insist on it."""
        self.reply = reply
        try:
            await self._ledger.save(self._to_keep(turn))
        except (StorageUnavailable, Overtaken) as error:
            log.warning("the note of what was shown last can't be saved", **facts(error))

    async def insist(self, write: Callable[[], Awaitable[T]]) -> T:
        """Have *write* done, also when the database is away for a while. Raises Overtaken, never StorageUnavailable."""
        return await retry(
            write,
            self._times.keep,
            on=StorageUnavailable,
            failed=lambda _, pause: log.warning("the database is away; trying again", seconds=round(pause, 3)),
        )

    def _to_keep(self, turn: Turn) -> Turn:
        """Of a turn that still grows only the note is worth keeping: after a crash its answer begins again."""
        return (turn if turn.is_over else turn.grow("")).replied(self.reply)


def _has_failed(task: asyncio.Future[Any]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is not None
