"""files.*: what people shared. https://docs.slack.dev/reference/methods?family=files"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.slack.arguments import ApiError, Arguments
from sandbox.slack.limits import TIER_4
from sandbox.slack.objects import file_object
from sandbox.slack.platform import Method, Platform

if TYPE_CHECKING:
    from sandbox.slack.nouns import JsonObject


def info(platform: Platform, arguments: Arguments) -> JsonObject:
    """Of a file in a place where the app is: …/methods/files.info"""
    shared = platform.workspace.file(arguments.needed("file"))
    if shared is None or not platform.is_member(platform.workspace.channels[shared.message.channel]):
        raise ApiError("file_not_found")
    return {"file": file_object(shared.file, shared.message.user, platform.origin), "comments": []}


METHODS = {"files.info": Method(info, TIER_4, "files:read")}
