"""Slack's own streams: messages that grow while somebody watches, of those that this process writes.

Only whom it answers sees one grow, so that they are for direct messages. Each is begun, appended to and ended by one call
after another; what becomes of it otherwise, by a crash, by Slack or by a person, leaves a message like any other.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog

from bots.bucket import until_free
from bots.slack.pace import APPEND, START, STOP
from core.bounded import Bounded
from core.errors import ChatBusy, ChatClosed, ChatError, ChatLimited, RefusalUnclear, ThreadGone, facts

if TYPE_CHECKING:
    from collections.abc import Callable

    from bots.reply.page import Page
    from bots.slack.api import Api
    from bots.slack.pace import Pace

# A stream ends by itself some five minutes after it began, even if it grows, and then it reads as if something had gone
# wrong: https://github.com/slackapi/python-slack-sdk/issues/1859
LONGEST = 230.0  # seconds
LOOKS_AGAIN = 1.0  # seconds, before it is looked again whether more may be appended
LOOK = 5.0  # seconds between looks at how old they are
MOST_OPEN = 1_000
# What says that there are no streams here at all: GovSlack, an app that is no agent, a kind of place.
LASTING = frozenset(
    {
        *("unknown_method", "method_deprecated", "deprecated_endpoint", "feature_not_enabled", "feature_disabled"),
        *("channel_type_not_supported", "not_allowed_token_type", "missing_scope", "access_denied", "not_agent_app"),
        *("missing_recipient_user_id", "missing_recipient_team_id", "thread_ts_required", "no_permission"),
    }
)
OFF_FOR, OFF_FOR_UNKNOWN = 3_600.0, 600.0  # seconds; somebody may have mended it
ENDED = "message_not_in_streaming_state"
STOPPED = "stopped_by_user"

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Stream:
    """A message that grows."""

    ts: str
    channel: str
    number: int  # of its page
    appended: str
    page: Page  # what it is to show, of which a part may be held back
    began: float
    grew: float
    is_sure: bool = True  # is it known what was appended?
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)  # for one call after another


class Streams:
    """Those of one process, and whether a workspace has any."""

    def __init__(self, api: Api, pace: Pace, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._pace = pace
        self._clock = clock
        self._open: Bounded[tuple[str, str], Stream] = Bounded(MOST_OPEN)
        self._off_until: dict[str, float] = {}  # by workspace

    def get(self, channel: str, ts: str) -> Stream | None:
        return self._open.get((channel, ts))

    def may_begin(self, team: str) -> bool:
        """*team*: the installation."""
        return self._off_until.get(team, 0.0) <= self._clock() and self._pace.can(START)

    async def start(self, channel: str, thread_ts: str, page: Page, number: int, text: str, *, team: str) -> str:
        """Begin one with *text*; return its ts, empty if there are none, or none may be begun now. Raises a ChatError.

        *team*: the installation.
        """
        if not self.may_begin(team) or not self._pace.may(START):
            return ""
        try:
            ts = await self._api.start_stream(channel, thread_ts, text)
        except ChatError as refusal:
            self._pace.let_go()
            if isinstance(refusal, ChatLimited):
                return ""
            if _is_of_another_kind(refusal):
                raise
            seconds = OFF_FOR if refusal.code in LASTING else OFF_FOR_UNKNOWN
            self._off_until[team] = self._clock() + seconds
            log.warning("Slack begins no stream; posting answers instead", seconds=seconds, **facts(refusal))
            return ""
        now = self._clock()
        self._open[channel, ts] = Stream(ts, channel, number, text, page, now, now)
        return ts

    async def ready(self, stream: Stream) -> None:
        """Wait until more may be appended, and take that from the budget."""
        await until_free(lambda: max(0.0, stream.grew + self._pace.append_spacing - self._clock()))
        await until_free(lambda: 0.0 if self._pace.may(APPEND) else LOOKS_AGAIN)

    async def append(self, stream: Stream, text: str) -> bool:
        """Append *text*; return whether it is there. If not, the stream is over, and its message one like any other.

        Raises ThreadGone if a person has stopped it, or taken it away; ChatLimited: then nothing was appended.
        """
        stream.grew = self._clock()
        try:
            await self._api.append_stream(stream.channel, stream.ts, text)
        except ChatLimited:
            raise
        except ThreadGone:
            self._died(stream)
            raise
        except ChatError as refusal:
            log.info("a stream does not grow any more; updating its message instead", **facts(refusal))
            if refusal.code == ENDED:
                self._died(stream)
            else:
                stream.is_sure = False
                await self.stop(stream)
            return False
        stream.appended += text
        return True

    async def stop(self, stream: Stream, text: str = "", **more: Any) -> bool:
        """End it, with the rest of its *text*; return whether that is there. Raises ThreadGone, ChatBusy, ChatClosed."""
        if not stream.is_sure:
            text, more = "", {}
        try:
            await self._stop(stream.channel, stream.ts, text, **more)
        except ChatLimited:
            if text:  # what there is to read need not wait for the end
                await self._append_at_last(stream, text)
            raise
        except ThreadGone as gone:
            self._forget(stream)
            if gone.code == STOPPED:
                return False
            raise
        except ChatError as refusal:
            if _is_of_another_kind(refusal):
                stream.is_sure = False  # it may have come to its end
                raise
            return await self._stop_bare(stream, refusal)
        is_sure = stream.is_sure
        self._forget(stream)
        return is_sure

    async def _stop_bare(self, stream: Stream, refusal: ChatError) -> bool:
        """What was to be said at the end is refused: without it, it ends."""
        if refusal.code != ENDED:
            log.info("a stream does not end as it should; updating its message", **facts(refusal))
            try:
                await self._stop(stream.channel, stream.ts)
            except ChatError as again:
                log.info("a stream does not end at all", **facts(again))
        self._forget(stream)
        return False

    async def _append_at_last(self, stream: Stream, text: str) -> None:
        try:
            await self._api.append_stream(stream.channel, stream.ts, text)
        except ChatError as refusal:
            stream.is_sure = stream.is_sure and isinstance(refusal, ChatLimited)
        else:
            stream.appended += text

    async def _stop(self, channel: str, ts: str, text: str = "", **more: Any) -> None:
        if not self._pace.may(STOP):
            raise ChatLimited(code="ratelimited", retry_after=max(1.0, self._pace.silence(STOP)))
        await self._api.stop_stream(channel, ts, text, **more)

    async def take_over(self, channel: str, ts: str) -> None:
        """End a stream that another process has left behind. Raises ChatBusy, ChatClosed."""
        try:
            await self._stop(channel, ts)
        except ThreadGone:
            return  # updating its message will tell
        except ChatError as refusal:
            if _is_of_another_kind(refusal):
                raise
            if refusal.code != ENDED:
                log.info("a stream that was left behind does not end", **facts(refusal))

    def _died(self, stream: Stream) -> None:
        """It is over, and needs no end."""
        self._forget(stream)
        self._pace.let_go()

    def _forget(self, stream: Stream) -> None:
        self._open.pop((stream.channel, stream.ts), None)

    async def run(self) -> None:
        """End those that are about to end by themselves, until cancelled: an answer may make a long pause."""
        while True:
            await asyncio.sleep(LOOK)
            await self.end_old()

    async def end_old(self) -> None:
        for stream in filter(self.is_old, list(self._open.values())):
            async with stream.lock:
                if self.get(stream.channel, stream.ts):
                    await self._end_old(stream)

    async def _end_old(self, stream: Stream) -> None:
        try:
            await self.stop(stream)
        except ChatError as trouble:
            log.info("a stream can't be ended before it ends by itself", **facts(trouble))
            self._forget(stream)

    def is_old(self, stream: Stream) -> bool:
        return self._clock() - stream.began >= LONGEST


def _is_of_another_kind(refusal: ChatError) -> bool:
    """Is it no refusal of what was asked for: the place or the token is at fault, or nobody knows what became of it?"""
    is_unknown = isinstance(refusal, ChatBusy) and not isinstance(refusal, RefusalUnclear)
    return is_unknown or isinstance(refusal, ThreadGone | ChatClosed)
