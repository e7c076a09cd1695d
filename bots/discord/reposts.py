"""Bots that speak for people, such as PluralKit: they repost a message under another name, and delete it.

The reposted message is then its author's question. It comes by a webhook of the bot's application, and Discord says of which
(https://discord.com/developers/docs/resources/message#message-object: `application_id`), so that no other webhook can pass
for one; and what it says, a person must have said just before in the same place: that is who asks.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from core.bounded import Bounded, BoundedSet

if TYPE_CHECKING:
    from collections.abc import Collection

    import discord

MATCHED_WITHIN = 60.0  # seconds from the original to the reposted message
MOST_REMEMBERED = 1_000  # messages that may be reposted yet
MOST_KNOWN = 10_000  # reposted messages, and people


class Reposts:
    """Of one process: knows which messages were reposted, and who tends to have theirs reposted."""

    def __init__(self, reposters: Collection[int], *, within: float) -> None:
        """*reposters*: ids of applications. A message that they may repost waits for that *within* so many seconds."""
        self._reposters = frozenset(reposters)
        self._within = within
        self._said: Bounded[int, discord.Message] = Bounded(MOST_REMEMBERED)  # what may be reposted
        self._reposted: BoundedSet[int] = BoundedSet(MOST_KNOWN)
        self._author_of: Bounded[int, discord.User | discord.Member] = Bounded(MOST_KNOWN)  # of what was reposted
        self._is_reposted: Bounded[tuple[int, int], bool] = Bounded(MOST_KNOWN)  # are those of a guild's member?
        self._waiting: dict[int, asyncio.Event] = {}

    def original_of(self, message: discord.Message) -> discord.Message | None:
        """Return what *message* reposts, whose author is *message*'s from now on; None if it is none, or known."""
        if not message.webhook_id or message.application_id not in self._reposters:
            return None
        if author := self._author_of.get(message.id):
            self._speak_for(author, message)
            return None
        original = next((one for one in reversed(self._said.values()) if _reposts(message, one)), None)
        if original is None or not message.guild:
            return None
        self._speak_for(original.author, message)
        self._reposted.add(original.id)
        self._is_reposted[message.guild.id, original.author.id] = True
        del self._said[original.id]
        if waiting := self._waiting.get(original.id):
            waiting.set()
        return original

    async def takes(self, message: discord.Message) -> bool:
        """Is *message* reposted? Wait for that, where it may be: not of people who are known to speak for themselves."""
        guild = message.guild
        if (
            guild is None
            or message.author.bot
            or not any(role.tags and role.tags.bot_id in self._reposters for role in guild.roles)
        ):
            return False
        if message.edited_at or message.id in self._reposted:
            return message.id in self._reposted
        self._said[message.id] = message
        who = guild.id, message.author.id
        if self._is_reposted.get(who, True):
            waiting = self._waiting[message.id] = asyncio.Event()
            with suppress(TimeoutError):
                await asyncio.wait_for(waiting.wait(), self._within)
            del self._waiting[message.id]
            self._is_reposted.setdefault(who, False)
        return message.id in self._reposted

    def _speak_for(self, author: discord.User | discord.Member, message: discord.Message) -> None:
        self._author_of[message.id] = author
        message.author, message.webhook_id = author, None


def _reposts(message: discord.Message, original: discord.Message) -> bool:
    """What marks whose turn it is to speak may be gone from the beginning and the end."""
    passed = (message.created_at - original.created_at).total_seconds()
    if original.channel.id != message.channel.id or not 0 <= passed <= MATCHED_WITHIN:
        return False
    said = message.content.strip()
    return said in original.content if said else len(message.attachments) == len(original.attachments) > 0
