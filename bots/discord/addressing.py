"""Reads whom a Discord message addresses that doesn't call the bot: by mentions, and by a reply. Pure."""

from __future__ import annotations

import re

import discord

from bots.discord.written import own_words
from bots.listening.quiet import Addressing, RepliesTo

_FIRST_MENTION = re.compile(r"\s*<@!?\d+>")


def read_addressing(message: discord.Message, me: int) -> Addressing:
    replies_to = _replies_to(message, me)
    replied = message.reference.resolved if message.reference else None
    author = replied.author.id if isinstance(replied, discord.Message) else None
    own = own_words(message.content)
    # Discord counts among those who are mentioned whom a reply pings, and who is named in a quote.
    written = [
        user
        for user in message.mentions
        if f"{user.id}>" in own or (user.id != author and f"{user.id}>" not in message.content)
    ]
    is_in_channel = message.guild is not None and not isinstance(message.channel, discord.Thread)
    return Addressing(
        begins_with_other=_FIRST_MENTION.match(own) is not None,
        names_other=any(user.id != me for user in written),
        replies_to=replies_to,
        # A poll is for everybody there, and a role for all who have it.
        calls_all=message.mention_everyone or bool(message.role_mentions) or message.poll is not None,
        is_first=is_in_channel and replies_to is RepliesTo.NOBODY,
    )


def _replies_to(message: discord.Message, me: int) -> RepliesTo:
    """https://discord.com/developers/docs/resources/message#message-reference-structure"""
    reference = message.reference
    if reference is None or reference.type is not discord.MessageReferenceType.reply:
        return RepliesTo.NOBODY
    replied = reference.resolved
    if isinstance(replied, discord.Message) and replied.author.id == me:
        return RepliesTo.BOT
    is_own = isinstance(replied, discord.Message) and replied.author.id == message.author.id
    return RepliesTo.NOBODY if is_own else RepliesTo.OTHER
