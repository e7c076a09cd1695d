"""What was said while nobody listened: read back, within bounds, and taken like what comes live.

Slack brings again what was not acknowledged, three times within some six minutes, and drops what is older than two
hours: https://docs.slack.dev/apis/events-api#retries. This is for the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog

from bots.bucket import until_free
from bots.slack.events import NAME, Revised, Withdrawn, key_of, read_back
from bots.slack.pace import KEPT_FOR_FINDING, READS
from bots.slack.unreadable import HISTORY, is_ts, skipped
from core.errors import BobbinError, ChatBusy, ChatError, StorageUnavailable, facts
from core.turn import Question

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bots.kit import Notes
    from bots.slack.api import Api, Identity
    from bots.slack.pace import Pace
    from core.metrics import Metrics
    from core.relay import Relay

MOST_PLACES = 50  # threads, and as many channels
MOST_MESSAGES = 200  # that are read in one round in threads, and as many beside them
# Some apps get 15 at once, and may ask only once a minute: https://docs.slack.dev/apis/web-api/rate-limits
PAGE = 100
MOST_PAGES = 15  # of one place
MOST_REFUSALS = 5  # in one round; each is waited out
CHANNELS_LISTED = 200
OVERLAP = 30.0  # seconds; events of different channels come in any order
SEEN_NOTE = f"{NAME}/seen"
SEEN_INTERVAL = 5.0  # seconds between two writings of it
LONGEST_AHEAD = 3_600.0  # seconds; clocks differ
PAUSE_AFTER_TROUBLE = 1.0  # seconds
PAUSE_AFTER_REFUSAL = 10.0  # seconds, where Slack names none

_TS = re.compile(r"\d{1,11}(\.\d{1,9})?", re.ASCII)
Place = tuple[str, str]  # a channel and the ts of a thread in it; empty: the channel beside its threads

log = structlog.get_logger(__name__)


class CatchUp:
    """Knows where something may have been missed, and until when all was heard."""

    def __init__(
        self,
        api: Api,
        pace: Pace,
        notes: Notes,
        relay: Relay,
        identity: Identity,
        *,
        take: Callable[[Question], Awaitable[object]],
        revise: Callable[[Revised], Awaitable[object]],
        hours: float,
        metrics: Metrics,
    ) -> None:
        """*take* records a question, *revise* an edit; what is older than so many *hours* is let be."""
        self._api = api
        self._pace = pace
        self._notes = notes
        self._relay = relay
        self._identity = identity
        self._take = take
        self._revise = revise
        self._hours = hours
        self._metrics = metrics
        self._gaps: dict[Place, str] = {}  # what is to be read, and after which ts
        self._asked: dict[Place, str] = {}  # the newest question of each active thread
        self._left = {"threads": 0, "channels": 0}  # messages that may still be read
        self._refusals = 0
        self._one_at_a_time = asyncio.Lock()
        self._seen = self._noted = ""  # the newest ts that was heard; what the note says
        self._is_complete = False  # only then may the note move on
        self._was_away = asyncio.Event()
        self._told: set[str] = set()  # codes that were logged

    async def look(self) -> None:
        """Find out where something may have been missed: to be called before anything live is let through."""
        try:
            await self._look()
        except StorageUnavailable:
            log.warning("the database is away; reading later what was missed in Slack")
            await asyncio.sleep(PAUSE_AFTER_TROUBLE)
            self.again()

    async def run(self) -> None:
        """Read all of it, and again after each absence; in between keep note of how far all was heard."""
        while True:
            await self._close_all()
            while not self._was_away.is_set():
                self._is_complete = True
                await self.keep_seen()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._was_away.wait(), SEEN_INTERVAL)
            self._is_complete = False
            self._was_away.clear()
            await self.look()

    def again(self) -> None:
        """The connection was lost for a while."""
        self._was_away.set()

    async def before(self, question: Question) -> None:
        """Take what was missed in the thread of a live *question*, so that its order holds.

        Unless Slack wants to be left alone: what is live waits for nothing, and the rest is read later.
        """
        channel, thread_ts, ts = _where(question)
        if thread_ts == ts or self._pace.reads.wait_for() > 0:
            return
        if (channel, thread_ts) not in self._asked:
            # Where the thread began may have been missed itself.
            await self._close((channel, ""))
        await self._close((channel, thread_ts))

    def is_too_old(self, question: Question) -> bool:
        ts = _where(question)[2]
        return bool(_TS.fullmatch(ts)) and float(ts) < self._oldest()

    def saw(self, ts: object) -> None:
        """All that is to be done about the message or event of *ts* is done."""
        # What is no time, or lies ahead, would hide all that is missed from now on.
        if is_ts(ts) and float(ts) < time.time() + LONGEST_AHEAD:
            self._seen = max(self._seen, ts)

    async def keep_seen(self) -> None:
        """Write down how far all was heard, unless something is still to be read."""
        if self._is_complete and self._seen != self._noted:
            noted = self._seen
            try:
                await self._notes.write_note(SEEN_NOTE, noted)
            except StorageUnavailable:
                return  # it comes round again
            self._noted = noted

    def _oldest(self) -> float:
        return time.time() - self._hours * 3600

    async def _look(self) -> None:
        noted = await self._notes.note(SEEN_NOTE)
        self._noted = noted if is_ts(noted) else ""
        is_first = not (self._seen or self._noted)
        self._seen = self._seen or self._noted or _ts(time.time())
        oldest = self._oldest()
        since = datetime.fromtimestamp(oldest, UTC)
        self._asked.clear()
        for thread, key in await self._relay.active_threads(NAME, since, MOST_PLACES):
            _, channel, thread_ts = thread.id.split("/")
            self._asked[channel, thread_ts] = key.rpartition("/")[2]
        self._left = {"threads": MOST_MESSAGES, "channels": MOST_MESSAGES}
        self._refusals = 0
        unheard = _ts(max(float(self._seen) - OVERLAP, oldest))
        # Who was never here before has missed nothing.
        channels = [] if is_first else await self._channels()
        # A channel before its threads: it tells which of them have something new.
        for channel in dict.fromkeys((*channels, *(channel for channel, _ in self._asked))):
            if channel in channels:
                self._gaps[channel, ""] = unheard
            for place, asked in reversed(self._asked.items()):
                if place[0] == channel:
                    self._gaps[place] = max(asked, _ts(oldest))

    async def _channels(self) -> list[str]:
        """Return the channels to look into: first those where the bot was asked of late."""
        listed: list[str] = []
        try:
            listed = await self._api.conversations(CHANNELS_LISTED)
        except ChatError as trouble:
            self._tell(trouble, "users.conversations")
        channels = [*(channel for channel, _ in self._asked), *listed]
        return list(dict.fromkeys(channels))[:MOST_PLACES]

    async def _close_all(self) -> None:
        while self._gaps:
            await until_free(lambda: self._pace.reads.wait_for(KEPT_FOR_FINDING))
            # Meanwhile somebody may have closed it who could not wait.
            if place := next(iter(self._gaps), None):
                try:
                    await self._close(place)
                except StorageUnavailable:
                    self._left = dict.fromkeys(self._left, MOST_MESSAGES)
                    await asyncio.sleep(PAUSE_AFTER_TROUBLE)
        if 0 in self._left.values():
            log.warning("more was missed in Slack than the bot reads; leaving out the oldest")

    async def _close(self, place: Place) -> None:
        """Raises StorageUnavailable: then it is still open."""
        async with self._one_at_a_time:
            since = self._gaps.get(place)
            if since is None:
                return
            try:
                await self._read(place, since)
            except StorageUnavailable:
                raise
            except ChatBusy as trouble:
                self._put_off(trouble)
                return
            except ChatError as refusal:
                self._tell(refusal, place[0])
            except Exception as error:  # noqa: BLE001  # a place that can't be read must not end listening
                skipped(HISTORY, error, self._metrics)
            self._gaps.pop(place, None)

    def _put_off(self, trouble: ChatBusy) -> None:
        """Leave Slack alone for as long as it wants, or for good when it wants that again and again."""
        self._refusals += 1
        self._pace.refused(READS[0], trouble.retry_after or PAUSE_AFTER_REFUSAL)
        if self._refusals == MOST_REFUSALS:
            log.warning("Slack is too busy to tell what was missed; leaving out the rest", places=len(self._gaps))
            self._gaps.clear()
        else:
            self._tell(trouble, "for now")

    async def _read(self, place: Place, since: str) -> None:
        channel, thread_ts = place
        messages, is_whole = await self._messages(place, since)
        for message in messages:
            try:
                await self._hear(message, channel, since)
                if not thread_ts:
                    self._look_below(message, channel, since)
            except BobbinError:
                raise
            except Exception as error:  # noqa: BLE001  # one message must not keep the others
                skipped(HISTORY, error, self._metrics)
            self.saw(message["ts"])
        if thread_ts and is_whole and self._is_deleted(place, since, {message["ts"] for message in messages}):
            await self._relay.withdraw(key_of(self._identity.team, channel, since))

    async def _messages(self, place: Place, since: str) -> tuple[list[Mapping[str, Any]], bool]:
        """Return what was said there, oldest first, as far as the bounds allow; and whether that is all.

        Beside it, what Slack tells anyhow: the message that a thread hangs on, and in a channel the older ones that
        threads hang on which were active of late.
        """
        channel, thread_ts = place
        kind = "threads" if thread_ts else "channels"
        roots = [] if thread_ts else [root for where, root in self._asked if where == channel]
        found: dict[str, Mapping[str, Any]] = {}
        cursor, is_whole = "", False
        for _ in range(MOST_PAGES):
            if is_whole or not self._left[kind]:
                break
            self._pace.reads.take()
            page = await self._api.said_in(channel, thread_ts, min([since, *roots]), cursor, PAGE)
            said = self._readable(page.get("messages"))
            found |= said
            new = sum(ts > since for ts in said)
            self._left[kind] = max(0, self._left[kind] - new)
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            is_whole = not cursor or (not thread_ts and new < len(said))
        return [found[ts] for ts in sorted(found)], is_whole

    def _readable(self, messages: object) -> dict[str, Mapping[str, Any]]:
        """Return by their ts those that have one."""
        said: dict[str, Mapping[str, Any]] = {}
        for message in messages if isinstance(messages, list) else ():
            if isinstance(message, dict) and is_ts(ts := message.get("ts")):
                said[ts] = message
            else:
                skipped(HISTORY, None, self._metrics)
        return said

    async def _hear(self, message: Mapping[str, Any], channel: str, since: str) -> None:
        heard = read_back(message, self._identity.team, channel, self._identity.user)
        match heard:
            case Withdrawn(key):
                await self._relay.withdraw(key)
            case Revised(question, was_asked):
                is_old = message["ts"] <= since or self._is_known(question)
                await self._revise(Revised(question, was_asked=was_asked or is_old))
            case Question() if message["ts"] > since and not self._is_known(heard):
                await self._take(heard)

    def _look_below(self, message: Mapping[str, Any], channel: str, since: str) -> None:
        """Decide by the message that it hangs on whether a thread is to be read."""
        ts, users = message["ts"], set(message.get("reply_users") or ())
        # Slack may tell the one or the other for a bot: https://docs.slack.dev/reference/methods/conversations.replies
        is_bot_alone = message.get("reply_users_count") == len(users) == 1 and users <= {
            self._identity.user,
            self._identity.bot,
        }
        if message.get("latest_reply", "") <= since or is_bot_alone:
            self._gaps.pop((channel, ts), None)
        elif ts > since:
            # Somebody may have been asking in there.
            self._gaps.setdefault((channel, ts), max(ts, self._asked.get((channel, ts), "")))

    def _is_deleted(self, place: Place, since: str, told: set[str]) -> bool:
        """Was the thread's newest question deleted, now that all from it on was *told*, and it is not among that?

        Of the message that the thread hangs on Slack leaves a tombstone. What is quite new may not be told yet.
        """
        is_in_range = since == self._asked.get(place) and since != place[1] and place[1] in told
        return is_in_range and since not in told and float(since) < time.time() - OVERLAP

    def _is_known(self, question: Question) -> bool:
        """Was it recorded before? Nothing would come of it once more, but it need not be asked."""
        channel, thread_ts, ts = _where(question)
        return ts <= self._asked.get((channel, thread_ts), "")

    def _tell(self, trouble: ChatError, where: str) -> None:
        if trouble.code not in self._told:
            self._told.add(trouble.code)
            log.warning("what was missed in Slack can't be read", where=where, **facts(trouble))


def _where(question: Question) -> tuple[str, str, str]:
    """Return its channel, the ts of its thread, and its own."""
    _, channel, thread_ts = question.thread.id.split("/")
    return channel, thread_ts, question.key.rpartition("/")[2]


def _ts(moment: float) -> str:
    return f"{moment:.6f}"
