"""assistant.threads.setStatus: the line that says what the bot is doing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.slack.arguments import Arguments, explained
from sandbox.slack.limits import STATUS
from sandbox.slack.platform import Method, Platform

if TYPE_CHECKING:
    from sandbox.slack.nouns import JsonObject

LOADING_MESSAGES = 10  # https://docs.slack.dev/reference/methods/assistant.threads.setStatus


def set_status(platform: Platform, arguments: Arguments) -> JsonObject:
    channel = platform.joined(arguments.needed("channel_id"))
    thread_ts = arguments.needed("thread_ts")
    if "status" not in arguments.given:
        raise explained("invalid_arguments", ["missing required field: status"])
    if len(arguments.objects("loading_messages", "invalid_arguments") or []) > LOADING_MESSAGES:
        raise explained("invalid_arguments", [f"no more than {LOADING_MESSAGES} items allowed"])
    platform.message(channel, thread_ts)
    platform.workspace.set_status(channel.id, thread_ts, arguments.text("status"))
    return {}


METHODS = {"assistant.threads.setStatus": Method(set_status, STATUS, "chat:write")}
