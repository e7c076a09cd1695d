"""Hears what was said while the bot was away: Discord, unlike its live events, does not bring it again."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any, TypeGuard
from weakref import WeakValueDictionary

import discord
import structlog

from bots.discord.connection import shard_of
from bots.discord.errors import translated
from bots.discord.events import NAME, channel_of, guild_of, key_of, message_of, permissions
from bots.discord.unreadable import HISTORY, read, skipped
from core.errors import BobbinError, ChatBusy, ChatError, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from bots.discord.pace import Pace
    from core.metrics import Metrics
    from core.relay import Relay
    from core.turn import QuestionKey

MOST_PLACES = 500  # threads and channels that are asked
PAGE = 100  # messages, the most that Discord tells at once: https://discord.com/developers/docs/resources/message#get-channel-messages
# Of one place, the newest ones: who asked a minute ago still waits, and who asked hours ago has asked elsewhere, or again.
MOST_MESSAGES = 1_000
MOST_PAGES = 1_000  # of all places: half a minute of all calls that Discord takes from a bot
MOST_LOOKED_AFTER = 10  # threads that are asked without having news: a question may have been edited or deleted
# Events of different servers may overtake each other on the way. What was heard twice is recorded once.
OVERLAP = 5_000 << 22  # five seconds, as a difference of ids

Json = dict[str, Any]

log = structlog.get_logger(__name__)


class Round:
    """One catching up of a shard, from the moment at which it brings new messages until the old ones are heard.

    In each place, the old ones come first: who asks there meanwhile waits, and nobody else does.
    """

    def __init__(
        self,
        client: discord.Client,
        pace: Pace,
        take: Callable[[discord.Message], Awaitable[None]],
        take_back: Callable[[int], Awaitable[None]],
        *,
        metrics: Metrics,
        shard: int,
        since: int,
        oldest: datetime,
    ) -> None:
        """*take* a message as if it came now, *take_back* one that was deleted.

        Up to the id *since*, and before *oldest*, nothing is of interest but whether a question was changed.
        """
        self._client = client
        self._pace = pace
        self._take = take
        self._take_back = take_back
        self._metrics = metrics
        self._shard = shard
        self._oldest_at = oldest
        self._oldest = discord.utils.time_snowflake(oldest)
        self._since = max(0, since - OVERLAP)
        # By channel: those of the threads that were active of late, the newest first.
        self._newest_questions: dict[int, QuestionKey] = {}
        self._pages = 0  # read so far
        self._is_planned = asyncio.Event()
        self._is_over = False
        self._reached: set[int] = set()
        self._one_at_a_time: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def plan(self, relay: Relay) -> None:
        """Learn where people have talked with the bot of late."""
        try:
            active = await relay.active_threads(NAME, self._oldest_at, MOST_PLACES)
            self._newest_questions = {
                channel_of(thread.id): key
                for thread, key in active
                if shard_of(guild_of(thread.id), self._client) == self._shard
            }
        except StorageUnavailable:
            log.warning("can't tell which threads were active of late")
        finally:
            self._is_planned.set()

    async def run(self) -> bool:
        """Ask every place that has something new; return whether all could be asked."""
        await self._is_planned.wait()
        unread = self._places()
        try:
            for place in unread[:MOST_PLACES]:
                if self._pages >= MOST_PAGES:
                    break
                await self._visit(place)
                unread.remove(place)
        except ChatBusy as trouble:
            log.warning("not all that was said while the bot was away can be read", code=trouble.code)
            return False
        finally:
            self._is_over = True
        if unread:
            log.warning(
                "not all places where something was said while the bot was away can be read", places=len(unread)
            )
        return not unread

    async def reach(self, channel: discord.abc.MessageableChannel) -> None:
        """Before something new of *channel* is taken: take what is old, unless that is done. Whatever fails is logged."""
        if self._is_over:
            return
        await self._is_planned.wait()
        try:
            await self._hear(channel, self._pace.soon)
        except ChatError as trouble:
            log.warning("what was said in a channel while the bot was away can't be read", code=trouble.code)

    def _places(self) -> list[int]:
        """Threads that are talked in with the bot first, then what else has something new; each newest first."""
        active = [
            place
            for place in self._newest_questions
            if not _has_messages(channel := self._client.get_channel(place)) or self._is_of_interest(channel)
        ]
        others = [
            channel
            for guild in self._client.guilds
            if guild.shard_id == self._shard
            for channel in (*guild.channels, *guild.threads)
            if _has_messages(channel) and self._has_news(channel) and self._may_read(channel, guild)
        ]
        others.sort(key=_last_message, reverse=True)
        return list(dict.fromkeys((*active, *(channel.id for channel in others))))

    def _may_read(self, channel: object, guild: discord.Guild) -> bool:
        allowed = permissions(channel, guild, self._client.user.id if self._client.user else 0)
        return allowed.view_channel and allowed.read_message_history

    async def _visit(self, place: int) -> None:
        """Raises ChatBusy: then there is no use in going on."""
        try:
            with translated():
                channel = self._client.get_channel(place) or await self._fetched(place)
            if _has_messages(channel) and self._is_of_interest(channel):
                await self._hear(channel, self._pace.spare)
        except ChatBusy:
            raise
        except ChatError as trouble:
            log.debug("a place can't be read any more", code=trouble.code)

    async def _fetched(self, place: int) -> object:
        await self._pace.spare()
        return await self._client.fetch_channel(place)

    def _is_of_interest(self, channel: _Place) -> bool:
        return self._has_news(channel) or channel.id in list(self._newest_questions)[:MOST_LOOKED_AFTER]

    def _has_news(self, channel: _Place) -> bool:
        return _last_message(channel) > max(self._since, self._oldest)

    async def _hear(self, channel: discord.abc.MessageableChannel, call: Callable[[], Awaitable[object]]) -> None:
        """*call* waits for the first call from the budget."""
        if channel.id not in self._reached:
            await call()  # before it is this one's turn: who asks here meanwhile is not to wait for what can wait
        async with self._one_at_a_time.setdefault(channel.id, asyncio.Lock()):
            if channel.id in self._reached:
                return
            newest = self._newest_questions.get(channel.id)
            # From the newest question on: that one may have been changed.
            known = min(self._since, message_of(newest) - 1 if newest else self._since)
            after = max(known, self._oldest)
            told, after = await self._history(channel, after)
            self._reached.add(channel.id)
            if after > max(self._since, self._oldest):
                log.warning(
                    "more was said in a channel while the bot was away than it reads; leaving out the oldest",
                    guild=channel.guild.id if channel.guild else None,
                    channel=channel.id,
                    read=len(told),
                )
            # What can't be read is there all the same.
            if newest and _is_deleted(newest, channel.id, after, [_id_of(said) for said in told]):
                await self._take_back(message_of(newest))
            for said in told:
                if message := read(self._client, channel, said, self._metrics):
                    await self._take_or_skip(message)

    async def _take_or_skip(self, message: discord.Message) -> None:
        try:
            await self._take(message)
        except BobbinError:
            raise
        except Exception as error:  # noqa: BLE001  # one message must not keep the others
            skipped(HISTORY, error, self._metrics)

    async def _history(self, channel: discord.abc.MessageableChannel, after: int) -> tuple[list[Json], int]:
        """Return what was said after an id, oldest first, and after which id that is all; nothing where it may not read.

        As Discord tells it: discord.py's own way through the history ends at the first message that it can't read.
        """
        said: list[Json] = []  # the newest first
        before = None
        while len(said) < MOST_MESSAGES:
            if before:
                await self._pace.soon()  # somebody may wait for the rest by now
            self._pages += 1
            page = await self._page(channel, before)
            messages = [one for one in page if _id_of(one)]
            for _ in range(len(page) - len(messages)):
                skipped(HISTORY, KeyError(), self._metrics)
            said += [one for one in messages if _id_of(one) > after]
            if len(page) < PAGE or not messages or _id_of(messages[-1]) <= after:
                return said[::-1], after
            before = _id_of(messages[-1])
        return said[::-1], _id_of(said[-1]) - 1

    async def _page(self, channel: discord.abc.MessageableChannel, before: int | None) -> list[Json]:
        """Raises a ChatError."""
        with translated():
            try:
                page: object = await self._client.http.logs_from(channel.id, PAGE, before=before)
            except ValueError as error:  # it says that it is JSON, and isn't
                raise ChatBusy(type(error).__name__, code="unreadable") from error
        if not isinstance(page, list):
            raise ChatBusy("no list of messages", code="unreadable")
        return page


def _id_of(message: object) -> int:
    """Return 0 for what has none."""
    try:
        return int(message["id"])  # type: ignore[index]
    except (TypeError, ValueError, KeyError):
        return 0


def _is_deleted(question: QuestionKey, channel: int, after: int, said: list[int]) -> bool:
    """Does its absence from what was *said* in its channel, told from *after* on, prove that it was deleted?

    Only where what comes after it was told; and neither of a command, which is no message, nor of a message from
    which the thread was made, which lies elsewhere.
    """
    message = message_of(question)
    is_in_range = after < message < max(said, default=0)
    return is_in_range and message not in said and message != channel and question == key_of(message)


_Place = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread | discord.DMChannel


def _has_messages(channel: object) -> TypeGuard[_Place]:
    return isinstance(channel, _Place)


def _last_message(channel: _Place) -> int:
    """Return the id of the newest message; of a direct conversation, discord.py does not tell it."""
    return sys.maxsize if isinstance(channel, discord.DMChannel) else channel.last_message_id or 0
