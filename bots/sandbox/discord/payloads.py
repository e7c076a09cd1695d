"""How Discord writes its objects as JSON: from the model to the wire, nothing else."""

import hashlib
import hmac
import time
from typing import Any
from urllib.parse import quote

from bots.sandbox.discord.model import Attachment, Channel, ChannelKind, Flag, Interaction, Message, Role, User
from bots.sandbox.discord.permissions import permissions_of
from bots.sandbox.discord.snowflakes import iso, made_at
from bots.sandbox.discord.world import World

Json = dict[str, Any]
ATTACHMENT_URL_SECONDS = 86_400  # Discord says only that the links expire; about a day was observed
MOST_MEMBERS_COUNTED = 50  # a thread's member_count stops here, by the documentation


def user_json(user: User) -> Json:
    """https://discord.com/developers/docs/resources/user#user-object"""
    return {
        "id": str(user.id),
        "username": user.name,
        "discriminator": "0000" if user.is_bot else "0",
        "global_name": None if user.is_bot else user.name.capitalize(),
        "avatar": None,
        "bot": user.is_bot,
        "system": False,
        "public_flags": 0,
    }


def member_json(user: User, *, with_user: bool = True) -> Json:
    """https://discord.com/developers/docs/resources/guild#guild-member-object"""
    member: Json = {
        "nick": None,
        "avatar": None,
        "roles": [str(role) for role in user.roles],
        "joined_at": iso(made_at(user.id)),
        "premium_since": None,
        "deaf": False,
        "mute": False,
        "flags": 0,
        "pending": False,
        "communication_disabled_until": None,
    }
    if with_user:
        member["user"] = user_json(user)
    return member


def role_json(role: Role) -> Json:
    """https://discord.com/developers/docs/topics/permissions#role-object"""
    payload: Json = {
        "id": str(role.id),
        "name": role.name,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "icon": None,
        "unicode_emoji": None,
        "position": role.position,
        "permissions": str(role.permissions),
        "managed": role.bot_id is not None,
        "mentionable": role.mentionable,
        "flags": 0,
    }
    if role.bot_id:
        payload["tags"] = {"bot_id": str(role.bot_id)}
    return payload


def channel_json(world: World, channel: Channel) -> Json:
    """https://discord.com/developers/docs/resources/channel#channel-object"""
    last = str(channel.last_message_id) if channel.last_message_id else None
    payload: Json = {"id": str(channel.id), "type": int(channel.kind), "flags": channel.flags}
    if channel.recipient_id is not None:
        return payload | {"last_message_id": last, "recipients": [user_json(world.users[channel.recipient_id])]}
    payload |= {
        "guild_id": str(world.guild_id),
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
        "size": len(attachment.file.content),
        "url": url,
        "proxy_url": url,
        "content_type": attachment.file.content_type,
    }
    if attachment.file.description:
        payload["description"] = attachment.file.description
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
    }
    if message.reactions:
        payload["reactions"] = [_reaction_json(world, emoji, users) for emoji, users in message.reactions.items()]
    if message.nonce is not None:
        payload["nonce"] = message.nonce
    if message.thread and with_thread:
        payload["thread"] = channel_json(world, message.thread)
    if message.interaction:
        payload |= _interaction_part(world, message.interaction)
    if message.reply_to:
        payload |= _reply_part(world, message, with_reply=with_reply)
    return payload


def _reply_part(world: World, message: Message, *, with_reply: bool) -> Json:
    part: Json = {"message_reference": message.reply_to}
    if with_reply and message.reply_to:
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
    owners = integration_owners(world, interaction.channel)
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


def integration_owners(world: World, channel: Channel) -> Json:
    return {"0": "0" if channel.is_dm else str(world.guild_id)}


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
    return payload | EMPTY_CONTENT | ({"referenced_message": hidden_reply} if hidden_reply else {})


EMPTY_CONTENT: Json = {"content": "", "embeds": [], "attachments": [], "components": []}


