"""Paces posts and edits in Slack: one budget for a workspace, shared by all answers that grow in it.

The minute that nobody used is there for who comes, and an answer that was posted keeps a call for its end: what has
begun is finished without waiting. See docs/decisions/0015-slack-window.md.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bots.bucket import Bucket, until_free
from bots.slack.lease import Lease
from bots.slack.window import HORIZON, LONGEST_SLEEP, SPAN, Window

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bots.kit import Change
    from core.turn import TurnId

# https://docs.slack.dev/apis/web-api/rate-limits: so many a minute for each method and workspace.
TIER_2, TIER_3, TIER_4 = 20, 50, 100
UPDATE = "chat.update"
# https://docs.slack.dev/reference/methods/chat.startStream, …/chat.appendStream, …/chat.stopStream
START, APPEND, STOP = "chat.startStream", "chat.appendStream", "chat.stopStream"
TIERS = {UPDATE: TIER_3, START: TIER_2, APPEND: TIER_4, STOP: TIER_2}
# As `window.HORIZON` of the others. Streams are for answers that go on. What begins now will hardly end before that, and
# finds the call for its end by then.
HORIZONS = {APPEND: 30.0, STOP: 20.0}  # seconds
# One message a second for each channel, short bursts tolerated: …/rate-limits#overview
POSTS_A_SECOND = 1.0
POSTS_AT_ONCE = 3
# Tier 3 as well, each of the two: for finding lost answers, and for reading what was missed and what was said before.
READS_A_SECOND = 30 / 60  # with a full bucket no more than 50 in any minute: most are one for a place, many at once
READS_AT_ONCE = 20  # halved for each process that began in the last minute: together they have less than twice as many
HISTORY, REPLIES = "conversations.history", "conversations.replies"
KEPT_FOR_FINDING = 2  # of those, what only a search for lost answers may use
KEPT_FROM_CONTEXT = 4  # and what is not for reading what was said before a question, but for what was missed as well
UPDATE_SPACING = 1.2  # seconds between two updates of one answer: what the tier gives if there is no other
APPEND_SPACING = 1.0  # and between two appends to one stream
# An answer of several messages keeps two calls: its last words may move the break between two of them.
KEPT_FOR_PAGES = 2
FORGOTTEN_AFTER = 300.0  # seconds without a sign of a turn, after which another process has it, or nobody
# https://github.com/slackapi/python-slack-sdk/issues/1859: then Slack has ended a stream by itself.
STREAM_ENDS_AFTER = 300.0  # seconds


@dataclass(slots=True)
class _Answer:
    """What is known of a turn that is not over."""

    seen_at: float
    written_at: float = float("-inf")
    kept: int = 0  # calls, for its end
    wants: int = 1  # of these
    under_way: int = 0  # calls, of updates
    is_paid: bool = False  # was its next call taken when it became ready?
    is_over: bool = False
    streams: bool = False  # then what it keeps for its end is no update


class Pace:
    """The budget of a workspace: when may a turn's message be posted or updated?

    Of native streams: `may` says whether one may begin, go on or be ended.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        share: Callable[[Change], Awaitable[None]] | None = None,
    ) -> None:
        """*share* changes the row of the workspace where processes share it; raises StorageUnavailable or ChatError."""
        self._clock = clock
        self._is_alone = share is None
        self._windows = {
            method: Window(limit, clock, horizon=HORIZONS.get(method, HORIZON), is_shared=bool(share))
            for method, limit in TIERS.items()
        }
        self._updates = self._windows[UPDATE]
        self._reads = {method: Bucket(READS_A_SECOND, READS_AT_ONCE, clock) for method in (HISTORY, REPLIES)}
        self._posts: dict[str, Bucket] = {}  # by channel
        self._answers: dict[TurnId, _Answer] = {}  # that are not over
        self._ends = 0  # that wait
        self._streams: deque[float] = deque()  # when those began that were not ended
        self._lease = Lease(
            self._windows,
            clock,
            share,
            answers=self._answers.__len__,
            growing=self._growing,
            is_busy=lambda: bool(self._answers or self._open_streams()),
        )
        self._began_at = clock()
        self._taken_up: list[float] = []  # when what an earlier process had begun was posted

    # Messages that are posted and updated

    async def ready(
        self,
        turn: TurnId,
        channel: str,
        *,
        is_posted: bool,
        is_over: bool,
        pages: int = 1,
        streams: bool = False,
        age: float = 0.0,
    ) -> None:
        """Wait until *turn* may be shown, and take that from the budget. *pages*: messages that it has so far.

        *streams*: what is posted will be a stream. *age* in seconds, of its first message.
        """
        is_unknown = turn not in self._answers
        answer = self._answer(turn)
        answer.streams = streams
        if is_posted and is_unknown:
            self._take_up(answer, age)
        answer.is_over = is_over
        is_end = is_over and is_posted
        pages = pages if is_posted else 0
        self._ends += is_end
        try:
            await self._until_free(lambda: self._wait(answer, channel, pages))
        finally:
            self._ends -= is_end
        if not answer.is_paid:
            self._pay(answer, channel, pages)

    async def post(self, turn: TurnId, channel: str) -> None:
        """Wait until one more message may be posted, unless that was paid for by `ready`."""
        answer = self._answer(turn)
        if not answer.is_paid:
            await until_free(self._channel(channel).wait_for)
            self._channel(channel).take()
            answer.wants = KEPT_FOR_PAGES
            if not answer.is_over:
                self._keep(answer)
        answer.is_paid = False

    async def update(self, turn: TurnId) -> None:
        """Wait until one more message may be updated, unless that was paid for by `ready`.

        Who is in the middle of showing something goes on with what is free, else with what its end keeps.
        """
        answer = self._answer(turn)
        if not answer.is_paid:
            self._ends += answer.is_over
            try:
                await self._until_free(lambda: self._updates.wait(kept=answer.kept > 0))
            finally:
                self._ends -= answer.is_over
            self._take(answer, kept=answer.kept > 0 and self._updates.room < 1)
        answer.is_paid = False

    def shown(self, turn: TurnId, *, is_over: bool) -> None:
        """*turn* was shown, perhaps without any call; if it is over, nothing more will be.

        An end that is to be tried again is not over: it keeps a call anew.
        """
        answer = self._answers.get(turn)
        if answer is None:
            return
        if answer.is_paid and answer.under_way:
            self._updates.unmade()
            answer.under_way -= 1
        self._updates.ended(answer.under_way)
        answer.is_paid, answer.under_way = False, 0
        if is_over:
            self._forget(turn)
        elif answer.is_over:
            self._keep(answer)

    # Messages that stream

    def can(self, method: str) -> bool:
        """Is there room for a call of *method* beside what is kept for ends? *method* is one of `TIERS`."""
        is_kept = self._open_streams() > 0 and method == STOP
        has_end = method != START or (self._windows[STOP].soon >= 1 and not self._windows[STOP].silence)
        return has_end and self._windows[method].wait(kept=is_kept) <= 0

    def may(self, method: str) -> bool:
        """Take one call of *method* if there `can` be one; return whether it was taken.

        Who may chat.startStream has a call of chat.stopStream kept from then on: `may` it, or give it back by `let_go` if
        there is nothing to stop, as when the stream could not begin or died. It is there at once, unless very many ended
        in the last minute. chat.update is beside the spacing of answers that are shown by updates. Counts as made at once.

        Where processes share the limits each holds a few calls, and no more until it has looked: `await look()` before, where
        there is time for it.
        """
        window = self._windows[method]
        if window.is_low:
            self._lease.look_soon(method)
        if not self.can(method):
            return False
        is_kept = method == STOP and self._open_streams() > 0
        window.take(kept=is_kept)
        window.ended()
        if is_kept:
            self._streams.popleft()
        if method == START:
            self._windows[STOP].keep()
            self._streams.append(self._clock())
            self._lease.begin_to_tell()
        return True

    @property
    def append_spacing(self) -> float:
        """Seconds between two appends to one stream."""
        return max(APPEND_SPACING, self._windows[APPEND].spacing(self._open_streams()))

    def let_go(self) -> None:
        """A stream is over without having been stopped."""
        if self._open_streams():
            self._streams.popleft()
            self._windows[STOP].let_go()

    def _open_streams(self) -> int:
        while self._streams and self._streams[0] <= self._clock() - STREAM_ENDS_AFTER:
            self._streams.popleft()
            self._windows[STOP].let_go()
        return len(self._streams)

    # Reading

    def reads(self, thread_ts: str) -> Bucket:
        """The budget for reading a thread; empty: for reading what is said beside them."""
        return self._reads[reading(thread_ts)]

    async def read(self, thread_ts: str) -> None:
        """Wait until a thread may be read, and take that from the budget; as `reads`."""
        await until_free(self.reads(thread_ts).wait_for)
        self.reads(thread_ts).take()

    def wait_to_read(self, kept: int = 0) -> float:
        """Seconds until both may be read, and so many calls are left of either."""
        return max(bucket.wait_for(kept) for bucket in self._reads.values())

    def begin_after(self, others: int) -> None:
        """So many processes began within the last minute: what they have read counts as well."""
        for bucket in self._reads.values():
            bucket.lower(READS_AT_ONCE >> others)

    # What Slack refuses

    def refused(self, method: str, seconds: float, channel: str = "") -> None:
        """Slack answered 429 and wants *seconds* of silence on *method*: in *channel* if that is posting, else everywhere."""
        budget = self._budget(method, channel)
        if budget:
            budget.hold(seconds)
        if isinstance(budget, Window):
            self._lease.look_at_once()

    def silence(self, method: str, channel: str = "") -> float:
        """Seconds for which no call of *method* is to be made: one was refused, and after that they go one by one."""
        budget = self._budget(method, channel)
        if isinstance(budget, Window):
            return budget.silence
        return budget.held if budget else 0.0

    def again(self, method: str) -> None:
        """A call of *method* that was refused is made again now."""
        if window := self._windows.get(method):
            window.again()

    def _budget(self, method: str, channel: str) -> Bucket | Window | None:
        if method == "chat.postMessage":
            return self._channel(channel)
        return self._reads.get(method) or self._windows.get(method)

    async def look(self) -> None:
        """Where processes share the limits, tell the others what this one uses and get some more calls.

        One transaction, and none if that was done a moment ago. Does nothing where there is but one process.
        """
        await self._lease.look()

    # How it is reckoned

    async def _until_free(self, wait: Callable[[], float], method: str = UPDATE) -> None:
        """Sleep until *wait* says 0 seconds, and ask whether others leave something if only they can."""
        while (seconds := wait()) > 0:
            if seconds == math.inf:
                await self._lease.get_more(method)
            else:
                await asyncio.sleep(min(seconds, LONGEST_SLEEP))

    def _take_up(self, answer: _Answer, age: float) -> None:
        """An earlier process has posted *answer*, and kept a call for its end; what it has called nobody has told us."""
        now = self._clock()
        if self._is_alone and now - age < self._began_at > now - SPAN:
            self._taken_up.append(now - age)
            self._updates.assume(self._began_at, self._taken_up, UPDATE_SPACING)
            self._keep(answer)

    def _wait(self, answer: _Answer, channel: str, pages: int) -> float:
        """Seconds after which to look again whether an answer may be shown; 0 if it may."""
        answer.seen_at = self._clock()
        if answer.is_paid:
            return 0.0
        updates = self._updates
        if not pages:
            posting = self._channel(channel).wait_for()
            keeps = not (answer.is_over or answer.kept or answer.streams)
            return max(posting, updates.wait() if keeps and updates.room < 1 else 0.0)
        if answer.is_over:
            return updates.wait(kept=answer.kept > 0)
        if self._ends:
            return LONGEST_SLEEP
        if (spaced := answer.written_at + self._spacing() - self._clock()) > 0:
            return spaced
        # What ends may need goes before all updates.
        answer.wants = KEPT_FOR_PAGES if pages > 1 else 1
        for one in self._posted:
            self._keep(one)
        lacking = sum(one.wants - one.kept for one in self._posted)
        return updates.wait(1 + lacking + (0 if answer.kept else answer.wants))

    def _pay(self, answer: _Answer, channel: str, pages: int) -> None:
        answer.is_paid = True
        answer.written_at = self._clock()
        if pages:
            self._take(answer, kept=answer.is_over and answer.kept > 0)
        else:
            self._channel(channel).take()
        if not answer.is_over:
            self._keep(answer)

    def _take(self, answer: _Answer, *, kept: bool) -> None:
        self._updates.take(kept=kept)
        answer.under_way += 1
        answer.kept -= kept

    def _keep(self, answer: _Answer) -> None:
        """Keep what its end may need: one call in any case, and more if there is room."""
        while not answer.streams and answer.kept < answer.wants and (not answer.kept or self._updates.room >= 1):
            self._updates.keep()
            answer.kept += 1

    @property
    def _posted(self) -> list[_Answer]:
        """Those that have something to update, and will have until they are over."""
        return [answer for answer in self._answers.values() if answer.kept and not answer.is_over]

    def _growing(self, method: str) -> int:
        """How many answers are shown by calls of *method*?"""
        match method:
            case "chat.update":
                return sum(not answer.streams for answer in self._answers.values())
            case "chat.appendStream":
                return self._open_streams()
        return 0

    def _spacing(self) -> float:
        """Seconds between two updates of one answer."""
        return max(UPDATE_SPACING, self._updates.spacing(len(self._posted)))

    def _answer(self, turn: TurnId) -> _Answer:
        now = self._clock()
        for one, answer in list(self._answers.items()):
            if answer.seen_at < now - FORGOTTEN_AFTER:
                self._forget(one)
        answer = self._answers.setdefault(turn, _Answer(now))
        answer.seen_at = now
        self._lease.begin_to_tell()
        return answer

    def _forget(self, turn: TurnId) -> None:
        answer = self._answers.pop(turn)
        self._updates.let_go(answer.kept)
        self._updates.ended(answer.under_way)

    def _channel(self, channel: str) -> Bucket:
        if channel not in self._posts:
            self._posts = {name: bucket for name, bucket in self._posts.items() if not bucket.is_full}
            self._posts[channel] = Bucket(POSTS_A_SECOND, POSTS_AT_ONCE, self._clock)
        return self._posts[channel]


def reading(thread_ts: str) -> str:
    """The method that reads a thread; empty: what is said beside them."""
    return REPLIES if thread_ts else HISTORY
