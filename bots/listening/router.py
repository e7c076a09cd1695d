"""Passes to core what people say, edit, delete and click, in order for each message."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import structlog

from bots.listening.events import Clicked, Deleted, Edited, Heard, Ignored, Overheard, Reacted, Said, Shared
from bots.listening.following import NEEDS_MENTION, Follower
from bots.listening.recent import Recent
from bots.reply.page import Wish
from core.bounded import BoundedSet
from core.commands import Command, Verb
from core.errors import Refused, StorageUnavailable, Unwelcome
from core.language import marked, say, speaking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection

    from bots.listening.following import Judged
    from bots.listening.mark import Scale
    from bots.reply.note import Note
    from core.aftermath import Manages
    from core.following import Standing
    from core.relay import Relay
    from core.thread import Thread, ThreadId
    from core.turn import Accepted, QuestionKey, Turn

NO_SUCH_QUESTION = marked("I can't find that question any more. Please ask it again.")
NOT_TO_SHARE = marked("I can't share that: only the person who asked can, once there is a whole answer.")
SHARED_BEFORE = marked("That answer has been shared already.")
JUST_NOW = 1.0  # seconds; the platform's clock may be behind ours
# A thread is so young that another process may still be recording the question which began it.
YOUNG = 15  # seconds
LOOKED_AGAIN_AFTER = (0.2, 0.3, 0.5, 0.7)  # seconds, one after another: together less than a platform waits

MOST_TURNED_AWAY = 1_000  # questions
MOST_JUDGED = 10_000  # messages

log = structlog.get_logger(__name__)


async def _nothing(*_: object) -> None:
    """Where nobody minds."""


class Router:
    """Returns only when what it was handed is recorded, and raises StorageUnavailable if it can't be."""

    def __init__(
        self,
        relay: Relay,
        scale: Scale,
        *,
        hours: float,
        record: Callable[[Said], Awaitable[Accepted]],
        accepted: Callable[[Turn, Note[Any]], None],
        refused: Callable[[Said, str], Awaitable[None]],
        words_command: bool = True,
        names: Callable[[], Collection[str]] = tuple,
        thumb: Callable[[Said], Awaitable[None]] = _nothing,
        tell: Callable[[Said, str], Awaitable[None]] = _nothing,
        patience: float = 0.0,
        recent: Recent | None = None,
    ) -> None:
        """*record* a question; *accepted* is told of each new one. An edit of what is older than so many *hours* asks nothing.

        *refused* has a sentence to tell, in private, to who said something and may not ask.

        *words_command*: does `record` obey all words that are a command, or only those of `core.commands.BY_WORD`? An
        edit to words that it asks is one like any.
        *names* are those by which people call the bot. *thumb* nods to what somebody said, and *tell* tells them something,
        as quietly as the platform can. *patience* is as for `Relay.ask`.
        """
        self._relay = relay
        self._scale = scale
        self.hours = hours
        self._record = record
        self._accepted = accepted
        self._refused = refused
        self._words_command = words_command
        self.recent = recent or Recent()
        self._judged: BoundedSet[QuestionKey] = BoundedSet(MOST_JUDGED)  # of what was overheard
        self._turned_away: BoundedSet[QuestionKey] = BoundedSet(MOST_TURNED_AWAY)  # platforms bring them twice
        self._waited_in: BoundedSet[ThreadId] = BoundedSet(MOST_JUDGED)  # for another process
        self._thumb = thumb
        self._tell = tell
        self._follower = Follower(relay, self.recent, scale, names, patience=patience)
        self._in_turn: WeakValueDictionary[ThreadId, asyncio.Lock] = WeakValueDictionary()
        self._in_order: WeakValueDictionary[QuestionKey, asyncio.Lock] = WeakValueDictionary()

    @property
    def oldest(self) -> int:
        """The position before which nothing is asked any more that was missed."""
        return self._scale.at(time.time() - self.hours * 3600)

    def connected(self) -> None:
        """A connection began just now, and what is said from then on is heard."""
        self.recent.connected(self._scale.at(time.time() - JUST_NOW))

    async def hear_live(self, heard: Heard, before: Callable[[Said], Awaitable[None]]) -> None:
        """Take what is heard; what is said in a thread, in the order in which it comes.

        *before* is awaited before what may be a question is taken: it has us `hear` what was missed there.
        """
        match heard:
            case Said():
                async with self._next_in(heard):
                    await before(heard)
                    await self.hear(heard)
            case Overheard(said):
                async with self._next_in(said):
                    await self._overhear(heard, before)
            case _:
                await self.hear(heard)

    async def hear(self, heard: Heard) -> None:
        match heard:
            case Ignored(reason):
                log.debug("a message is not for the bot", why=reason)
            case Overheard():
                await self._overhear(heard)
            case Deleted(keys):
                for key in keys:
                    self.recent.forget(key)
                    async with self._alone_with(key):
                        await self._relay.withdraw(key)
            case Said():
                await self._ask(heard)

    async def _overhear(self, overheard: Overheard, before: Callable[[Said], Awaitable[None]] | None = None) -> None:
        """Take what is said where the bot is, and not to it in so many words."""
        said = overheard.said
        self.recent.hear(overheard)
        if said.question.key in self._judged and not isinstance(said, Edited):  # live, or read back meanwhile
            return
        if not overheard.may_be_for_us:
            if isinstance(said, Edited) and not overheard.is_bots and self._follower.may_be_asked(overheard):
                with suppress(Unwelcome):  # who asked it may not ask any more
                    await self._relay.revise(said.question, words_command=self._words_command)
            return
        standing = await self._standing(overheard)
        if before and standing and not standing.why_not:
            await before(said)
            standing = await self._follower.standing(overheard)
        self._judged.add(said.question.key)
        try:
            if standing:
                with speaking(said.question.language):
                    await self._obey(said, self._follower.judge(overheard, standing))
        except BaseException:  # it comes again
            self._judged.pop(said.question.key, None)
            raise

    async def _standing(self, overheard: Overheard) -> Standing | None:
        """Say how the bot stands there. Where a thread may just have begun with a question, that is waited for, once."""
        standing, thread = await self._follower.standing(overheard), overheard.said.question.thread.id
        if not self._may_be_called_elsewhere(overheard):
            return standing
        for pause in LOOKED_AGAIN_AFTER:
            if not self._follower.is_uncalled(overheard, standing):
                break
            self._waited_in.add(thread)
            await asyncio.sleep(pause)
            self._relay.following.called(thread)
            standing = await self._follower.standing(overheard)
        return standing

    def _may_be_called_elsewhere(self, overheard: Overheard) -> bool:
        """May another process have heard the beginning of the thread, and not have recorded it yet?"""
        said, oldest = overheard.said, overheard.said.position - self._scale.a_second * YOUNG
        is_young = overheard.began > 0 and overheard.began >= oldest
        return is_young and not self._relay.following.is_alone and said.question.thread.id not in self._waited_in

    async def _obey(self, said: Said, judged: Judged) -> None:
        if judged.said:
            await self._ask(judged.said)
        elif judged.wants_thumb:
            await self._thumb(said)
        elif judged.wants_telling and await self._relay.following.tell_once(said.question.thread):
            await self._tell(said, say(NEEDS_MENTION))

    async def _ask(self, said: Said) -> None:
        self.recent.hear(said)
        try:
            async with self._alone_with(said.question.key):
                if isinstance(said, Edited) or said.question.key not in self._turned_away:
                    with speaking(said.question.language):
                        await self._take(said)
        except Unwelcome as refusal:
            self._turned_away.add(said.question.key)
            if refusal.is_news:
                await self._refused(said, refusal.sentence)

    def _next_in(self, said: Said) -> asyncio.Lock:
        return self._in_turn.setdefault(said.question.thread.id, asyncio.Lock())

    async def mute(self, thread: Thread, by: str, *, is_muting: bool, occasion: str = "") -> str:
        """Keep quiet in *thread*, or no more, as *by* wants it who says no word; nothing where nobody has called the bot.

        Return a sentence to tell, in private, if that isn't for *by* to want.
        """
        if await self._relay.following.is_called(thread):
            command = Command(Verb.MUTE if is_muting else Verb.UNMUTE)
            try:
                await self._relay.obey(command, thread, by, occasion=occasion)
            except Unwelcome as refusal:
                return refusal.sentence if refusal.is_news else ""
        return ""

    async def react(self, reacted: Reacted, manages: Manages) -> str:
        """Stop what somebody has reacted to, or have it answered next; return a sentence to tell, in private, if they may not.

        Where there is nothing to stop, it is some other message.
        """
        turn = await self._relay.stopping.being_answered(reacted.key, reacted.mark, reacted.within)
        if turn is None:
            return ""
        try:
            if reacted.wish is Wish.STOP:
                await self._relay.stopping.stop(turn.question.key, by=reacted.by, manages=manages)
            elif turn.waited and turn.question.key == reacted.key:
                await self._relay.stopping.instead(turn.question.key, by=reacted.by, manages=manages)
        except Refused as refusal:
            return refusal.sentence
        return ""

    async def click(self, clicked: Clicked, manages: Manages | None = None) -> str:
        """Do what is wished for; return a sentence to tell, in private, if that can't be. *manages* as for `Stopping.stop`."""
        key, by, attempt = clicked.key, clicked.by, clicked.attempt
        try:
            match clicked.wish:
                case Wish.AGAIN:
                    is_known = await self._relay.again(key, of_attempt=attempt, by=by, manages=manages)
                case Wish.STOP:
                    return (await self._relay.stopping.stop(key, by=by, of_attempt=attempt, manages=manages)).sentence
                case Wish.INSTEAD:
                    return (await self._relay.stopping.instead(key, by=by, manages=manages)).sentence
                case _:  # it takes more than a click tells
                    raise ValueError(clicked.wish)
        except Refused as refusal:
            return refusal.sentence
        return "" if is_known else say(NO_SUCH_QUESTION)

    async def share(self, shared: Shared) -> str:
        """Have others see a private answer; return a sentence to tell if that isn't done, or was done before."""
        try:
            accepted = await self._relay.share(shared.key, shared.by, shared.thread, shared.note.write())
        except Unwelcome as refusal:
            return refusal.sentence
        if accepted is None:
            return say(NOT_TO_SHARE)
        return "" if accepted.is_new else say(SHARED_BEFORE)

    async def _take(self, said: Said) -> None:
        may_ask = not isinstance(said, Edited) or (said.may_ask and said.position >= self.oldest)
        accepted = await self._record(said) if may_ask else None
        if accepted and accepted.is_new:
            self._accepted(accepted.turn, said.note)
            if accepted.whisper:
                await self._refused(said, accepted.whisper)
        elif isinstance(said, Edited):
            await self._relay.revise(said.question, words_command=self._words_command)

    def _alone_with(self, key: QuestionKey) -> asyncio.Lock:
        return self._in_order.setdefault(key, asyncio.Lock())


@asynccontextmanager
async def recorded_within(seconds: float) -> AsyncIterator[None]:
    """Raises StorageUnavailable when the body takes longer than the platform waits for us.

    It may still have been recorded; then what was wanted is done as well.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as late:
        raise StorageUnavailable from late
