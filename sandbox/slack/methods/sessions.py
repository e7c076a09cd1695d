"""agents.sessions.*: what an agent is doing in a thread, and what the thread is called.

https://docs.slack.dev/ai/agent-sessions
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.slack.arguments import ApiError, Arguments, explained
from sandbox.slack.limits import TIER_3
from sandbox.slack.methods.streams import SESSION_STATES
from sandbox.slack.platform import Method, Platform

if TYPE_CHECKING:
    from sandbox.slack.nouns import JsonObject

LONGEST_TITLE = 200  # characters
_STOPPED = "agent_session_stopped"


def set_status(platform: Platform, arguments: Arguments) -> JsonObject:
    """https://docs.slack.dev/reference/methods/agents.sessions.setStatus"""
    channel, thread_ts = _place(platform, arguments)
    status = arguments.needed("status")
    if status not in SESSION_STATES:
        raise explained("invalid_arguments", ["status: must be one of " + ", ".join(SESSION_STATES)])
    title = _title(arguments)
    if (user := arguments.text("initiator_user_id")) and user not in platform.workspace.channels[channel].members:
        raise ApiError("user_not_found")
    session = platform.workspace.set_session(channel, thread_ts, status, title)
    # Without a subscription nobody can press the button that the status brings.
    is_deaf = status == "processing" and not platform.installation.receives(_STOPPED)
    warning = {"warning": f"missing_{_STOPPED}_event_subscription"} if is_deaf else {}
    return {"status": session.status, "title": session.title, **warning}


def rename(platform: Platform, arguments: Arguments) -> JsonObject:
    """https://docs.slack.dev/reference/methods/agents.sessions.rename"""
    channel, thread_ts = _place(platform, arguments)
    arguments.needed("title")
    title = _title(arguments)
    if (channel, thread_ts) not in platform.workspace.sessions:
        raise ApiError("session_not_found")
    session = platform.workspace.rename_session(channel, thread_ts, title)
    return {"title": session.title}


def _title(arguments: Arguments) -> str:
    title = arguments.text("title")
    if len(title) > LONGEST_TITLE:
        raise explained("invalid_arguments", [f"title: must be no more than {LONGEST_TITLE} characters"])
    return title


def _place(platform: Platform, arguments: Arguments) -> tuple[str, str]:
    if not platform.installation.is_agent:
        raise ApiError("feature_disabled")
    channel = platform.joined(arguments.needed("channel_id"))
    if "thread_ts" not in arguments:
        raise ApiError("thread_ts_required")
    message = platform.message(channel, arguments.text("thread_ts"))
    if message.thread_ts:
        raise ApiError("session_not_found")
    return channel.id, message.ts


METHODS = {
    "agents.sessions.setStatus": Method(set_status, TIER_3, "chat:write"),
    "agents.sessions.rename": Method(rename, TIER_3, "chat:write"),
}
