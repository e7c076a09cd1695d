"""conversations.*: channels and what was said in them. https://docs.slack.dev/reference/methods?family=conversations"""

from __future__ import annotations

import math

from sandbox.slack.arguments import ApiError, Arguments, next_page
from sandbox.slack.limits import TIER_2, TIER_3, TIER_4
from sandbox.slack.nouns import Channel, ChannelKind, JsonObject, Message
from sandbox.slack.objects import channel_object
from sandbox.slack.platform import Method, Platform

HISTORY_PAGE, REPLIES_PAGE, MOST_MESSAGES = 100, 1_000, 1_000  # …/methods/conversations.history, .replies
FEW = 15  # …/apis/web-api/rate-limits#rate-limits-for-non-marketplace-apps
LIST_PAGE, MOST_CHANNELS = 100, 1_000  # …/methods/conversations.list, .members
MOST_DIRECT_USERS = 8  # …/methods/conversations.open


def info(platform: Platform, arguments: Arguments) -> JsonObject:
    channel = platform.channel(arguments.needed("channel"))
    body = _shown(platform, channel)
    if not arguments.flag("include_num_members"):
        body.pop("num_members", None)
    return {"channel": body}


def list_channels(platform: Platform, arguments: Arguments) -> JsonObject:
    visible = [each for each in _channels(platform) if not each.is_private or platform.is_member(each)]
    return _list(platform, arguments, visible)


def of_the_bot(platform: Platform, arguments: Arguments) -> JsonObject:
    """The channels that the caller is in: …/methods/users.conversations"""
    if "user" in arguments and arguments.text("user") != platform.installation.bot.id:
        raise ApiError("user_not_found")
    return _list(platform, arguments, [channel for channel in _channels(platform) if platform.is_member(channel)])


def members(platform: Platform, arguments: Arguments) -> JsonObject:
    channel = platform.channel(arguments.needed("channel"))
    page, more = _page(sorted(channel.members), arguments)
    return {"members": page} | more


def history(platform: Platform, arguments: Arguments) -> JsonObject:
    """Newest first, without the replies in threads."""
    channel = platform.joined(arguments.needed("channel"))
    said = [
        message
        for message in reversed(platform.workspace.messages(channel.id))
        if not message.ephemeral_to and (not message.thread_ts or message.subtype == "thread_broadcast")
    ]
    said = _between(said, arguments)
    limit, after = _limit(platform, arguments, HISTORY_PAGE), arguments.cursor()
    if after:
        said = [message for message in said if message.ts < after]
    page = said[:limit]
    return {"pin_count": 0} | _messages(platform, page, has_more=len(said) > limit)


def replies(platform: Platform, arguments: Arguments) -> JsonObject:
    """Oldest first; every page begins with the parent, which counts: …/methods/conversations.replies"""
    channel = platform.joined(arguments.needed("channel"))
    asked = platform.workspace.message(channel.id, arguments.needed("ts"))
    parent = platform.workspace.message(channel.id, asked.thread_ts or asked.ts) if asked else None
    if parent is None or parent.ephemeral_to:
        raise ApiError("thread_not_found")
    said = _between(platform.workspace.replies(parent), arguments)
    limit, after = _limit(platform, arguments, REPLIES_PAGE), arguments.cursor()
    said = [message for message in said if message.ts > after]
    room = max(limit - 1, 1)
    return _messages(platform, [parent, *said[:room]], has_more=len(said) > room)


def open_direct(platform: Platform, arguments: Arguments) -> JsonObject:
    if "channel" in arguments:
        channel = platform.channel(arguments.text("channel"))
        return {"no_op": True, "already_open": True, "channel": {"id": channel.id}}
    users = arguments.names("users")
    if not users:
        raise ApiError("users_list_not_supplied")
    if len(users) > MOST_DIRECT_USERS:
        raise ApiError("too_many_users")
    bot = platform.installation.bot
    if any(user not in platform.workspace.users or user == bot.id for user in users):
        raise ApiError("user_not_found")
    was_open = platform.workspace.direct_channel(bot.id, *users) is not None
    channel = platform.direct_channel(*users)
    shown: JsonObject = {"id": channel.id}
    if arguments.flag("return_im"):
        shown = _shown(platform, channel)
    return {"channel": shown} | ({"no_op": True, "already_open": True} if was_open else {})


