"""Bobbin in Slack."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bots.kit import Kit
    from bots.slack.settings import Section
    from core.chat import Chat


def build(section: Section, kit: Kit) -> Chat:
    # Slack's libraries take a while to import; the settings are read at every start.
    from bots.slack.chat import SlackChat  # noqa: PLC0415

    return SlackChat(section, kit)
