"""Bobbin in Discord. `events` reads payloads, `listeners` hands them on, `hands` posts and edits, `pace` keeps the limits."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bots.discord.settings import Section
    from bots.finding import Finding
    from bots.kit import Kit
    from core.chat import Chat

NO_ID = "Set BOBBIN_DISCORD__TOKEN first: the link then names your application instead of APPLICATION_ID."

# discord.py takes a while to import; the settings are read at every start.


def build(section: Section, kit: Kit) -> Chat:
    from bots.discord.chat import DiscordChat  # noqa: PLC0415

    return DiscordChat(section, kit)


def check(section: Section) -> AsyncGenerator[Finding, None]:
    from bots.discord.setup import check  # noqa: PLC0415

    return check(section)


def manifest(section: Section) -> str:
    """Return the link with which the bot is invited to a server, and that for people's own accounts if it may go there."""
    from bots.discord.setup import install_url, invite_url  # noqa: PLC0415

    if not section.is_configured:
        sys.stderr.write(f"{NO_ID}\n")
    links = [invite_url(section.application_id)]
    if section.user_install:
        links.append(install_url(section.application_id))
    return "\n".join(links)