def join(platform: Platform, arguments: Arguments) -> JsonObject:
    channel = platform.channel(arguments.needed("channel"))
    if channel.kind is not ChannelKind.PUBLIC:
        raise ApiError("method_not_supported_for_channel_type")
    was_member = platform.is_member(channel)
    platform.workspace.join(channel, platform.installation.bot)
    answer: JsonObject = {"channel": _shown(platform, channel)}
    if was_member:
        answer |= {"warning": "already_in_channel", "response_metadata": {"warnings": ["already_in_channel"]}}
    return answer


def _channels(platform: Platform) -> list[Channel]:
    return sorted(platform.workspace.channels.values(), key=lambda channel: channel.id)


def _list(platform: Platform, arguments: Arguments, channels: list[Channel]) -> JsonObject:
    """A page of those of *channels* that are of the wanted types."""
    wanted = arguments.names("types") or ["public_channel"]
    if not set(wanted) <= {kind.type_filter for kind in ChannelKind}:
        raise ApiError("invalid_types")
    page, more = _page([channel.id for channel in channels if channel.kind.type_filter in wanted], arguments)
    return {"channels": [_shown(platform, platform.workspace.channels[each]) for each in page]} | more


def _shown(platform: Platform, channel: Channel) -> JsonObject:
    return channel_object(channel, platform.installation.bot, is_shared=platform.workspace.is_shared(channel))


def _limit(platform: Platform, arguments: Arguments, page: int) -> int:
    limit = arguments.number("limit", page, most=MOST_MESSAGES)
    return min(limit, FEW) if platform.faults.few_messages else limit


def _between(messages: list[Message], arguments: Arguments) -> list[Message]:
    low, high = _moment(arguments, "oldest", 0.0), _moment(arguments, "latest", math.inf)
    if arguments.flag("inclusive"):
        return [message for message in messages if low <= float(message.ts) <= high]
    return [message for message in messages if low < float(message.ts) < high]


def _moment(arguments: Arguments, name: str, default: float) -> float:
    try:
        return float(arguments.text(name) or default)
    except ValueError:
        raise ApiError(f"invalid_ts_{name}") from None


def _messages(platform: Platform, page: list[Message], *, has_more: bool) -> JsonObject:
    answer: JsonObject = {"messages": [platform.told(message) for message in page], "has_more": has_more}
    if has_more:
        answer["response_metadata"] = next_page(page[-1].ts)
    return answer


def _page(ids: list[str], arguments: Arguments) -> tuple[list[str], JsonObject]:
    """A page of sorted ids, and the metadata that leads to the next; an empty cursor on the last."""
    limit, after = arguments.number("limit", LIST_PAGE, most=MOST_CHANNELS), arguments.cursor()
    rest = [each for each in ids if each > after]
    page = rest[:limit]
    return page, {"response_metadata": next_page(page[-1] if len(rest) > limit else "")}


METHODS = {
    "conversations.info": Method(info, TIER_3, "{kind}:read"),
    "conversations.list": Method(list_channels, TIER_2, "{kind}:read"),
    "users.conversations": Method(of_the_bot, TIER_3, "{kind}:read"),
    "conversations.members": Method(members, TIER_4, "{kind}:read"),
    "conversations.history": Method(history, TIER_3, "{kind}:history"),
    "conversations.replies": Method(replies, TIER_3, "{kind}:history"),
    "conversations.open": Method(open_direct, TIER_3, "im:write"),
    "conversations.join": Method(join, TIER_3, "channels:join"),
}
