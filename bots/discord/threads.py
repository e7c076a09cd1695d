"""Makes the thread for an answer, and opens it again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import discord

from bots.discord.errors import NO_THREAD, THREAD_EXISTS

if TYPE_CHECKING:
    from bots.discord.note import Note

# https://discord.com/developers/docs/resources/channel#channel-object-channel-structure; it only leaves the list then.
ARCHIVE_AFTER: Final = 1440  # minutes


async def opened(client: discord.Client, note: Note) -> Note:
    """Make the thread of *note* unless it is there; where none can be made, the answer becomes a reply."""
    starter = note.starter
    if starter is None:
        return note
    if client.get_channel(note.channel) is None:
        try:
            # `PartialMessage.create_thread` wants the guild in the cache; a restarted process may not have it yet.
            await client.http.start_thread_with_message(
                starter.channel, starter.message, name=starter.name, auto_archive_duration=ARCHIVE_AFTER
            )
        except discord.HTTPException as refusal:
            if refusal.code in NO_THREAD or isinstance(refusal, discord.Forbidden):
                return replace(note, starter=None, channel=starter.channel, reply_to=starter.message)
            if refusal.code != THREAD_EXISTS:
                raise
    return replace(note, starter=None)


async def unarchive(client: discord.Client, thread_id: int) -> None:
    """Take a thread out of the archive, unless it was locked. https://discord.com/developers/docs/topics/threads"""
    thread = await client.fetch_channel(thread_id)
    if isinstance(thread, discord.Thread) and thread.archived and not thread.locked:
        await thread.edit(archived=False)
