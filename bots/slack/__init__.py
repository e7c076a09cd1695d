"""Bobbin in Slack. `events` reads payloads, `listeners` hands them on, `hands` posts and edits, `pace` keeps the limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bots.slack.manifest import app_manifest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bots.finding import Finding
    from bots.kit import Kit
    from bots.slack.settings import Section
    from core.chat import Chat


REQUEST_URL = "https://YOUR-HOST/slack/events"


def build(section: Section, kit: Kit) -> Chat:
    # Slack's libraries take a while to import; the settings are read at every start.
    from bots.slack.chat import SlackChat  # noqa: PLC0415

    return SlackChat(section, kit)


def check(section: Section) -> AsyncGenerator[Finding, None]:
    from bots.slack.setup import check  # noqa: PLC0415

    return check(section)


def manifest(section: Section) -> str:
    """Return the manifest to paste at https://api.slack.com/apps: for Socket Mode, unless events come by HTTP."""
    by_http = bool(section.signing_secret) and not section.uses_socket_mode
    return app_manifest(REQUEST_URL if by_http else "")
