"""Reads what was said in Discord before a question."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import discord

from bots.discord.errors import UNREADABLE, translated
from bots.discord.events import permissions, read_message
from bots.discord.ids import SCALE, channel_of, guild_of, message_of, thread_in
from bots.discord.unreadable import read
from bots.listening.events import Overheard, Said
from bots.listening.history import CHANNEL_WITHIN, MOST_OF_CHANNEL, Page, Stretch, Wanted
from bots.listening.recent import BEGINNING, Stand, remark_of
from core.bounded import Bounded
from core.errors import ChatBusy, ChatError, ChatForbidden, ChatLimited
from core.language import marked
from core.thread import ThreadId

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from bots.discord.api import Api
    from bots.discord.names import Names
    from bots.discord.pace import Pace
    from bots.listening.recent import Remark
    from core.metrics import Metrics
    from core.thread import PlaceId
    from core.turn import Question, QuestionKey

MOST_CHANNELS = 1_000  # that are remembered where the gateway tells of none

FORBIDDEN = marked(
    "I may not read what was said here before. Somebody who manages this channel can give me the permission “Read Message "
    "History”."
)
NO_INTENT = marked(
    "I can't read messages that don't mention me, so I don't know what was said here before. Whoever runs me can switch on "
    "the Message Content Intent."
)
BUSY = marked("Discord doesn't let me read what was said before right now. Ask again in a minute if that matters.")


def stands(said: Said) -> Stand:
    """As `Recent` asks."""
    question, where = said.question, said.note.where
    channel, message = where.starter.channel if where.starter else where.channel, message_of(question.key)
    place = thread_in(guild_of(question.thread.id), channel).id
    # The first message of a forum post has the post's own id.
    return Stand(place, message, begins=where.starter is not None or channel == message)


class DiscordHistory:
    def __init__(self, api: Api, pace: Pace, names: Names, metrics: Metrics) -> None:
        self._api = api
        self._pace = pace
        self._names = names
        self._metrics = metrics
        self._channels: Bounded[int, object] = Bounded(MOST_CHANNELS)
        self._calling: set[asyncio.Task[Any]] = set()

    async def wanted(self, question: Question, since: QuestionKey | None) -> Wanted | None:
        """Say what belongs before *question*; None for what is between one person and the bot. Raises a ChatError."""
        thread = question.thread
        guild, channel, message = guild_of(thread.id), channel_of(thread.id), message_of(question.key)
        if guild is None:
            return None
        parent, after = channel_of(_as_thread(thread.channel)), message_of(since) if since else BEGINNING
        if channel == parent:
            return _in_channel(question, guild, after)
        post = None
        if after == BEGINNING or channel == message:
            post = await self._post(channel, parent)
        if channel == message and post is None:
            return Wanted(_before(guild, parent, message))
        lead = None if since or post else _before(guild, parent, channel)
        title = post.name if post and not since else ""
        return Wanted(Stretch(thread.id, after, message), lead, title)

    def problem(self, error: ChatError, stretch: Stretch) -> str | None:
        del stretch  # it is the same for all
        match error:
            case ChatForbidden():
                return FORBIDDEN
            case ChatLimited():
                return BUSY
        return None

    async def read(self, stretch: Stretch) -> Page:
        """The newest come first, so that one call will do; what a long thread was made from takes another."""
        number = channel_of(stretch.place)
        if stretch.before == number:  # the first message of a post
            return Page((), BEGINNING)
        async with self._client() as client:
            channel = await self._channel(client, number)
            me = client.user.id if client.user else 0
            if not _may_read(channel, me):
                raise ChatForbidden("may not read the history", code="read_message_history")
            messages = await self._messages(client, channel, stretch)
            is_more = len(messages) == stretch.most and messages[-1].id > stretch.after + 1
            said = [one for one in reversed(messages) if one.id > stretch.after]
            remarks = [remark for one in said if (remark := self._remark(one, me))]
            head = None
            if stretch.is_whole:
                starter = _starter(said, number) or (await self._first(client, channel) if is_more else None)
                head = self._remark(starter, me) if starter else None
            whole_from = said[0].id if is_more else stretch.after + (not stretch.is_whole)
        return Page([one for one in remarks if not head or one.position != head.position], whole_from, head)

    def _remark(self, message: discord.Message, me: int) -> Remark | None:
        """None for what the bot said itself, and Discord."""
        heard = read_message(message, me, names=self._names)
        return remark_of(heard, message.id) if isinstance(heard, Overheard | Said) else None

    async def _post(self, channel: int, parent: int) -> discord.Thread | None:
        """Return the forum post that a thread is, if it is one."""
        async with self._client() as client:
            if not isinstance(await self._channel(client, parent), discord.ForumChannel):
                return None
            post = await self._channel(client, channel)
            return post if isinstance(post, discord.Thread) else None

    async def _first(self, client: discord.Client, thread: Any) -> discord.Message | None:
        """Return the message that *thread* was made from; None if it was made from none, or that is gone."""
        home = (
            thread if isinstance(await self._channel(client, thread.parent_id), discord.ForumChannel) else thread.parent
        )
        if home is None:
            home = await self._channel(client, thread.parent_id)
        try:
            data = await self._call(client.http.get_message(home.id, thread.id))
        except ChatError:
            return None
        found: discord.Message | None = read(client, home, data, self._metrics)
        return found

    async def _messages(self, client: discord.Client, channel: Any, stretch: Stretch) -> list[discord.Message]:
        """The newest first."""
        page: object = await self._call(client.http.logs_from(channel.id, stretch.most, before=stretch.before))
        if not isinstance(page, list):
            raise ChatBusy("no list of messages", code=UNREADABLE)
        return [message for data in page if (message := read(client, channel, data, self._metrics))]

    async def _channel(self, client: discord.Client, number: int) -> Any:
        """Who only answers is told of no channel by the gateway, and asks once."""
        found = client.get_channel(number) or self._channels.get(number)
        if found is None:
            found = self._channels[number] = await self._call(client.fetch_channel(number))
        return found

    async def _call(self, call: Coroutine[Any, Any, Any]) -> Any:
        """Make a call in a task of its own: discord.py's rate limiter, cancelled, would wake nobody any more."""
        await self._pace.soon()
        task = asyncio.create_task(call)
        self._calling.add(task)
        task.add_done_callback(self._ended)
        with translated():
            try:
                return await asyncio.shield(task)
            except ValueError as error:  # it says that it is JSON, and isn't
                raise ChatBusy(type(error).__name__, code=UNREADABLE) from error

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._calling.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, so that asyncio does not complain

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[discord.Client]:
        with translated():
            async with self._api.client() as client:
                yield client


