"""Makes the thread for an answer, and opens it again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import discord
import structlog

from bots.discord.errors import THREAD_EXISTS, UNKNOWN_MESSAGE, UNREADABLE, is_discords, translate, translated
from bots.discord.events import PEOPLES_TYPES
from bots.discord.ids import age
from core.bounded import Bounded
from core.errors import ChatError, ChatUnclear

if TYPE_CHECKING:
    from bots.discord.note import Starter, Where

# https://discord.com/developers/docs/resources/channel#channel-object-channel-structure; it only leaves the list then.
ARCHIVE_AFTER: Final = 1440  # minutes
_THEIR_FAULT = 500  # HTTP
_MOST_KEPT = 1_000  # threads that were made just now
_LAST_SAID = 10  # messages that are looked at, to see whether people talk there

Soon = Callable[[], Awaitable[None]]  # waits for a call from the budget, before each one

log = structlog.get_logger(__name__)


class Threads:
    """Makes the threads, each of them once: who types in it and who answers there want it at the same time."""

    def __init__(self, unclear_for: float) -> None:
        """A refusal with a code that no table names is believed only when it lasts: so many seconds since the question."""
        self._unclear_for = unclear_for
        self._made: Bounded[int, asyncio.Task[Where]] = Bounded(_MOST_KEPT)  # by the message that it hangs on

    def is_to_be_made(self, client: discord.Client, where: Where) -> bool:
        """Will it cost a call to have the thread of *where*?"""
        return where.starter is not None and where.starter.message not in self._made and _is_missing(client, where)

    async def opened(self, client: discord.Client, where: Where) -> Where:
        """Make the thread of *where* unless it is there; where none can be made, the answer becomes a reply."""
        starter = where.starter
        if starter is None:
            return where
        making = self._made.get(starter.message)
        if making is None:
            # A task of its own, since one of those who wait may be cancelled.
            making = self._made[starter.message] = asyncio.create_task(
                _opened(client, where, starter, self._unclear_for)
            )
            making.add_done_callback(lambda made: self._keep(starter.message, made))
        place = await asyncio.shield(making)
        return replace(where, starter=None, channel=place.channel, reply_to=place.reply_to)

    def _keep(self, message: int, made: asyncio.Task[Where]) -> None:
        if made.cancelled() or made.exception():
            self._made.pop(message, None)  # it is tried again


def _is_missing(client: discord.Client, where: Where) -> bool:
    return client.get_channel(where.channel) is None


async def _opened(client: discord.Client, where: Where, starter: Starter, unclear_for: float) -> Where:
    if _is_missing(client, where):
        try:
            # `PartialMessage.create_thread` wants the guild in the cache; a restarted process may not have it yet.
            made: object = await client.http.start_thread_with_message(
                starter.channel, starter.message, name=starter.name, auto_archive_duration=ARCHIVE_AFTER
            )
        except discord.HTTPException as refusal:
            if refusal.code == THREAD_EXISTS:
                return replace(where, starter=None)
            is_gone, is_theirs = refusal.code == UNKNOWN_MESSAGE, refusal.status >= _THEIR_FAULT
            if is_gone or is_theirs or refusal.status in (401, 429) or not is_discords(refusal):
                raise
            if isinstance(translate(refusal), ChatUnclear) and age(starter.message) < unclear_for:
                raise  # it may pass
            # No such kind of channel, too many threads, no permission, a title that AutoMod takes exception to, …
            return replace(where, starter=None, channel=starter.channel, reply_to=starter.message)
        if not isinstance(made, dict) or "id" not in made:
            raise ChatUnclear("no thread in the answer", code=UNREADABLE)  # if it is there, Discord says so next time
    return replace(where, starter=None)


async def unarchive(client: discord.Client, thread_id: int, soon: Soon) -> None:
    """Take a thread out of the archive, unless it was locked. https://discord.com/developers/docs/topics/threads"""
    await soon()
    thread = await client.fetch_channel(thread_id)
    if isinstance(thread, discord.Thread) and thread.archived and not thread.locked:
        await soon()
        await thread.edit(archived=False)


async def rename(client: discord.Client, thread_id: int, was: str, name: str, soon: Soon) -> None:
    """Give a thread of ours another name, unless somebody did, or it is at rest.

    Two in ten minutes are allowed, which Discord's headers don't tell: whoever is refused leaves it at that.
    """
    await soon()
    thread = await client.fetch_channel(thread_id)
    if not isinstance(thread, discord.Thread) or thread.archived or thread.locked:
        return
    is_ours = client.user is not None and thread.owner_id == client.user.id
    if is_ours and thread.name == was:
        await soon()
        await thread.edit(name=name)


async def leave(client: discord.Client, thread_id: int, soon: Soon) -> None:
    """Leave a thread in which nothing is said any more; nice to have, never worth a failure."""
    thread = client.get_partial_messageable(thread_id)
    try:
        with translated():
            await soon()
            last = [message.type async for message in thread.history(limit=_LAST_SAID)]
            if PEOPLES_TYPES.isdisjoint(last):
                await soon()
                await client.http.leave_thread(thread_id)
    except ChatError as refusal:
        log.debug("a thread can't be left", code=refusal.code)
