"""assistant.threads.*: the line that says what the bot is doing, and what there is to ask it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.slack.arguments import ApiError, Arguments, explained
from sandbox.slack.limits import STATUS, TIER_3
from sandbox.slack.platform import Method, Platform

if TYPE_CHECKING:
    from sandbox.slack.nouns import JsonObject

PROMPTS = 4  # https://docs.slack.dev/reference/methods/assistant.threads.setSuggestedPrompts
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


def set_suggested_prompts(platform: Platform, arguments: Arguments) -> JsonObject:
    """https://docs.slack.dev/reference/methods/assistant.threads.setSuggestedPrompts"""
    channel = platform.joined(arguments.needed("channel_id"))
    if not platform.installation.is_agent:
        raise ApiError("not_agent_app")
    arguments.needed("prompts")
    prompts = arguments.objects("prompts", "invalid_arguments") or []
    if len(prompts) > PROMPTS:
        raise explained("invalid_arguments", [f"no more than {PROMPTS} items allowed"])
    for prompt in prompts:
        match prompt:
            case {"title": str(title), "message": str(message), **more} if title and message and not more:
                continue
        raise explained("invalid_arguments", ["each prompt has a title and a message"])
    if "thread_ts" in arguments:
        platform.message(channel, arguments.text("thread_ts"))
    platform.workspace.prompts[channel.id, arguments.text("thread_ts")] = tuple(prompts)
    platform.workspace.wake()
    return {}


METHODS = {
    "assistant.threads.setStatus": Method(set_status, STATUS, "chat:write"),
    "assistant.threads.setSuggestedPrompts": Method(set_suggested_prompts, TIER_3, "assistant:write"),
}