def _in_channel(question: Question, guild: int, after: int) -> Wanted | None:
    """A conversation that takes place in a channel itself: by a command and replies, or since no thread can be made."""
    channel, message = channel_of(question.thread.id), message_of(question.key)
    _, _, command = question.thread.id.partition("/")[2].partition("/")
    if command:
        # What is said in between has nothing to do with it.
        return None if after else Wanted(_before(guild, channel, int(command)))
    before = _before(guild, channel, message)
    return Wanted(Stretch(before.place, max(after, before.after), message, MOST_OF_CHANNEL))


def _before(guild: int, channel: int, message: int) -> Stretch:
    after = message - CHANNEL_WITHIN * SCALE.a_second
    return Stretch(thread_in(guild, channel).id, after, message, MOST_OF_CHANNEL)


def _as_thread(place: PlaceId) -> ThreadId:
    return ThreadId(place)


def _may_read(channel: Any, me: int) -> bool:
    return bool(permissions(channel, channel.guild, me).read_message_history)


def _starter(said: list[discord.Message], thread: int) -> discord.Message | None:
    """Return what a thread was made from, if its first messages show it.

    https://discord.com/developers/docs/resources/message#message-object-message-types
    """
    for message in said:
        if message.id == thread:
            return message
        if message.type is discord.MessageType.thread_starter_message and message.reference:
            started = message.reference.resolved
            return started if isinstance(started, discord.Message) else None
    return None