def _mentions(payload: Json, user: User) -> bool:
    return any(int(one["id"]) == user.id for one in payload["mentions"])


def guild_json(world: World) -> Json:
    """https://discord.com/developers/docs/resources/guild#guild-object"""
    return {
        "id": str(world.guild_id),
        "name": world.guild_name,
        "icon": None,
        "splash": None,
        "discovery_splash": None,
        "owner_id": str(world.owner_id),
        "afk_channel_id": None,
        "afk_timeout": 300,
        "verification_level": 1,
        "default_message_notifications": 1,
        "explicit_content_filter": 0,
        "roles": [role_json(role) for role in world.roles.values()],
        "emojis": [],
        "features": [],
        "mfa_level": 0,
        "application_id": None,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "max_presences": None,
        "max_members": 500_000,
        "vanity_url_code": None,
        "description": None,
        "banner": None,
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "preferred_locale": "en-US",
        "public_updates_channel_id": None,
        "nsfw_level": 0,
        "stickers": [],
        "premium_progress_bar_enabled": False,
        "safety_alerts_channel_id": None,
        "incidents_data": None,
    }


def guild_create_json(world: World) -> Json:
    """https://discord.com/developers/docs/events/gateway-events#guild-create"""
    places = [one for one in world.channels.values() if not one.is_dm and not one.thread]
    threads = [one for one in world.threads() if one.thread and not one.thread.archived and world.bot_sees(one)]
    return guild_json(world) | {
        "joined_at": iso(made_at(world.bot.id)),
        "large": False,
        "unavailable": False,
        "member_count": len(world.users),
        "voice_states": [],
        # Without the privileged intents Discord sends only the bot itself and who is in a voice channel.
        "members": [member_json(user) for user in _members_told(world)],
        "channels": [channel_json(world, one) for one in places],
        "threads": [channel_json(world, one) for one in threads],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def _members_told(world: World) -> list[User]:
    return list(world.users.values()) if world.portal.guild_members else [world.bot]


def application_json(world: World) -> Json:
    """https://discord.com/developers/docs/resources/application#application-object"""
    return {
        "id": str(world.application_id),
        "name": world.bot.name,
        "icon": None,
        "description": "",
        "bot_public": True,
        "bot_require_code_grant": False,
        "bot": user_json(world.bot),
        "owner": user_json(world.users[world.owner_id]),
        "verify_key": hashlib.sha256(world.cdn_key).hexdigest(),
        "team": None,
        "flags": world.portal.application_flags,
        "tags": [],
        "integration_types_config": {"0": {}},
        "interactions_endpoint_url": None,
        "approximate_guild_count": 1,
        "approximate_user_install_count": 0,
        "redirect_uris": [],
    }


def interaction_json(world: World, interaction: Interaction) -> Json:
    """https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object"""
    channel, user = interaction.channel, interaction.user
    own_channel = channel_json(world, channel) | {"permissions": str(permissions_of(world, user, channel))}
    payload: Json = {
        "id": str(interaction.id),
        "application_id": str(world.application_id),
        "type": int(interaction.kind),
        "data": interaction.data,
        "channel": own_channel,
        "channel_id": str(channel.id),
        "token": interaction.token,
        "version": 1,
        "app_permissions": str(permissions_of(world, world.bot, channel)),
        "locale": user.locale,
        "entitlements": [],
        "authorizing_integration_owners": integration_owners(world, channel),
        "context": 1 if channel.is_dm else 0,
        "attachment_size_limit": 10 * 1024 * 1024,
    }
    if interaction.source:
        payload["message"] = message_json(world, interaction.source)
    if channel.is_dm:
        return payload | {"user": user_json(user)}
    member = member_json(user) | {"permissions": str(permissions_of(world, user, channel))}
    guild: Json = {"id": str(world.guild_id), "locale": "en-US", "features": []}
    return payload | {"guild_id": str(world.guild_id), "guild": guild, "guild_locale": "en-US", "member": member}
