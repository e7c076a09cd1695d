"""Reads back what was said in Slack while the bot was away.

It brings again what was not acknowledged, three times within some six minutes, and drops what is older than two hours:
https://docs.slack.dev/apis/events-api#retries. This is for the rest.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import structlog

from bots.bucket import until_free
from bots.listening.reader import Backlog, Bounds
from bots.listening.unreadable import HISTORY
from bots.slack.askers import as_said
from bots.slack.events import read_back
from bots.slack.ids import NAME, Place, is_ask, is_ts, message_of, position, ts_at
from bots.slack.pace import KEPT_FOR_FINDING, reading
from bots.slack.unreadable import skipped
from core.errors import ChatBusy, ChatError, facts

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from bots.listening.events import Heard
    from bots.listening.reader import Round
    from bots.slack.api import Api, Identity
    from bots.slack.naming import Naming
    from bots.slack.pace import Pace
    from bots.slack.roots import Roots
    from core.metrics import Metrics
    from core.thread import Thread
    from core.turn import QuestionKey

# Some apps get 15 messages at once, and may ask only once a minute: https://docs.slack.dev/apis/web-api/rate-limits
BOUNDS = Bounds(places=50, messages=200, pages=15, calls=200)
CHANNELS_LISTED = 200
OVERLAP = 30.0  # seconds; events of different channels come in any order
SEEN_NOTE = f"{NAME}/seen"

Message = dict[str, Any]

log = structlog.get_logger(__name__)


class SlackReader:
    chat = NAME

    def __init__(
        self,
        api: Api,
        pace: Pace,
        identity: Identity,
        metrics: Metrics,
        *,
        naming: Naming,
        roots: Roots,
        bots: Collection[str] = (),
        kept_for_finding: int = KEPT_FOR_FINDING,
    ) -> None:
        """*bots*: ids of those that may ask; *kept_for_finding*: calls of the budget that are left to others."""
        self._api = api
        self._pace = pace
        self._identity = identity
        self._naming = naming
        self._metrics = metrics
        self._bots = bots
        self._roots = roots
        self.bounds = BOUNDS
        self._kept_for_finding = kept_for_finding

    async def place(self, thread: Thread) -> Place | None:
        return await self._roots.place_of(thread.id)

    def position(self, key: QuestionKey) -> int | None:
        return None if is_ask(key) else position(message_of(key)[2])

    def proves_deleted(self, place: Place, key: QuestionKey) -> bool:
        """Of the message that a thread hangs on Slack leaves a tombstone. What is quite new may not be told yet."""
        ts = message_of(key)[2]
        return not is_ask(key) and ts != place[1] and float(ts) < time.time() - OVERLAP

    async def places(self, this: Round[Place]) -> list[Place]:
        """A channel before its threads: it tells which of them have something new. First those where the bot was asked."""
        listed: list[str] = []
        try:
            listed = await self._api.conversations(CHANNELS_LISTED)
        except ChatBusy:
            raise
        except ChatError as trouble:
            log.warning(
                "Slack does not tell where the bot is; reading what was missed in threads only", **facts(trouble)
            )
        active = [channel for channel, _ in this.asked]
        channels = list(dict.fromkeys((*active, *listed)))[: self.bounds.places]
        places: list[Place] = []
        for channel in dict.fromkeys((*channels, *active)):
            places += [(channel, "")] if channel in channels else []
            places += [place for place in reversed(this.asked) if place[0] == channel]
        return places

    async def ready(self, *, is_urgent: bool) -> bool:
        """What is live waits for nothing: if Slack wants to be left alone, the rest is read later."""
        if is_urgent:
            return self._pace.wait_to_read() == 0
        await until_free(lambda: self._pace.wait_to_read(self._kept_for_finding))
        return True

    async def read(self, place: Place, after: int, this: Round[Place]) -> Backlog[Place]:
        """Beside it, Slack tells anyhow of the message that a thread hangs on.

        In a channel it is asked for the older ones that threads hang on which were active of late.
        """
        channel, thread_ts = place
        roots = [] if thread_ts else [position(ts) for where, ts in this.asked if where == channel and ts]
        # A thread comes oldest first, and what was asked on the brink is told as well.
        # The threads of direct messages are mostly one conversation with what is beside them, which alone is known.
        roots += [this.oldest] if channel.startswith("D") and not thread_ts else []
        since = ts_at(min([after + 1, *roots]))
        found: dict[int, Message] = {}
        cursor, is_whole, calls, new = "", False, 0, 0
        while not is_whole and calls < self.bounds.pages and new < self.bounds.messages:
            self._pace.reads(thread_ts).take()
            calls += 1
            page = await self._page(channel, thread_ts, since, cursor)
            said = self._readable(page["messages"])
            found |= said
            fresh = sum(at > after for at in said)
            new += fresh
            cursor = page["response_metadata"]["next_cursor"]
            is_whole = not cursor or (not thread_ts and fresh < len(said))
        messages = sorted(found.items())
        below = {} if thread_ts else self._below(channel, messages, after, this.asked)
        return Backlog(messages, after if is_whole else None, calls, below)

    async def heard(self, place: Place, message: Message) -> Heard:
        me = self._identity.user
        message = as_said(message, self._bots, self._identity.ids)
        heard = await self._naming.read(
            lambda names: read_back(message, self._identity.team, place[0], me, names), message
        )
        return await self._roots.settled(heard, message, me)

    async def _page(self, channel: str, thread_ts: str, since: str, cursor: str) -> Mapping[str, Any]:
        try:
            return await self._api.said_in(channel, thread_ts, since, cursor, self.bounds.page)
        except ChatBusy as trouble:
            self._pace.refused(reading(thread_ts), trouble.retry_after or self.bounds.pause)
            raise

    def _readable(self, messages: list[object]) -> dict[int, Message]:
        """Return by their position those that have one."""
        said: dict[int, Message] = {}
        for message in messages:
            if isinstance(message, dict) and is_ts(ts := message.get("ts")):
                said[position(ts)] = message
            else:
                skipped(HISTORY, None, self._metrics)
        return said

    def _below(
        self, channel: str, messages: list[tuple[int, Message]], after: int, asked: Collection[Place]
    ) -> dict[Place, int | None]:
        """Decide by the messages that they hang on which threads are to be read, and from where."""
        bots = {self._identity.user, self._identity.bot}
        below: dict[Place, int | None] = {}
        for at, message in messages:
            thread, latest = (channel, str(message["ts"])), message.get("latest_reply")
            repliers = message.get("reply_users")
            users = {str(user) for user in repliers} if isinstance(repliers, list) else set()
            # Slack may tell the one or the other for a bot: https://docs.slack.dev/reference/methods/conversations.replies
            is_bot_alone = message.get("reply_users_count") == len(users) == 1 and users <= bots
            if not is_ts(latest) or position(latest) <= after or is_bot_alone:
                below[thread] = None
            elif (at > after or channel.startswith("D")) and thread not in asked:
                below[thread] = max(at, after)  # somebody may have been asking in there
        return below
