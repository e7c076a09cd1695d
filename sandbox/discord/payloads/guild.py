"""The guild, the application and interactions as Discord writes them."""

import hashlib
from typing import Any

from sandbox.discord.model import Channel, ChannelKind, Interaction, User
from sandbox.discord.payloads.channels import channel_json, gateway_channel_json
from sandbox.discord.payloads.messages import integration_owners, message_json
from sandbox.discord.payloads.people import member_json, role_json, user_json
from sandbox.discord.permissions import permissions_of
from sandbox.discord.snowflakes import iso, made_at
from sandbox.discord.world import World

Json = dict[str, Any]


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
        "features": world.guild_features,
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
        "preferred_locale": world.guild_locale,
        "public_updates_channel_id": None,
        "nsfw_level": 0,
        "stickers": [],
        "premium_progress_bar_enabled": False,
        "safety_alerts_channel_id": None,
        "incidents_data": None,
    }


def guild_create_json(world: World) -> Json:
    """https://discord.com/developers/docs/events/gateway-events#guild-create"""
    places = [one for one in world.channels.values() if not (one.is_dm or one.is_foreign or one.thread)]
    threads = [one for one in world.threads() if one.thread and not one.thread.archived and world.bot_sees(one)]
    return guild_json(world) | {
        "joined_at": iso(made_at(world.bot.id)),
        "large": False,
        "unavailable": False,
        "member_count": len(world.users),
        "voice_states": [],
        # Without the privileged intents Discord sends only the bot itself and who is in a voice channel.
        "members": [member_json(user) for user in _members_told(world)],
        "channels": [gateway_channel_json(world, one) for one in places],
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
        "integration_types_config": {"0": {}, "1": {}},
        "interactions_endpoint_url": None,
        "approximate_guild_count": 1,
        "approximate_user_install_count": len(world.installed),
        "redirect_uris": [],
    }


def context_of(channel: Channel) -> int:
    """https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object-interaction-context-types"""
    if channel.kind is ChannelKind.GROUP_DM:
        return 2
    return 1 if channel.is_dm else 0


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
        "authorizing_integration_owners": integration_owners(world, interaction),
        "context": context_of(channel),
        "attachment_size_limit": 10 * 1024 * 1024,
    }
    if interaction.source:
        payload["message"] = message_json(world, interaction.source)
    if channel.is_dm:
        return payload | {"user": user_json(user)}
    member = member_json(user) | {"permissions": str(permissions_of(world, user, channel))}
    place = str(world.guild_of(channel))
    guild: Json = {"id": place, "locale": world.guild_locale, "features": world.guild_features}
    return payload | {"guild_id": place, "guild": guild, "guild_locale": world.guild_locale, "member": member}
