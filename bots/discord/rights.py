"""Looks up what people may do in a channel, where no interaction tells."""

from __future__ import annotations

import discord
import structlog

from bots.discord.errors import translated
from core.errors import ChatError, facts

log = structlog.get_logger(__name__)


async def manages(client: discord.Client, channel_id: int, person: str, member: discord.Member | None = None) -> bool:
    """Does somebody manage the channel, or that in which a thread is? No, while Discord doesn't tell.

    https://discord.com/developers/docs/resources/guild#get-guild-member, unless an event has told of the *member*.
    """
    channel = client.get_channel(channel_id)
    if not isinstance(channel, discord.abc.GuildChannel | discord.Thread) or not person.isdecimal():
        return False
    try:
        with translated():
            known = member or channel.guild.get_member(int(person)) or await channel.guild.fetch_member(int(person))
        return channel.permissions_for(known).manage_channels
    except (ChatError, discord.ClientException) as trouble:
        log.info("Discord doesn't tell who manages a channel; refusing a command", **facts(trouble))
        return False
