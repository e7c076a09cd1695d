"""reactions.add and reactions.remove. https://docs.slack.dev/reference/methods?family=reactions"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandbox.slack.arguments import ApiError, Arguments
from sandbox.slack.limits import TIER_2, TIER_3
from sandbox.slack.platform import Method, Platform

if TYPE_CHECKING:
    from sandbox.slack.nouns import JsonObject, Message

_NAME = re.compile(r"[a-z0-9_+'-]{1,100}(?:::skin-tone-[2-6])?")


def add(platform: Platform, arguments: Arguments) -> JsonObject:
    message, name = _asked(platform, arguments)
    if _has(message, platform.installation.bot.id, name):
        raise ApiError("already_reacted")
    platform.workspace.react(message, platform.installation.bot.id, name)
    return {}


def remove(platform: Platform, arguments: Arguments) -> JsonObject:
    message, name = _asked(platform, arguments)
    if not _has(message, platform.installation.bot.id, name):
        raise ApiError("no_reaction")
    platform.workspace.unreact(message, platform.installation.bot.id, name)
    return {}


def _asked(platform: Platform, arguments: Arguments) -> tuple[Message, str]:
    if "channel" not in arguments or "timestamp" not in arguments:
        raise ApiError("no_item_specified")
    name = arguments.needed("name").strip(":")
    if not _NAME.fullmatch(name):
        raise ApiError("invalid_name")
    channel = platform.channel(arguments.text("channel"))
    return platform.message(channel, arguments.text("timestamp")), name


def _has(message: Message, user: str, name: str) -> bool:
    return any(each.name == name and user in each.users for each in message.reactions)


METHODS = {
    "reactions.add": Method(add, TIER_3, "reactions:write"),
    "reactions.remove": Method(remove, TIER_2, "reactions:write"),
}
