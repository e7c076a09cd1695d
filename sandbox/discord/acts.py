"""Changes messages, for people and for bots: the change itself and the events that tell of it."""

import time
from datetime import UTC, datetime
from typing import Any

from sandbox.discord import payloads
from sandbox.discord.components import written_in
from sandbox.discord.intents import message_intent, reaction_intent, typing_intent
from sandbox.discord.mentions import ALL, Allowed, Mentions, mentions_in, names_in, pinged, with_reply
from sandbox.discord.model import (
    Attachment,
    Channel,
    ChannelKind,
    Draft,
    File,
    Flag,
    Interaction,
    Message,
    MessageKind,
    Shown,
    User,
)
from sandbox.discord.refusals import Refusal
from sandbox.discord.threads import DEFAULT_ARCHIVE_MINUTES, join_thread, new_thread, wake_thread
from sandbox.discord.world import TYPING_SECONDS, Event, World

Json = dict[str, Any]


def post(
    world: World,
    channel: Channel,
    author: User,
    draft: Draft,
    *,
    allowed: Allowed = ALL,
    interaction: Interaction | None = None,
    snowflake: int | None = None,
) -> Message:
    """*snowflake*: for the first message of a forum post, which has the thread's id."""
    message = Message(
        id=snowflake or world.snowflakes.next(),
        channel=channel,
        author=author,
        content=draft.content,
        kind=draft.kind,
        embeds=draft.embeds,
        components=draft.components,
        more=draft.more,
        flags=draft.flags,
        nonce=draft.nonce,
        interaction=interaction,
        only_for=interaction.user.id if interaction and draft.flags & Flag.EPHEMERAL else None,
    )
    message.attachments = attach(world, channel, draft.files)
    message.reply_to = draft.reference
    if draft.reply_to:
        message.reply_to = _reference(world, draft.reply_to)
        message.kind = MessageKind.REPLY if draft.kind is MessageKind.DEFAULT else draft.kind
    mentions = with_reply(_mentions(world, message, allowed), draft.reply_to, allowed, author)
    _set_mentions(message, mentions)
    message.pings = frozenset() if message.is_ephemeral else pinged(world, author, mentions)
    channel.messages[message.id] = message
    _remember(message)
    if not message.is_ephemeral:
        _count(world, message)
    world.typing.pop((channel.id, author.id), None)
    _tell(world, "MESSAGE_CREATE", message)
    world.changes.tell("message", message)
    return message


def _count(world: World, message: Message) -> None:
    channel = message.channel
    channel.last_message_id = message.id
    if channel.thread is None:
        return
    wake_thread(world, channel)
    for user in (message.author, *(world.users[user_id] for user_id in message.mentions)):
        if not user.is_webhook:
            join_thread(world, channel, user)
    if message.kind is not MessageKind.THREAD_STARTER_MESSAGE and message.id != channel.id:
        channel.thread.message_count += 1
        channel.thread.total_message_sent += 1


def edit(world: World, message: Message, changes: Json, *, allowed: Allowed = ALL) -> Message:
    """Set the fields of the message that *changes* names; nobody is pinged by an edit."""
    for name, value in changes.items():
        setattr(message, name, value)
    if "content" in changes or "components" in changes:
        _set_mentions(message, _mentions(world, message, allowed))
    message.edited = datetime.now(UTC)
    _remember(message)
    _tell(world, "MESSAGE_UPDATE", message)
    world.changes.tell("edit", message)
    return message


def preview(world: World, message: Message, embeds: list[Json]) -> None:
    """Discord has looked at a link in the message, which is no edit: `edited_timestamp` stays as it is.

    https://discord.com/developers/docs/resources/message#embed-object
    """
    message.embeds = embeds
    _tell(world, "MESSAGE_UPDATE", message)
    world.changes.tell("preview", message)


def delete(world: World, message: Message) -> None:
    """https://discord.com/developers/docs/events/gateway-events#message-delete"""
    _take_out(message)
    data = {"id": str(message.id), "channel_id": str(message.channel.id)}
    _tell_deleted(world, "MESSAGE_DELETE", data, message)


def delete_many(world: World, messages: list[Message]) -> None:
    """Of one channel: https://discord.com/developers/docs/events/gateway-events#message-delete-bulk"""
    for message in messages:
        _take_out(message)
    ids = [str(message.id) for message in messages]
    _tell_deleted(world, "MESSAGE_DELETE_BULK", {"ids": ids, "channel_id": str(messages[0].channel.id)}, *messages)


def _take_out(message: Message) -> None:
    channel = message.channel
    message.deleted = True
    channel.messages.pop(message.id, None)
    if channel.thread and channel.thread.message_count and not message.is_ephemeral:
        channel.thread.message_count -= 1


def _tell_deleted(world: World, name: str, data: Json, *messages: Message) -> None:
    in_guild = not (messages[0].channel.is_dm or messages[0].is_ephemeral)
    if in_guild:
        data["guild_id"] = str(world.guild_id)
    if not messages[0].channel.is_foreign:
        world.tell_gateway(Event(name, data, message_intent(in_guild=in_guild), in_guild))
    for message in messages:
        world.changes.tell("delete", message)


def react(world: World, message: Message, user: User, emoji: str) -> None:
    users = message.reactions.setdefault(emoji, [])
    if user.id in users:
        return
    users.append(user.id)
    _tell_reaction(world, "MESSAGE_REACTION_ADD", message, user, emoji)


