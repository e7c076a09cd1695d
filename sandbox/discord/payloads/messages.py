"""Messages and their files as Discord writes them, with and without their content."""

import base64
import hashlib
import hmac
import time
from typing import Any
from urllib.parse import quote

from sandbox.discord.model import Attachment, Flag, Interaction, Message, User
from sandbox.discord.payloads.channels import channel_json
from sandbox.discord.payloads.people import user_json
from sandbox.discord.snowflakes import iso
from sandbox.discord.world import World

Json = dict[str, Any]
ATTACHMENT_URL_SECONDS = 86_400  # Discord says only that the links expire; about a day was observed
WAVEFORM = base64.b64encode(bytes(range(0, 256, 32))).decode()  # of every voice message: a rising one
EMPTY_CONTENT: Json = {"content": "", "embeds": [], "attachments": [], "components": []}
_CONTENT = ("poll", "message_snapshots")  # left out without the intent


def attachment_url(world: World, attachment: Attachment) -> str:
    """Signed and short-lived, as https://discord.com/developers/docs/reference#signed-attachment-cdn-urls says."""
    path = f"/attachments/{attachment.channel_id}/{attachment.id}/{quote(attachment.file.name)}"
    issued = int(time.time())
    expires = f"{issued + ATTACHMENT_URL_SECONDS:x}"
    return f"{world.base_url}{path}?ex={expires}&is={issued:x}&hm={attachment_seal(world, attachment.id, expires)}&"


def attachment_seal(world: World, attachment_id: int, expires: str) -> str:
    return hmac.new(world.cdn_key, f"{attachment_id}:{expires}".encode(), hashlib.sha256).hexdigest()


def attachment_json(world: World, attachment: Attachment) -> Json:
    """https://discord.com/developers/docs/resources/message#attachment-object"""
    url = attachment_url(world, attachment)
    payload: Json = {
        "id": str(attachment.id),
        "filename": attachment.file.name,
        "size": len(attachment.file.content) if attachment.file.told_size is None else attachment.file.told_size,
        "url": url,
        "proxy_url": url,
        "content_type": attachment.file.content_type,
    }
    if attachment.file.description:
        payload["description"] = attachment.file.description
    if attachment.file.seconds is not None:
        payload |= {"duration_secs": attachment.file.seconds, "waveform": WAVEFORM}
    return payload


def message_json(world: World, message: Message, *, with_reply: bool = True, with_thread: bool = True) -> Json:
    """https://discord.com/developers/docs/resources/message#message-object"""
    suppressed = message.flags & Flag.SUPPRESS_EMBEDS
    payload: Json = {
        "id": str(message.id),
        "channel_id": str(message.channel.id),
        "author": user_json(message.author),
        "content": message.content,
        "timestamp": iso(message.created),
        "edited_timestamp": iso(message.edited) if message.edited else None,
        "tts": False,
        "mention_everyone": message.mention_everyone,
        "mentions": [user_json(world.users[user_id]) for user_id in message.mentions],
        "mention_roles": [str(role) for role in message.mention_roles],
        "attachments": [attachment_json(world, one) for one in message.attachments],
        "embeds": [] if suppressed else message.embeds,
        "components": message.components,
        "pinned": False,
        "flags": message.flags,
        "type": int(message.kind),
        **message.more,
    }
    if message.reactions:
        payload["reactions"] = [_reaction_json(world, emoji, users) for emoji, users in message.reactions.items()]
    if message.nonce is not None:
        payload["nonce"] = message.nonce
    if message.author.is_webhook:
        payload["webhook_id"] = str(message.author.id)
    if message.thread and with_thread:
        payload["thread"] = channel_json(world, message.thread)
    if message.interaction:
        payload |= _interaction_part(world, message.interaction)
    if message.reply_to:
        payload |= _reply_part(world, message, with_reply=with_reply)
    return payload | world.faults.added.get(message.id, {})


def _reply_part(world: World, message: Message, *, with_reply: bool) -> Json:
    part: Json = {"message_reference": message.reply_to}
    if with_reply and message.reply_to and message.reply_to["type"] == 0:
        place = world.channels.get(int(message.reply_to["channel_id"]))
        found = place.messages.get(int(message.reply_to.get("message_id", 0))) if place else None
        part["referenced_message"] = message_json(world, found, with_reply=False) if found else None
    return part


def _reaction_json(world: World, emoji: str, users: list[int]) -> Json:
    return {
        "emoji": {"id": None, "name": emoji},
        "count": len(users),
        "count_details": {"burst": 0, "normal": len(users)},
        "burst_colors": [],
        "me_burst": False,
        "me": world.bot.id in users,
    }


def _interaction_part(world: World, interaction: Interaction) -> Json:
    owners = integration_owners(world, interaction)
    metadata: Json = {
        "id": str(interaction.id),
        "type": int(interaction.kind),
        "user": user_json(interaction.user),
        "authorizing_integration_owners": owners,
    }
    if interaction.source:
        metadata["interacted_message_id"] = str(interaction.source.id)
    part: Json = {
        "application_id": str(world.application_id),
        "webhook_id": str(world.application_id),
        "interaction_metadata": metadata,
    }
    if interaction.kind == 2:
        part["interaction"] = {
            "id": str(interaction.id),
            "type": 2,
            "name": interaction.name,
            "user": user_json(interaction.user),
        }
    return part


def integration_owners(world: World, interaction: Interaction) -> Json:
    """https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object-authorizing-integration-owners-object"""
    user, channel = interaction.user, interaction.channel
    owners = {"1": str(user.id)} if user.id in world.installed else {}
    if not channel.is_foreign:
        owners["0"] = "0" if channel.is_dm else str(world.guild_id)
    return owners


def without_content(world: World, message: Message, payload: Json) -> Json | None:
    """The message as an application without MESSAGE_CONTENT gets it; None where it gets everything.

    https://discord.com/developers/docs/events/gateway#message-content-intent
    """
    bot = world.bot
    replied = payload.get("referenced_message")
    hidden_reply = None
    if replied and int(replied["author"]["id"]) != bot.id and not _mentions(replied, bot):
        hidden_reply = replied | EMPTY_CONTENT
    if message.author is bot or message.channel.is_dm or message.is_ephemeral or bot.id in message.mentions:
        return payload | {"referenced_message": hidden_reply} if hidden_reply else None
    bare = {name: value for name, value in payload.items() if name not in _CONTENT}
    return bare | EMPTY_CONTENT | ({"referenced_message": hidden_reply} if hidden_reply else {})


def _mentions(payload: Json, user: User) -> bool:
    return any(int(one["id"]) == user.id for one in payload["mentions"])
