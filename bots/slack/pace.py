"""How fast Slack lets us write: one budget for a workspace, shared by all answers that stream in it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bots.bucket import Bucket, until_free
from bots.slack.stream_budget import StreamBudget

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.turn import TurnId

# https://docs.slack.dev/apis/web-api/rate-limits: tier 3 is 50 a minute for each method and workspace, bursts are
# tolerated for a moment; chat.postMessage has one a second for each channel, short bursts tolerated as well.
UPDATES_A_SECOND = 45 / 60  # with a full bucket no more than 50 in any minute
UPDATES_AT_ONCE = 5
KEPT_FOR_ENDS = 2  # of those, what only the end of a turn may use
POSTS_A_SECOND = 1.0
POSTS_AT_ONCE = 3
# Tier 3 as well: conversations.history and .replies, for finding lost answers and for reading back what was missed.
READS_A_SECOND = 30 / 60  # with a full bucket no more than 50 in any minute: most are one for a place, many at once
READS_AT_ONCE = 20
READS = ("conversations.history", "conversations.replies")
KEPT_FOR_FINDING = 2  # of those, what only a search for lost answers may use
KEPT_FROM_CONTEXT = 4  # and what is not for reading what was said before a question, but for what was missed as well
# https://docs.slack.dev/ai/developing-agents: an update of one message about every three seconds.
UPDATE_SPACING = 3.0  # seconds
FORGOTTEN_AFTER = 60.0  # seconds without an update, after which a turn no longer counts as streaming


class Pace:
    """The budget of a workspace: when may a turn's message be posted or updated?"""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._updates = Bucket(UPDATES_A_SECOND, UPDATES_AT_ONCE, clock)
        self.reads = Bucket(READS_A_SECOND, READS_AT_ONCE, clock)
        self._posts: dict[str, Bucket] = {}  # by channel
        self._written_at: dict[TurnId, float] = {}  # of turns that stream
        self._streams = StreamBudget(clock)
        self._paid: set[TurnId] = set()  # turns whose next call was taken from the budget when they became ready

    def may(self, method: str) -> bool:
        """Take one call of *method* from its budget, if there is room for it and for what is kept for ends."""
        return self._streams.may(method)

    def end(self, method: str) -> None:
        """Take the call of *method* that ends something: room was kept for it."""
        self._streams.end(method)

    async def ready(self, turn: TurnId, channel: str, *, is_posted: bool, is_over: bool) -> None:
        """Wait until *turn* may be shown, and take that from the budget."""
        if is_posted:
            await until_free(lambda: self.wait_to_update(turn, is_over=is_over))
            self.updated(turn)
        else:
            await until_free(lambda: self.wait_to_post(channel))
            self.posted(channel, turn)
        self._paid.add(turn)

    async def post(self, turn: TurnId, channel: str) -> None:
        """Wait until one more message may be posted, unless that was paid for by `ready`."""
        if not self._is_paid(turn):
            await until_free(lambda: self.wait_to_post(channel))
            self.posted(channel, turn)

    async def update(self, turn: TurnId) -> None:
        """Wait until one more message may be updated, unless that was paid for by `ready`."""
        if not self._is_paid(turn):
            # Who is in the middle of showing something goes on with it, like an end.
            await until_free(lambda: self.wait_to_update(turn, is_over=True))
            self.updated(turn)

    async def read(self) -> None:
        """Wait until a thread may be read, and take that from the budget."""
        await until_free(self.reads.wait_for)
        self.reads.take()

    def wait_to_post(self, channel: str) -> float:
        """Seconds until a message may be posted to *channel*."""
        return self._channel(channel).wait_for()

    def wait_to_update(self, turn: TurnId, *, is_over: bool) -> float:
        """Seconds until *turn* may be updated; its end waits for nothing but the workspace's budget."""
        if is_over:
            return self._updates.wait_for()
        spaced = self._written_at[turn] + self._spacing() - self._clock() if turn in self._written_at else 0.0
        return max(0.0, spaced, self._updates.wait_for(KEPT_FOR_ENDS))

    def posted(self, channel: str, turn: TurnId) -> None:
        self._channel(channel).take()
        self._written_at[turn] = self._clock()

    def updated(self, turn: TurnId) -> None:
        self._updates.take()
        self._written_at[turn] = self._clock()

    def shown(self, turn: TurnId, *, is_over: bool) -> None:
        """*turn* was shown, perhaps without any call; if it is over, it streams no more."""
        self._paid.discard(turn)
        if is_over:
            self._written_at.pop(turn, None)

    def refused(self, method: str, seconds: float, channel: str = "") -> None:
        """Slack answered 429 and wants *seconds* of silence on *method*: in *channel* if that is posting, else everywhere."""
        self._streams.refused(method, seconds)
        if bucket := self._bucket(method, channel):
            bucket.hold(seconds)

    def silence(self, method: str, channel: str = "") -> float:
        """Seconds for which Slack wants no call of *method* any more: another one may have been refused since."""
        bucket = self._bucket(method, channel)
        return bucket.held if bucket else self._streams.silence(method)

    def _bucket(self, method: str, channel: str) -> Bucket | None:
        if method == "chat.update":
            return self._updates
        if method == "chat.postMessage":
            return self._channel(channel)
        return self.reads if method in READS else None

    def _is_paid(self, turn: TurnId) -> bool:
        if turn in self._paid:
            self._paid.discard(turn)
            return True
        return False

    def _spacing(self) -> float:
        """With many turns streaming, each gets its share of the workspace's budget."""
        silent = self._clock() - FORGOTTEN_AFTER
        self._written_at = {turn: at for turn, at in self._written_at.items() if at > silent}
        return max(UPDATE_SPACING, len(self._written_at) / UPDATES_A_SECOND)

    def _channel(self, channel: str) -> Bucket:
        if channel not in self._posts:
            self._posts = {name: bucket for name, bucket in self._posts.items() if not bucket.is_full}
            self._posts[channel] = Bucket(POSTS_A_SECOND, POSTS_AT_ONCE, self._clock)
        return self._posts[channel]
