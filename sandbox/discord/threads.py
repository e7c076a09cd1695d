"""The life of threads: made, joined, archived, woken, locked, renamed.

https://discord.com/developers/docs/topics/threads
"""

from datetime import UTC, datetime
from typing import Any

from sandbox.discord import payloads
from sandbox.discord.intents import Intent
from sandbox.discord.model import Channel, ChannelKind, ThreadState, User
from sandbox.discord.permissions import Permission, permissions_of
from sandbox.discord.refusals import Problems, Refusal
from sandbox.discord.world import Event, World

Json = dict[str, Any]
ARCHIVE_MINUTES = (60, 1_440, 4_320, 10_080)
DEFAULT_ARCHIVE_MINUTES = 4_320  # Discord's is the channel's, else three days in its own client; undocumented


def new_thread(
    world: World,
    parent: Channel,
    owner: User,
    name: str,
    *,
    snowflake: int | None = None,
    kind: ChannelKind = ChannelKind.PUBLIC_THREAD,
    archive_minutes: int = DEFAULT_ARCHIVE_MINUTES,
    tags: list[int] | None = None,
) -> Channel:
    """*snowflake*: of the message from which it is made, whose id it takes over."""
    now = datetime.now(UTC)
    thread = Channel(snowflake or world.snowflakes.next(), kind, name, parent.id, applied_tags=tags or [])
    thread.thread = ThreadState(owner.id, now, now, archive_minutes, members={owner.id: now})
    world.channels[thread.id] = thread
    if parent.kind is ChannelKind.FORUM:
        parent.last_message_id = thread.id
    if world.bot_sees(thread):
        data = payloads.channel_json(world, thread) | {"newly_created": True}
        world.tell_gateway(Event("THREAD_CREATE", data, Intent.GUILDS))
    if owner is world.bot:
        _tell_members(world, thread, added=[owner])
    world.changes.tell("thread", thread)
    return thread


def delete_thread(world: World, thread: Channel) -> None:
    """https://discord.com/developers/docs/events/gateway-events#thread-delete"""
    del world.channels[thread.id]
    parent = world.channels.get(thread.parent_id or 0)
    starter = parent.messages.get(thread.id) if parent else None
    if starter is not None:
        starter.thread = None
    data = {name: payloads.channel_json(world, thread)[name] for name in ("id", "guild_id", "parent_id", "type")}
    if world.bot_sees(thread):
        world.tell_gateway(Event("THREAD_DELETE", data, Intent.GUILDS))
    world.changes.tell("thread", thread)


def join_thread(world: World, thread: Channel, user: User) -> None:
    if thread.thread is None or user.id in thread.thread.members:
        return
    thread.thread.members[user.id] = datetime.now(UTC)
    if user is world.bot and thread.kind is ChannelKind.PRIVATE_THREAD:
        world.tell_gateway(Event("THREAD_CREATE", payloads.channel_json(world, thread), Intent.GUILDS))
    _tell_members(world, thread, added=[user])


def leave_thread(world: World, thread: Channel, user: User) -> None:
    if thread.thread and thread.thread.members.pop(user.id, None):
        _tell_members(world, thread, removed=[user])


def _tell_members(
    world: World, thread: Channel, *, added: list[User] | None = None, removed: list[User] | None = None
) -> None:
    state = thread.thread
    data: Json = {
        "id": str(thread.id),
        "guild_id": str(world.guild_id),
        "member_count": min(len(state.members) if state else 0, payloads.MOST_MEMBERS_COUNTED),
    }
    if added:
        data["added_members"] = [payloads.thread_member_json(thread, user, with_member=True) for user in added]
    if removed:
        data["removed_member_ids"] = [str(user.id) for user in removed]
    about_bot = world.bot in (added or []) or world.bot in (removed or [])
    world.tell_gateway(Event("THREAD_MEMBERS_UPDATE", data, Intent.GUILDS if about_bot else Intent.GUILD_MEMBERS))
    world.changes.tell("thread", thread)


def wake_thread(world: World, thread: Channel) -> None:
    """Sending un-archives."""
    if thread.thread and thread.thread.archived:
        change_thread(world, thread, {"archived": False})


def change_thread(world: World, thread: Channel, changes: Json) -> None:
    """Names from Discord's form: name, archived, locked, auto_archive_duration, applied_tags, flags."""
    state = thread.thread
    if state is None:
        raise ValueError(f"{thread.name} is no thread.")
    if "name" in changes:
        thread.name = changes["name"]
    if "archived" in changes and changes["archived"] != state.archived:
        state.archived = changes["archived"]
        state.archive_changed = datetime.now(UTC)
    if "locked" in changes:
        state.locked = changes["locked"]
    if "auto_archive_duration" in changes:
        state.auto_archive_minutes = changes["auto_archive_duration"]
    if "applied_tags" in changes:
        thread.applied_tags = [int(tag) for tag in changes["applied_tags"]]
    if world.bot_sees(thread):
        world.tell_gateway(Event("THREAD_UPDATE", payloads.channel_json(world, thread), Intent.GUILDS))
    world.changes.tell("thread", thread)


def check_writable(world: World, channel: Channel, user: User) -> None:
    """Refuse where *user* cannot send: wrong kind, missing permission, a locked thread."""
    if channel.kind in (ChannelKind.CATEGORY, ChannelKind.FORUM):
        raise Refusal(50008)
    allowed = permissions_of(world, user, channel)
    needed = Permission.SEND_MESSAGES_IN_THREADS if channel.thread else Permission.SEND_MESSAGES
    if not allowed & Permission.VIEW_CHANNEL:
        raise Refusal(50001)
    if not allowed & needed:
        raise Refusal(50013)
    check_not_locked(world, channel, user)


def check_not_locked(world: World, channel: Channel, user: User) -> None:
    """Nothing is written or rewritten in a locked thread, except by those who keep order."""
    if _is_locked_for(world, channel, user):
        raise Refusal(160005)


def check_deletable(world: World, channel: Channel, user: User) -> None:
    """Messages in archived threads can be deleted, unless the thread is locked besides."""
    if _is_locked_for(world, channel, user):
        check_not_archived(channel)


def _is_locked_for(world: World, channel: Channel, user: User) -> bool:
    is_locked = channel.thread is not None and channel.thread.locked
    return is_locked and not permissions_of(world, user, channel) & Permission.MANAGE_THREADS


def check_not_archived(channel: Channel) -> None:
    if channel.thread and channel.thread.archived:
        raise Refusal(50083)


def check_thread_form(body: Json) -> None:
    problems = Problems()
    problems.length("name", body.get("name"), 1, 100)
    minutes = body.get("auto_archive_duration")
    if minutes is not None:
        problems.one_of("auto_archive_duration", minutes, ARCHIVE_MINUTES)
    problems.refuse_any()
