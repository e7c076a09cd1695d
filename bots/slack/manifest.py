"""Writes the app's manifest, to be pasted at https://api.slack.com/apps."""

from __future__ import annotations

import json
from typing import Any

from bots.slack.form import ABOUT_MESSAGE, ANYWHERE

# Each with what it is for: https://docs.slack.dev/reference/scopes
SCOPES = (
    "app_mentions:read",  # hear mentions
    "assistant:write",  # be an agent, which new apps have to be: the direct messages are its own place
    "channels:history",  # hear messages in channels, find an answer again after a crash, read back after time away
    "channels:read",  # know which channels to read back in
    "chat:write",  # answer
    "commands",  # /bobbin and the shortcuts
    "files:read",  # read what people attach
    "files:write",  # add what is too long for messages
    "groups:history",
    "groups:read",
    "im:history",  # hear direct messages
    "im:read",
    "im:write",  # answer somebody privately who never wrote to it
    "mpim:history",
    "mpim:read",
    "reactions:read",  # be muted by one
    "reactions:write",  # the sign of life
    "usergroups:read",  # know what groups of people are called
    # Know what people are called; guests, who may not change presets; and admins, who may reset others' threads.
    "users:read",
)
# Without these, something is missing that an answer can do without; what, they say.
WORTH_HAVING = {"usergroups:read": "a group of people that somebody mentions has no name in the question"}
EVENTS = (
    "app_mention",
    *("message.channels", "message.groups", "message.im", "message.mpim"),
    *("reaction_added", "reaction_removed"),
    "agent_session_stopped",  # Slack's own Stop button
    "app_home_opened",  # suggest what to ask
)
# Where there is a menu of them: https://docs.slack.dev/interactivity/implementing-shortcuts
SHORTCUTS = (
    {
        "name": "Ask Bobbin about this message",
        "type": "message",
        "callback_id": ABOUT_MESSAGE,
        "description": "Ask in its thread, or only for yourself",
    },
    {
        "name": "Ask Bobbin",
        "type": "global",
        "callback_id": ANYWHERE,
        "description": "Ask in a channel, or only for yourself",
    },
)


def app_manifest(request_url: str = "") -> str:
    """Return the manifest as JSON, for Socket Mode, or for events by HTTP to *request_url*.

    https://docs.slack.dev/reference/app-manifest
    """
    return json.dumps(_manifest({"request_url": request_url} if request_url else {}), indent=2, ensure_ascii=False)


def _manifest(by_http: dict[str, str]) -> dict[str, Any]:
    command = {
        "command": "/bobbin",
        "description": "Ask a question, or see and change how Bobbin answers in this channel",
        "usage_hint": "QUESTION | help | preset show | preset set NAME",
        "should_escape": False,
    }
    command |= {"url": by_http["request_url"]} if by_http else {}
    return {
        "_metadata": {"major_version": 1},
        "display_information": {
            "name": "Bobbin",
            "description": "Mention it with a question: an AI model answers in the thread.",
        },
        "features": {
            "agent_view": {
                "agent_description": "Mention me with a question, or write to me here, and I answer in the thread."
            },
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "bobbin", "always_online": True},
            "shortcuts": list(SHORTCUTS),
            "slash_commands": [command],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {**by_http, "bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True, **by_http},
            "org_deploy_enabled": False,
            "socket_mode_enabled": not by_http,
            "token_rotation_enabled": False,
        },
    }