def unreact(world: World, message: Message, user: User, emoji: str) -> None:
    users = message.reactions.get(emoji, [])
    if user.id not in users:
        return
    users.remove(user.id)
    if not users:
        del message.reactions[emoji]
    _tell_reaction(world, "MESSAGE_REACTION_REMOVE", message, user, emoji)


def _tell_reaction(world: World, name: str, message: Message, user: User, emoji: str) -> None:
    in_guild = not message.channel.is_dm
    data: Json = {
        "user_id": str(user.id),
        "channel_id": str(message.channel.id),
        "message_id": str(message.id),
        "emoji": {"id": None, "name": emoji},
        "burst": False,
        "type": 0,
    }
    if in_guild:
        data["guild_id"] = str(world.guild_id)
    if name == "MESSAGE_REACTION_ADD":
        data |= {"message_author_id": str(message.author.id), "burst_colors": []}
        if in_guild:
            data["member"] = payloads.member_json(user)
    world.tell_gateway(Event(name, data, reaction_intent(in_guild=in_guild), in_guild))
    world.changes.tell("reaction", message)


def start_typing(world: World, channel: Channel, user: User) -> None:
    in_guild = not channel.is_dm
    world.typing[channel.id, user.id] = time.monotonic() + TYPING_SECONDS
    data: Json = {"channel_id": str(channel.id), "user_id": str(user.id), "timestamp": int(time.time())}
    if in_guild:
        data |= {"guild_id": str(world.guild_id), "member": payloads.member_json(user)}
    world.tell_gateway(Event("TYPING_START", data, typing_intent(in_guild=in_guild), in_guild))
    world.changes.tell("typing", channel)


def attach(world: World, channel: Channel, files: list[File]) -> list[Attachment]:
    attachments = [Attachment(world.snowflakes.next(), file, channel.id) for file in files]
    world.uploads |= {one.id: one for one in attachments}
    return attachments


def settle(world: World, message: Message, draft: Draft, allowed: Allowed) -> Message:
    """Put the answer where "thinking…" stood; whether it is ephemeral was fixed with the thinking."""
    flags = (message.flags & ~Flag.LOADING) | (draft.flags & ~Flag.EPHEMERAL)
    changes = {
        "content": draft.content,
        "embeds": draft.embeds,
        "components": draft.components,
        "attachments": attach(world, message.channel, draft.files),
        "flags": int(flags),
    }
    return edit(world, message, changes, allowed=allowed)


def _mentions(world: World, message: Message, allowed: Allowed) -> Mentions:
    text = written_in(message.components) if message.flags & Flag.IS_COMPONENTS_V2 else message.content
    forwarded = [one["message"]["content"] for one in message.more.get("message_snapshots", [])]
    message.names = names_in(world, " ".join([text, *forwarded]))
    return mentions_in(world, message.author, message.channel, text, allowed)


def _set_mentions(message: Message, mentions: Mentions) -> None:
    message.mentions, message.mention_roles = mentions.users, mentions.roles
    message.mention_everyone = mentions.everyone


def _reference(world: World, replied: Message) -> Json:
    reference = {"type": 0, "message_id": str(replied.id), "channel_id": str(replied.channel.id)}
    guild = world.guild_of(replied.channel)
    return reference | {"guild_id": str(guild)} if guild else reference


def _remember(message: Message) -> None:
    message.history.append(Shown(datetime.now(UTC), message.content, message.embeds, message.components))


def _tell(world: World, name: str, message: Message) -> None:
    if message.channel.is_foreign or not (message.is_ephemeral or world.bot_sees(message.channel)):
        return
    in_guild = not (message.channel.is_dm or message.is_ephemeral)
    payload = payloads.message_json(world, message)
    payload["channel_type"] = int(message.channel.kind)
    if in_guild:
        payload["guild_id"] = str(world.guild_id)
        if message.interaction is None and not message.author.is_webhook:
            payload["member"] = payloads.member_json(message.author, with_user=False)
        for mention in payload["mentions"]:
            mention["member"] = payloads.member_json(world.users[int(mention["id"])], with_user=False)
    bare = payloads.without_content(world, message, payload)
    world.tell_gateway(Event(name, payload, message_intent(in_guild=in_guild), in_guild, bare))


def thread_from(world: World, message: Message, user: User, name: str, minutes: int | None = None) -> Channel:
    """A thread has the id of the message from which it was made."""
    if message.thread:
        raise Refusal(160004)
    if message.channel.kind is not ChannelKind.TEXT:
        raise Refusal(50024)
    archive_minutes = minutes or DEFAULT_ARCHIVE_MINUTES
    thread = new_thread(world, message.channel, user, name, snowflake=message.id, archive_minutes=archive_minutes)
    message.thread = thread
    message.flags |= Flag.HAS_THREAD
    _tell(world, "MESSAGE_UPDATE", message)
    draft = Draft(kind=MessageKind.THREAD_STARTER_MESSAGE, reply_to=message)
    post(world, thread, user, draft, allowed=Allowed(replied_user=False))
    return thread


def thread_without_message(
    world: World, parent: Channel, user: User, name: str, kind: ChannelKind, *, minutes: int | None = None
) -> Channel:
    thread = new_thread(world, parent, user, name, kind=kind, archive_minutes=minutes or DEFAULT_ARCHIVE_MINUTES)
    if kind is ChannelKind.PUBLIC_THREAD:
        where: Json = {"type": 0, "channel_id": str(thread.id), "guild_id": str(world.guild_id)}
        post(world, parent, user, Draft(content=name, kind=MessageKind.THREAD_CREATED, reference=where))
    return thread
