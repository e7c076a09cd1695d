"""Reads back what was said while the bot was away; Discord doesn't redeliver it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, TypeGuard

import discord

from bots.discord.connection import shard_of
from bots.discord.errors import UNREADABLE, translated
from bots.discord.events import is_mentioned, permissions, read_message
from bots.discord.ids import NAME, SCALE, channel_of, guild_of, has_own_place, key_of, message_of
from bots.discord.languages import Languages
from bots.discord.names import Names
from bots.discord.times import USUAL
from bots.discord.unreadable import read, skipped
from bots.listening.events import Deleted, Edited, Ignored
from bots.listening.mark import Mark
from bots.listening.reader import Backlog
from bots.listening.unreadable import HISTORY
from core.errors import ChatBusy

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bots.discord.conversations import Conversations
    from bots.discord.pace import Pace
    from bots.kit import Notes
    from bots.listening.events import Heard
    from bots.listening.reader import Bounds, Round
    from core.metrics import Metrics
    from core.thread import Thread
    from core.turn import QuestionKey

MOST_LOOKED_AFTER = 10  # threads that are asked without having news: a question may have been edited or deleted
SEEN_NOTE = "discord/seen"
COUNTS_NOTE = "discord/seen/counts"  # in how many shards the bot ran; each number once

Json = dict[str, Any]


def note_of(shard: int, count: int) -> str:
    return SEEN_NOTE if count == 1 else f"{SEEN_NOTE}/{shard}/{count}"


def mark_of(notes: Notes, shard: int, count: int, overlap: float = USUAL.overlap) -> Mark:
    """Of one shard, since each can be away while the others hear; which servers it has depends on how many there are."""

    async def earlier() -> int | None:
        """Return the oldest mark of all shards when there were more or fewer of them."""
        counts: list[int] = json.loads(await notes.note(COUNTS_NOTE) or "[1]")
        if count not in counts:
            await notes.write_note(COUNTS_NOTE, json.dumps([*counts, count]))
        others = [note_of(one, many) for many in counts if many != count for one in range(many)]
        return min([int(mark) for name in others if (mark := await notes.note(name))], default=None)

    return Mark(notes, note_of(shard, count), SCALE, overlap=overlap, earlier=earlier)


class DiscordReader:
    """Of one shard. A place is the id of a channel, or of a thread."""

    chat = NAME

    def __init__(
        self,
        client: discord.Client,
        pace: Pace,
        metrics: Metrics,
        shard: int,
        conversations: Conversations,
        *,
        bots: Collection[str] = (),
        bounds: Bounds = USUAL.catch_up,
        names: Names | None = None,
        languages: Languages | None = None,
    ) -> None:
        self._client = client
        self._pace = pace
        self._metrics = metrics
        self._shard = shard
        self._conversations = conversations
        self._bots = bots
        self.bounds = bounds
        self._names = names or Names()
        self._languages = languages or Languages()

    async def place(self, thread: Thread) -> int | None:
        guild = guild_of(thread.id)
        if has_own_place(thread.id) and (guild is None or self._client.get_guild(guild) is None):
            return None  # the bot is not there, and can't read
        return channel_of(thread.id) if shard_of(guild, self._client) == self._shard else None

    def position(self, key: QuestionKey) -> int:
        return message_of(key)

    def proves_deleted(self, place: int, key: QuestionKey) -> bool:
        """Neither of a command, which is no message, nor of a message from which the thread was made: that lies elsewhere."""
        message = message_of(key)
        return message != place and key == key_of(message)

    async def places(self, this: Round[int]) -> list[int]:
        """Threads that are talked in with the bot first, then what else has something new; each newest first."""
        active = [
            place
            for place in this.asked
            if not _has_messages(channel := self._client.get_channel(place)) or self._is_of_interest(channel, this)
        ]
        others = [
            channel
            for guild in self._client.guilds
            if guild.shard_id == self._shard
            for channel in (*(guild.channels or await self._fetched(guild)), *guild.threads)
            if _has_messages(channel) and _last_message(channel) > this.since and self._may_read(channel, guild)
        ]
        others.sort(key=_last_message, reverse=True)
        return list(dict.fromkeys((*active, *(channel.id for channel in others))))

    async def _fetched(self, guild: discord.Guild) -> Sequence[discord.abc.GuildChannel]:
        """What the gateway told of them could not be read."""
        await self._pace.spare()
        with translated():
            return await guild.fetch_channels()

    async def ready(self, *, is_urgent: bool) -> bool:
        await (self._pace.soon if is_urgent else self._pace.spare)()
        return True

    async def read(self, place: int, after: int, this: Round[int]) -> Backlog[int]:
        """As Discord tells it: discord.py's own way through the history ends at the first message that it can't read."""
        channel = self._client.get_channel(place)
        if channel is None:
            with translated():
                channel = await self._client.fetch_channel(place)
            await self._pace.spare()
        if not _has_messages(channel) or not self._is_of_interest(channel, this):
            return Backlog((), after)
        said: list[tuple[int, Any]] = []  # the newest first
        before, calls, is_whole = None, 0, False
        while not is_whole and calls < self.bounds.pages and len(said) < self.bounds.messages:
            if calls:
                await self._pace.soon()  # somebody may wait for the rest by now
            calls += 1
            page = await self._page(place, before)
            messages = [(id_, one) for one in page if (id_ := _id_of(one))]
            for _ in range(len(page) - len(messages)):
                skipped(HISTORY, KeyError(), self._metrics)
            said += [(id_, (channel, one)) for id_, one in messages if id_ > after]
            is_whole = len(page) < self.bounds.page or not messages or messages[-1][0] <= after
            before = messages[-1][0] if messages else None
        return Backlog(said[::-1], after if is_whole else said[-1][0] - 1, calls)

    async def heard(self, place: int, message: Any) -> Heard:  # noqa: ARG002  # it comes with its channel
        channel, data = message
        read_back: discord.Message | None = read(self._client, channel, data, self._metrics)
        if read_back is None:
            return Ignored("unreadable")
        if read_back.type is not discord.MessageType.thread_starter_message:
            return await self._heard(read_back)
        # It shows, as it is now, the question that the thread was made from, or that it was deleted.
        # https://discord.com/developers/docs/resources/message#message-object
        match read_back.reference and read_back.reference.resolved:
            case discord.DeletedReferencedMessage() as deleted:
                return Deleted((key_of(deleted.id),))
            case discord.Message() as started if isinstance(edited := await self._heard(started), Edited):
                return edited
        return Ignored("said by Discord itself")

    async def _heard(self, message: discord.Message) -> Heard:
        me = self._client.user.id if self._client.user else 0
        # What Discord would not have told when it was said, it may tell afterwards.
        is_told = self._client.intents.message_content or message.guild is None or is_mentioned(message, me)
        if not is_told:
            return Ignored("not for the bot")
        conversation = await self._conversations.behind(message, me)
        language = self._languages.of(message.author.id, message.guild)
        return read_message(message, me, conversation, names=self._names, bots=self._bots, language=language)

    async def _page(self, place: int, before: int | None) -> list[Json]:
        """Raises a ChatError."""
        with translated():
            try:
                page: object = await self._client.http.logs_from(place, self.bounds.page, before=before)
            except ValueError as error:  # it says that it is JSON, and isn't
                raise ChatBusy(type(error).__name__, code=UNREADABLE) from error
        if not isinstance(page, list):
            raise ChatBusy("no list of messages", code=UNREADABLE)
        return page

    def _may_read(self, channel: object, guild: discord.Guild) -> bool:
        allowed = permissions(channel, guild, self._client.user.id if self._client.user else 0)
        return allowed.view_channel and allowed.read_message_history

    def _is_of_interest(self, channel: _Place, this: Round[int]) -> bool:
        return _last_message(channel) > this.since or channel.id in list(this.asked)[:MOST_LOOKED_AFTER]


def _id_of(message: object) -> int:
    """Return 0 for what has none."""
    try:
        return int(message["id"])  # type: ignore[index]
    except (TypeError, ValueError, KeyError):
        return 0


_Place = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread | discord.DMChannel


def _has_messages(channel: object) -> TypeGuard[_Place]:
    return isinstance(channel, _Place)


def _last_message(channel: _Place) -> int:
    """Return the id of the newest message; of a direct conversation, discord.py does not tell it."""
    return sys.maxsize if isinstance(channel, discord.DMChannel) else channel.last_message_id or 0
