"""chat.*: what an app says, changes and takes back. https://docs.slack.dev/reference/methods?family=chat"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sandbox.slack.arguments import ApiError, Arguments
from sandbox.slack.composing import check_update, content
from sandbox.slack.limits import HUNDREDS, TIER_3, TIER_4
from sandbox.slack.nouns import Channel, JsonObject, Message
from sandbox.slack.platform import Method, Platform

if TYPE_CHECKING:
    from sandbox.slack.composing import Content


def post_message(platform: Platform, arguments: Arguments) -> JsonObject:
    channel = _destination(platform, arguments.needed("channel"))
    said = content(arguments)
    message = _message(platform, channel, said)
    # Slack doesn't refuse an answer to what is gone: it stands in the channel, and says so by having no `thread_ts`
    # (slack-go/slack#1571, slackapi/python-slack-events-api#87, PostHog/posthog#83601).
    if parent := platform.parent(channel, arguments.text("thread_ts")):
        subtype = "thread_broadcast" if arguments.flag("reply_broadcast") else ""
        message = replace(message, thread_ts=parent.ts, subtype=subtype)
    if "username" in arguments and "chat:write.customize" in platform.installation.scopes:
        message = replace(message, username=arguments.text("username"), subtype="bot_message")
    message = platform.workspace.post(message)
    return {"channel": channel.id, "ts": message.ts, "message": platform.shown(message)}


def post_ephemeral(platform: Platform, arguments: Arguments) -> JsonObject:
    channel = platform.joined(arguments.needed("channel"))
    user = arguments.needed("user")
    said = content(arguments)
    if user not in channel.members:
        raise ApiError("user_not_in_channel")
    message = _message(platform, channel, said)
    message = replace(message, ephemeral_to=user, thread_ts=arguments.text("thread_ts") or None)
    return {"message_ts": platform.workspace.post(message).ts}


def update(platform: Platform, arguments: Arguments) -> JsonObject:
    """Blocks leave no mark; text alone marks the message as edited, and takes its blocks away."""
    channel = platform.channel(arguments.needed("channel"))
    message = platform.message(channel, arguments.needed("ts"))
    if message.bot_id != platform.installation.bot.bot_id:
        raise ApiError("cant_update_message")
    if (channel.id, message.ts) in platform.workspace.streams:
        raise ApiError("streaming_state_conflict")
    check_update(arguments.text("text"))
    said = content(arguments)
    if said.blocks and _is_rich(message.blocks) and not _is_rich(said.blocks):
        raise ApiError("block_mismatch")
    after = replace(message, text=said.text, blocks=said.blocks, attachments=said.attachments)
    if said.metadata is not None:
        after = replace(after, metadata=said.metadata)
    if not said.blocks:
        after = replace(after, edited_ts=platform.workspace.clock.next_ts())
    after = platform.workspace.change(after)
    return {"channel": channel.id, "ts": after.ts, "text": after.text, "message": platform.shown(after)}


def delete(platform: Platform, arguments: Arguments) -> JsonObject:
    channel = platform.channel(arguments.needed("channel"))
    message = platform.message(channel, arguments.needed("ts"))
    if message.bot_id != platform.installation.bot.bot_id:
        raise ApiError("cant_delete_message")
    platform.workspace.delete(message, platform.installation.bot.id)
    return {"channel": channel.id, "ts": message.ts}


def get_permalink(platform: Platform, arguments: Arguments) -> JsonObject:
    channel = platform.channel(arguments.needed("channel"))
    message = platform.message(channel, arguments.needed("message_ts"))
    link = f"{platform.origin}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.thread_ts:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def _message(platform: Platform, channel: Channel, said: Content) -> Message:
    bot = platform.installation.bot
    return Message(
        channel=channel.id,
        ts=platform.workspace.clock.next_ts(),
        user=bot.id,
        bot_id=bot.bot_id,
        text=said.text,
        blocks=said.blocks,
        attachments=said.attachments,
        metadata=said.metadata,
    )


def _destination(platform: Platform, name: str) -> Channel:
    """A channel by id or name, or the direct messages with a user: …/chat.postMessage#channels"""
    workspace, bot = platform.workspace, platform.installation.bot
    if name in workspace.users and name != bot.id:
        return platform.direct_channel(name)
    named = (each for each in workspace.channels.values() if each.name and each.name == name.removeprefix("#"))
    if channel := next(named, None):
        name = channel.id
    found = platform.channel(name)
    if not platform.is_member(found) and "chat:write.public" not in platform.installation.scopes:
        raise ApiError("not_in_channel")
    return found


def _is_rich(blocks: tuple[JsonObject, ...]) -> bool:
    """Is there rich text among them? What Slack makes of Markdown counts as such."""
    return any(block["type"] in {"rich_text", "markdown"} for block in blocks)


METHODS = {
    # Beside one a second per channel, "several hundred messages per minute" for the workspace.
    "chat.postMessage": Method(post_message, HUNDREDS, "chat:write"),
    "chat.postEphemeral": Method(post_ephemeral, TIER_4, "chat:write"),
    "chat.update": Method(update, TIER_3, "chat:write"),
    "chat.delete": Method(delete, TIER_3, "chat:write"),
    "chat.getPermalink": Method(get_permalink, HUNDREDS),
}
