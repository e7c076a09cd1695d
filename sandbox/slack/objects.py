"""Our nouns as the JSON objects that the Web API and events carry."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from sandbox.slack.nouns import Channel, ChannelKind, Group, JsonObject, Message, SharedFile, User

if TYPE_CHECKING:
    from sandbox.slack.installation import Installation
    from sandbox.slack.workspace import Workspace


def user_object(user: User, workspace: Workspace) -> JsonObject:
    """https://docs.slack.dev/reference/objects/user-object"""
    shown = user.display_name or user.name
    profile: JsonObject = {
        "real_name": user.name.title(),
        "real_name_normalized": user.name.title(),
        "display_name": shown,
        "display_name_normalized": shown,
        "avatar_hash": "",
        "status_text": "",
        "status_emoji": "",
        "team": user.team_id or workspace.team_id,
    }
    if user.is_bot:
        profile["bot_id"] = user.bot_id
    told: JsonObject = {
        "id": user.id,
        "team_id": user.team_id or workspace.team_id,
        "name": user.name,
        "deleted": False,
        "real_name": user.name.title(),
        "tz": "Etc/UTC",
        "tz_label": "Coordinated Universal Time",
        "tz_offset": 0,
        "profile": profile,
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": user.is_guest,
        "is_ultra_restricted": False,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "updated": int(time.time()),
    }
    if not user.team_id:
        return told
    # Of people elsewhere it leaves out what is their own workspace's business.
    kept_there = ("tz", "tz_label", "tz_offset", "is_admin", "is_owner", "is_primary_owner")
    return {name: value for name, value in told.items() if name not in kept_there} | {"is_stranger": True}


def channel_object(channel: Channel, bot: User, *, is_shared: bool = False) -> JsonObject:
    """https://docs.slack.dev/reference/objects/conversation-object"""
    shared: JsonObject = {
        "id": channel.id,
        "created": channel.created,
        "is_archived": False,
        "is_im": channel.kind is ChannelKind.DIRECT,
        "is_org_shared": False,
    }
    if channel.kind is ChannelKind.DIRECT:
        other = next((member for member in channel.members if member != bot.id), bot.id)
        return shared | {"user": other, "is_user_deleted": False, "priority": 0}
    return shared | {
        "name": channel.name,
        "name_normalized": channel.name,
        "creator": channel.creator,
        "is_channel": channel.kind is ChannelKind.PUBLIC,
        "is_group": channel.kind is ChannelKind.PRIVATE,
        "is_mpim": channel.kind is ChannelKind.GROUP_DIRECT,
        "is_private": channel.is_private,
        "is_general": channel.name == "general",
        "is_shared": is_shared,
        "is_ext_shared": is_shared,
        "is_member": bot.id in channel.members,
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
        "previous_names": [],
        "num_members": len(channel.members),
    }


def group_object(group: Group, workspace: Workspace, *, with_users: bool, with_count: bool) -> JsonObject:
    """https://docs.slack.dev/reference/objects/usergroup-object"""
    body: JsonObject = {
        "id": group.id,
        "team_id": workspace.team_id,
        "is_usergroup": True,
        "name": group.handle.title(),
        "description": "",
        "handle": group.handle,
        "is_external": False,
        "date_create": int(time.time()),
        "date_update": int(time.time()),
        "date_delete": 0,
        "auto_type": None,
        "created_by": "",
        "updated_by": "",
        "deleted_by": None,
        "prefs": {"channels": [], "groups": []},
    }
    body |= {"users": list(group.users)} if with_users else {}
    return body | ({"user_count": str(len(group.users))} if with_count else {})


def bot_object(bot: User, app_id: str, workspace: Workspace) -> JsonObject:
    """What messages call `bot_profile`, and `bots.info` returns less the team."""
    return {
        "id": bot.bot_id,
        "app_id": app_id,
        "user_id": bot.id,
        "name": bot.name,
        "icons": {"image_36": "", "image_48": "", "image_72": ""},
        "deleted": False,
        "updated": int(time.time()),
        "team_id": workspace.team_id,
    }


def file_object(file: SharedFile, user: str, origin: str) -> JsonObject:
    """https://docs.slack.dev/reference/objects/file-object"""
    url = f"{origin}/files-pri/{file.id}/{re.sub(r'[^a-z0-9._-]+', '_', file.name.lower())}"
    return {
        "id": file.id,
        "created": int(time.time()),
        "timestamp": int(time.time()),
        "name": file.name,
        "title": file.name,
        "mimetype": file.mimetype,
        "filetype": file.name.rpartition(".")[2],
        "pretty_type": file.mimetype,
        "user": user,
        "size": len(file.content),
        "mode": "hosted",
        "is_external": False,
        "is_public": True,
        "url_private": url,
        "url_private_download": url,
        "permalink": url,
        "file_access": "visible",
    } | file.more


def told_file(file: SharedFile, user: str, origin: str) -> JsonObject:
    """A file as a message tells of it: https://docs.slack.dev/reference/objects/file-object#slack_connect_files"""
    if not file.is_to_be_looked_up:
        return file_object(file, user, origin)
    return {
        "id": file.id,
        "mode": "file_access",
        "file_access": "check_file_info",
        "created": 0,
        "timestamp": 0,
        "user": "",
    }


def message_object(message: Message, workspace: Workspace, installation: Installation, origin: str) -> JsonObject:
    """A message as history shows it: https://docs.slack.dev/reference/events/message"""
    author = workspace.users.get(message.user)
    team = (author and author.team_id) or workspace.team_id
    body: JsonObject = {"type": "message", "text": message.text, "ts": message.ts, "team": team}
    optional: JsonObject = {
        "client_msg_id": message.client_msg_id,
        "subtype": message.subtype,
        "username": message.username,
        "bot_id": message.bot_id,
        "blocks": list(message.blocks),
        "attachments": list(message.attachments),
        "files": [told_file(file, message.user, origin) for file in message.files],
        "metadata": message.metadata,
        "reactions": [
            {"name": each.name, "users": list(each.users), "count": len(each.users)} for each in message.reactions
        ],
        "edited": {"user": message.user, "ts": message.edited_ts} if message.edited_ts else None,
    }
    body |= {name: value for name, value in optional.items() if value} | message.more
    if message.subtype != "bot_message":
        body["user"] = message.user
    if message.subtype == "tombstone":
        body["hidden"] = True
    if message.files:
        body["upload"] = False
    if team != workspace.team_id:
        # As Bolt for Python reads who acts: slack_bolt/request/internals.py, extract_actor_team_id.
        body |= {"user_team": team, "source_team": team}
    if message.bot_id == installation.bot.bot_id:
        body["app_id"] = installation.app_id
        body["bot_profile"] = bot_object(installation.bot, installation.app_id, workspace)
    elif message.bot_id and author and author.app_id:
        body["app_id"] = author.app_id
        body["bot_profile"] = bot_object(author, author.app_id, workspace)
    return body | _thread_fields(message, workspace)


def _thread_fields(message: Message, workspace: Workspace) -> JsonObject:
    """Where the message stands in its thread: a reply names the parent, a parent counts its replies."""
    if message.thread_ts:
        parent = workspace.message(message.channel, message.thread_ts)
        return {"thread_ts": message.thread_ts} | ({"parent_user_id": parent.user} if parent else {})
    replies = workspace.replies(message)
    if not replies:
        return {}
    users = list(dict.fromkeys(reply.user for reply in replies))
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users_count": len(users),
        "latest_reply": replies[-1].ts,
        "reply_users": users[:5],
        "is_locked": False,
        "subscribed": False,
    }
