"""What was said while nobody listened: read back, within bounds, and taken like what comes live.

Slack brings again what was not acknowledged, three times within some six minutes, and drops what is older than two
hours: https://docs.slack.dev/apis/events-api#retries. This is for the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog

from bots.slack.events import NAME, read_message
from bots.slack.pace import Bucket, until_free
from core.errors import ChatBusy, ChatError, StorageUnavailable
from core.turn import Question

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bots.kit import Notes
    from bots.slack.api import Api, Identity
    from core.relay import Relay

MOST_PLACES = 50  # threads, and as many channels
MOST_MESSAGES = 200  # that are read in one round
# Some apps get no more at once, and may ask only once a minute: https://docs.slack.dev/apis/web-api/rate-limits
PAGE = 15
READS_A_MINUTE, READS_AT_ONCE = 30, 10  # of tier 3, which the search for lost answers needs as well
CHANNELS_LISTED = 200
OVERLAP = 30.0  # seconds; events of different channels come in any order
SEEN_NOTE = f"{NAME}/seen"
SEEN_INTERVAL = 5.0  # seconds between two writings of it
PAUSE_AFTER_TROUBLE = 1.0  # seconds

Place = tuple[str, str]  # a channel and the ts of a thread in it; empty: the channel beside its threads

log = structlog.get_logger(__name__)


class CatchUp:
    """Knows where something may have been missed, and until when all was heard."""

    def __init__(
        self,
        api: Api,
        notes: Notes,
        relay: Relay,
        identity: Identity,
        *,
        take: Callable[[Question], Awaitable[object]],
        hours: float,
    ) -> None:
        """*take* records a question; what is older than so many *hours* is let be."""
        self._api = api
        self._notes = notes
        self._relay = relay
        self._identity = identity
        self._take = take
        self._hours = hours
        self._gaps: dict[Place, str] = {}  # what is to be read, and after which ts
        self._asked: dict[Place, str] = {}  # the newest question of each active thread
        self._messages_left = 0
        self._one_at_a_time = asyncio.Lock()
        self._budget = Bucket(READS_A_MINUTE / 60, READS_AT_ONCE)
        self._seen = self._noted = ""  # the newest ts that was heard; what the note says
        self._is_complete = False  # only then may the note move on
        self._was_away = asyncio.Event()
        self._told: set[str] = set()  # codes that were logged

    async def look(self) -> None:
        """Find out where something may have been missed: to be called before anything live is let through."""
        try:
            await self._look()
        except StorageUnavailable:
            log.warning("The database is away: what was missed in Slack is read later.")
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
        """Take what was missed in the thread of a live *question*, so that its order holds."""
        channel, thread_ts, ts = _where(question)
        if thread_ts == ts:
            return
        if (channel, thread_ts) not in self._asked:
            # Where the thread began may have been missed itself.
            await self._close((channel, ""))
        await self._close((channel, thread_ts))

    def is_too_old(self, question: Question) -> bool:
        return float(_where(question)[2]) < self._oldest()

    def saw(self, ts: str) -> None:
        """All that is to be done about the message or event of *ts* is done."""
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
        self._noted = await self._notes.note(SEEN_NOTE) or ""
        is_first = not (self._seen or self._noted)
        self._seen = self._seen or self._noted or _ts(time.time())
        oldest = self._oldest()
        since = datetime.fromtimestamp(oldest, UTC)
        active = await self._relay.active_threads(NAME, since, MOST_PLACES)
        self._messages_left = MOST_MESSAGES
        self._asked.clear()
        for thread, key in reversed(active):
            _, channel, thread_ts = thread.id.split("/")
            asked = key.rpartition("/")[2]
            self._asked[channel, thread_ts] = asked
            self._gaps[channel, thread_ts] = max(asked, _ts(oldest))
        if is_first:
            return  # who was never here before has missed nothing
        unheard = _ts(max(float(self._seen) - OVERLAP, oldest))
        for channel in await self._channels():
            self._gaps[channel, ""] = unheard

    async def _channels(self) -> list[str]:
        """Return the channels to look into: first those where the bot was asked of late."""
        listed: list[str] = []
        try:
            listed = await self._api.conversations(CHANNELS_LISTED)
        except ChatError as trouble:
            self._tell(trouble, "users.conversations")
        channels = [*(channel for channel, _ in reversed(self._asked)), *listed]
        return list(dict.fromkeys(channels))[:MOST_PLACES]

    async def _close_all(self) -> None:
        while self._gaps and self._messages_left > 0:
            await until_free(self._budget.wait_for)
            # Meanwhile somebody may have closed it who could not wait.
            if place := next(iter(self._gaps), None):
                try:
                    await self._close(place)
                except StorageUnavailable:
                    self._messages_left = MOST_MESSAGES
                    await asyncio.sleep(PAUSE_AFTER_TROUBLE)
        if self._gaps:
            log.warning("So much was missed in Slack that not all of it is read.", places=len(self._gaps))
            self._gaps.clear()

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
                self._tell(trouble, "for now; nothing more is read back")
                self._gaps.clear()
            except ChatError as refusal:
                self._tell(refusal, place[0])
            except Exception:  # a place that can't be read must not end listening
                log.exception("What was missed in Slack can't be read.", where=place[0])
            self._gaps.pop(place, None)

    async def _read(self, place: Place, since: str) -> None:
        channel, thread_ts = place
        for message in await self._messages(place, since):
            ts = message["ts"]
            heard = read_message(message, self._identity.team, channel, self._identity.user)
            if isinstance(heard, Question) and not self._is_known(heard):
                await self._take(heard)
            if not thread_ts and message.get("latest_reply", "") > since:
                # Somebody may have been asking in there.
                self._gaps.setdefault((channel, ts), max(ts, since, self._asked.get((channel, ts), "")))
            self.saw(ts)

    async def _messages(self, place: Place, since: str) -> list[Mapping[str, Any]]:
        """Return what was said there, oldest first, as far as the bounds allow."""
        found: list[Mapping[str, Any]] = []
        cursor = ""
        while self._messages_left > 0:
            self._budget.take()
            # Every page of a thread begins with the message that it hangs on, and that counts.
            limit = min(PAGE, self._messages_left + bool(place[1]))
            page = await self._api.said_in(*place, since, cursor, limit)
            said = [message for message in page.get("messages") or () if message["ts"] > since]
            found += said
            self._messages_left -= len(said)
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                break
        return sorted(found, key=lambda message: str(message["ts"]))

    def _is_known(self, question: Question) -> bool:
        """Was it recorded before? A question would be answered once anyhow, but a command is obeyed whenever it comes."""
        channel, thread_ts, ts = _where(question)
        return ts <= self._asked.get((channel, thread_ts), "")

    def _tell(self, trouble: ChatError, where: str) -> None:
        if trouble.code not in self._told:
            self._told.add(trouble.code)
            log.warning(
                "What was missed in Slack can't be read.", where=where, code=trouble.code, detail=trouble.detail
            )


def _where(question: Question) -> tuple[str, str, str]:
    """Return its channel, the ts of its thread, and its own."""
    _, channel, thread_ts = question.thread.id.split("/")
    return channel, thread_ts, question.key.rpartition("/")[2]


def _ts(moment: float) -> str:
    return f"{moment:.6f}"
