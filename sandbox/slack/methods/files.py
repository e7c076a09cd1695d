"""files.*: what people shared, and what the app uploads. https://docs.slack.dev/reference/methods?family=files"""

from __future__ import annotations

import mimetypes
from typing import TYPE_CHECKING

from sandbox.slack.arguments import ApiError, Arguments
from sandbox.slack.limits import TIER_4
from sandbox.slack.nouns import Message, SharedFile
from sandbox.slack.objects import file_object
from sandbox.slack.platform import Method, Platform
from sandbox.slack.text import from_app

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.slack.nouns import JsonObject


def info(platform: Platform, arguments: Arguments) -> JsonObject:
    """Of a file in a place where the app is: …/methods/files.info"""
    shared = platform.workspace.file(arguments.needed("file"))
    if shared is None or not platform.is_member(platform.workspace.channels[shared.message.channel]):
        raise ApiError("file_not_found")
    return {"file": file_object(shared.file, shared.message.user, platform.origin), "comments": []}


def get_upload_url(platform: Platform, arguments: Arguments) -> JsonObject:
    """…/methods/files.getUploadURLExternal"""
    name = arguments.text("filename")
    if not name or arguments.text("length") in ("", "0"):
        raise ApiError("missing_argument")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    file = SharedFile(name, b"", kind)
    platform.workspace.uploads[file.id] = file
    return {"upload_url": f"{platform.origin}/upload/v1/{file.id}", "file_id": file.id}


def complete_upload(platform: Platform, arguments: Arguments) -> JsonObject:
    """Share what was sent to those addresses; without a channel it stays the app's: …/files.completeUploadExternal"""
    channel = platform.joined(arguments.text("channel_id")) if "channel_id" in arguments else None
    titled = _uploaded(platform, arguments.objects("files", "invalid_arguments") or [])
    if channel is not None:
        parent = platform.parent(channel, arguments.text("thread_ts"))
        bot = platform.installation.bot
        message = Message(
            channel=channel.id,
            ts=platform.workspace.clock.next_ts(),
            user=bot.id,
            bot_id=bot.bot_id,
            text=from_app(arguments.text("initial_comment")),
            thread_ts=parent.ts if parent else None,
            subtype="file_share",
            files=tuple(file for file, _ in titled),
        )
        for file, _ in titled:
            del platform.workspace.uploads[file.id]
        platform.workspace.post(message)
    return {"files": [{"id": file.id, "title": title} for file, title in titled]}


def _uploaded(platform: Platform, asked: Sequence[object]) -> list[tuple[SharedFile, str]]:
    """The files with their titles. Raises ApiError if one of them was not sent, or there are none."""
    found: list[tuple[SharedFile, str]] = []
    for each in asked:
        given = each if isinstance(each, dict) else {}
        file = platform.workspace.uploads.get(str(given.get("id")))
        if file is None or not file.content:
            raise ApiError("file_not_found")
        found.append((file, str(given.get("title") or file.name)))
    if not found:
        raise ApiError("file_not_found")
    return found


METHODS = {
    "files.info": Method(info, TIER_4, "files:read"),
    "files.getUploadURLExternal": Method(get_upload_url, TIER_4, "files:write"),
    "files.completeUploadExternal": Method(complete_upload, TIER_4, "files:write"),
}
