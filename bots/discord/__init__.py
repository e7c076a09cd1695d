"""Bobbin in Discord."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bots.discord.settings import Section
    from bots.kit import Kit
    from core.chat import Chat

# discord.py takes a while to import; the settings are read at every start.


def build(section: Section, kit: Kit) -> Chat:
    from bots.discord.chat import DiscordChat  # noqa: PLC0415

    return DiscordChat(section, kit)


async def check(section: Section) -> str:
    """Try the token; return what was found. Raises SetupError that says what to do."""
    from bots.discord.setup import check  # noqa: PLC0415

    return await check(section)


def manifest(section: Section) -> str:
    """Return the link with which the bot is invited to a server."""
    from bots.discord.setup import invite_url  # noqa: PLC0415

    return invite_url(section.application_id)
