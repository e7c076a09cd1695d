"""Reads reactions: 🔇 on a message keeps the bot quiet in that thread, for as long as the reaction stands there.

❌ stops an answer; and ⏳, which the bot puts on a question that waits, has it answered instead of what comes before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord

from bots.discord.errors import translated
from bots.discord.hourglass import WAITS
from bots.discord.ids import NAME, key_of, message_of, thread_in
from bots.listening.events import Reacted
from bots.reply.page import Wish
from core.errors import ChatError

if TYPE_CHECKING:
    from bots.discord.conversations import Conversations
    from bots.listening.events import Said
    from core.thread import Thread

MUTE, THUMB = "🔇", "👍"
_WISHES = {"❌": Wish.STOP, WAITS: Wish.INSTEAD}


async def muted_by(
    reaction: discord.RawReactionActionEvent, client: discord.Client, conversations: Conversations
) -> Thread | None:
    """Return the thread in which somebody told the bot to be quiet, or no more; None for what tells it nothing.

    Raises StorageUnavailable.
    """
    me = client.user.id if client.user else 0
    if reaction.emoji.name != MUTE or reaction.emoji.id is not None or reaction.user_id == me:
        return None
    if isinstance(client.get_channel(reaction.channel_id), discord.abc.GuildChannel):
        if answered := await conversations.around(reaction.message_id):
            return answered
        # A thread made from a message has that message's id: https://discord.com/developers/docs/topics/threads
        return thread_in(reaction.guild_id, reaction.message_id)
    return thread_in(reaction.guild_id, reaction.channel_id)


def read_reaction(reaction: discord.RawReactionActionEvent, client: discord.Client) -> Reacted | None:
    """Return what the reaction wishes; None if it wishes nothing of us."""
    wish = None if reaction.emoji.id is not None else _WISHES.get(reaction.emoji.name or "")
    if wish is None or (client.user and reaction.user_id == client.user.id):
        return None
    # The ids of Discord's messages are unique everywhere, and notes have them in quotation marks.
    return Reacted(
        key_of(reaction.message_id), f'{reaction.message_id}"', f"{NAME}:", by=str(reaction.user_id), wish=wish
    )


async def nod_to(said: Said, client: discord.Client) -> None:
    """Put a thumb up under it, if that is allowed there."""
    channel = client.get_partial_messageable(said.places[-1])
    try:
        with translated():
            await channel.get_partial_message(message_of(said.question.key)).add_reaction(THUMB)
    except ChatError:  # it would have been a nod, and no more
        return
