"""Users, members and roles as Discord writes them."""

from typing import Any

from sandbox.discord.model import Role, User
from sandbox.discord.snowflakes import iso, made_at

Json = dict[str, Any]


def user_json(user: User) -> Json:
    """https://discord.com/developers/docs/resources/user#user-object"""
    return {
        "id": str(user.id),
        "username": user.name,
        "discriminator": "0000" if user.is_bot else "0",
        "global_name": user.shown or (None if user.is_bot else user.name.capitalize()),
        "avatar": None,
        "bot": user.is_bot,
        "system": False,
        "public_flags": 0,
    }


def member_json(user: User, *, with_user: bool = True) -> Json:
    """https://discord.com/developers/docs/resources/guild#guild-member-object"""
    member: Json = {
        "nick": user.nick,
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
