"""Channels and threads as Discord writes them."""

from typing import Any

from sandbox.discord.model import Channel, ChannelKind, User
from sandbox.discord.payloads.people import member_json, user_json
from sandbox.discord.permissions import Permission
from sandbox.discord.snowflakes import iso
from sandbox.discord.world import World

Json = dict[str, Any]
CHANNEL_OBFUSCATED, HIDDEN_NAME = 1 << 17, "___hidden___"
MOST_MEMBERS_COUNTED = 50  # a thread's member_count stops here, by the documentation


def gateway_channel_json(world: World, channel: Channel) -> Json:
    """A channel as the gateway tells of it: one that the bot can't view comes without what it is, since 2026-11-16.

    https://discord.com/developers/docs/resources/channel#channel-object
    """
    whole = channel_json(world, channel)
    if world.bot_sees(channel):
        return whole
    deny = {"id": str(world.guild_id), "type": 0, "allow": "0", "deny": str(int(Permission.VIEW_CHANNEL))}
    hidden: Json = {
        "topic": None,
        "last_message_id": None,
        "rate_limit_per_user": 0,
        "nsfw": False,
        "available_tags": [],
    }
    told = whole | {name: value for name, value in hidden.items() if name in whole}
    return told | {"name": HIDDEN_NAME, "permission_overwrites": [deny], "flags": CHANNEL_OBFUSCATED}


def channel_json(world: World, channel: Channel) -> Json:
    """https://discord.com/developers/docs/resources/channel#channel-object"""
    last = str(channel.last_message_id) if channel.last_message_id else None
    payload: Json = {"id": str(channel.id), "type": int(channel.kind), "flags": channel.flags}
    if channel.recipient_id is not None:
        return payload | {"last_message_id": last, "recipients": [user_json(world.users[channel.recipient_id])]}
    if channel.kind is ChannelKind.GROUP_DM:
        return payload | {"last_message_id": last, "name": channel.name, "icon": None}
    payload |= {
        "guild_id": str(world.guild_of(channel)),
        "name": channel.name,
        "parent_id": str(channel.parent_id) if channel.parent_id else None,
    }
    if channel.thread:
        return payload | _thread_part(world, channel, last)
    payload |= {"position": channel.position, "permission_overwrites": _overwrites(channel), "nsfw": False}
    if channel.kind is not ChannelKind.CATEGORY:
        payload |= {"topic": channel.topic, "last_message_id": last, "rate_limit_per_user": 0}
    if channel.kind is ChannelKind.FORUM:
        payload |= {
            "available_tags": channel.tags,
            "default_reaction_emoji": None,
            "default_sort_order": None,
            "default_forum_layout": 0,
        }
    return payload


def _overwrites(channel: Channel) -> list[Json]:
    return [
        {"id": str(key), "type": int(one.is_member), "allow": str(one.allow), "deny": str(one.deny)}
        for key, one in channel.overwrites.items()
    ]


def _thread_part(world: World, channel: Channel, last: str | None) -> Json:
    thread = channel.thread
    if thread is None:
        raise ValueError(f"{channel.name} is no thread.")
    part: Json = {
        "owner_id": str(thread.owner_id),
        "last_message_id": last,
        "rate_limit_per_user": 0,
        "message_count": thread.message_count,
        "total_message_sent": thread.total_message_sent,
        "member_count": min(len(thread.members), MOST_MEMBERS_COUNTED),
        "thread_metadata": {
            "archived": thread.archived,
            "auto_archive_duration": thread.auto_archive_minutes,
            "archive_timestamp": iso(thread.archive_changed),
            "locked": thread.locked,
            "create_timestamp": iso(thread.created),
        },
    }
    if channel.kind is ChannelKind.PRIVATE_THREAD:
        part["thread_metadata"]["invitable"] = True
    if channel.applied_tags:
        part["applied_tags"] = [str(tag) for tag in channel.applied_tags]
    if world.bot.id in thread.members:
        part["member"] = thread_member_json(channel, world.bot)
    return part


def thread_member_json(channel: Channel, user: User, *, with_member: bool = False) -> Json:
    """https://discord.com/developers/docs/resources/channel#thread-member-object"""
    joined = channel.thread.members[user.id] if channel.thread else channel.messages[channel.id].created
    payload: Json = {"id": str(channel.id), "user_id": str(user.id), "join_timestamp": iso(joined), "flags": 0}
    if with_member:
        payload |= {"member": member_json(user), "presence": None}
    return payload
