"""chat.startStream and its two companions: messages that grow while they are written.

https://docs.slack.dev/reference/methods/chat.startStream, …appendStream, …stopStream
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sandbox.slack.arguments import ApiError, Arguments, explained
from sandbox.slack.blocks import Surface, block_problems, with_ids
from sandbox.slack.composing import MARKDOWN_TEXT, metadata
from sandbox.slack.limits import TIER_2, TIER_4
from sandbox.slack.nouns import Channel, ChannelKind, JsonObject, Message
from sandbox.slack.platform import Method, Platform
from sandbox.slack.weight import characters

if TYPE_CHECKING:
    from sandbox.slack.workspace import Growing

# All of a stream together is bounded too, which no page says: CopilotKit/CopilotKit#6063.
CUMULATIVE = 12_000  # characters
CARD_TEXT = 256  # characters of each field of a task or a plan
DISPLAY_MODES = ("timeline", "plan")
TASK_STATES = ("pending", "in_progress", "complete", "error")
SESSION_STATES = ("active", "processing", "suspended", "closed")


@dataclass(frozen=True, slots=True)
class _Given:
    text: str
    blocks: tuple[JsonObject, ...]
    mode: str  # by which argument it came


def start(platform: Platform, arguments: Arguments) -> JsonObject:
    channel = platform.joined(arguments.needed("channel"))
    if channel.id in platform.faults.no_streams or "*" in platform.faults.no_streams:
        raise ApiError("channel_type_not_supported")
    given = _given(arguments)
    if arguments.text("task_display_mode", DISPLAY_MODES[0]) not in DISPLAY_MODES:
        raise explained("invalid_arguments", ["task_display_mode: must be one of timeline, plan"])
    parent = _parent(platform, channel, arguments)
    bot = platform.installation.bot
    message = Message(
        channel=channel.id,
        ts=platform.workspace.clock.next_ts(),
        user=bot.id,
        bot_id=bot.bot_id,
        text=given.text,
        blocks=_shown(given.text, given.blocks),
        thread_ts=parent.ts if parent else None,
        more={"streaming_state": "in_progress"},
    )
    platform.workspace.begin_stream(message, given.text, given.blocks, given.mode)
    return {"channel": channel.id, "ts": message.ts}


def _parent(platform: Platform, channel: Channel, arguments: Arguments) -> Message | None:
    """They should "always be replies to a user request"; beside the threads only channels have them."""
    is_direct = channel.kind is ChannelKind.DIRECT
    if not is_direct:
        for name in ("recipient_user_id", "recipient_team_id"):
            if name not in arguments:
                raise ApiError(f"missing_{name}")
    if "thread_ts" not in arguments:
        if is_direct:
            raise explained("invalid_arguments", ["missing required field: thread_ts"])
        return None
    return platform.parent(channel, arguments.text("thread_ts"))


def append(platform: Platform, arguments: Arguments) -> JsonObject:
    message, growing = _growing(platform, arguments)
    _grow(platform, message, growing, _given(arguments))
    return {"channel": message.channel, "ts": message.ts}


def stop(platform: Platform, arguments: Arguments) -> JsonObject:
    message, growing = _growing(platform, arguments)
    if arguments.text("session_status", SESSION_STATES[0]) not in SESSION_STATES:
        raise explained("invalid_arguments", ["session_status: must be one of " + ", ".join(SESSION_STATES)])
    below = arguments.objects("blocks", "invalid_blocks_format") or []
    if problems := block_problems(below, Surface.MESSAGE):
        raise explained("invalid_blocks", problems)
    about = metadata(arguments)
    if "markdown_text" in arguments or "chunks" in arguments:
        message = _grow(platform, message, growing, _given(arguments))
    after = replace(message, blocks=(*message.blocks, *with_ids(below)), metadata=about or message.metadata)
    after = platform.workspace.end_stream(after, "completed")
    if message.thread_ts:
        status = arguments.text("session_status", SESSION_STATES[0])
        platform.workspace.set_session(message.channel, message.thread_ts, status)
    return {"channel": after.channel, "ts": after.ts, "message": platform.shown(after)}


def _growing(platform: Platform, arguments: Arguments) -> tuple[Message, Growing]:
    channel = platform.channel(arguments.needed("channel"))
    message = platform.message(channel, arguments.needed("ts"))
    if message.bot_id != platform.installation.bot.bot_id:
        raise ApiError("message_not_owned_by_app")
    growing = platform.workspace.streams.get((channel.id, message.ts))
    # Some five minutes after its start it is over, however it grew: slackapi/python-slack-sdk#1859.
    if growing and time.monotonic() - growing.began > platform.faults.stream_seconds:
        message = platform.workspace.end_stream(message, "errored")
        growing = None
    if growing is None:
        is_stopped = (channel.id, message.ts) in platform.workspace.stopped_streams
        raise ApiError("stopped_by_user" if is_stopped else "message_not_in_streaming_state")
    return message, growing


def _grow(platform: Platform, message: Message, growing: Growing, given: _Given) -> Message:
    # NousResearch/hermes-agent#104173
    if given.mode != growing.mode:
        raise ApiError("streaming_mode_mismatch")
    if characters(growing.text + given.text) > CUMULATIVE:
        raise ApiError("msg_too_long")
    growing.text += given.text
    growing.blocks += given.blocks
    after = replace(message, text=growing.text, blocks=_shown(growing.text, growing.blocks))
    return platform.workspace.change(after)


def _given(arguments: Arguments) -> _Given:
    chunks = arguments.objects("chunks", "invalid_chunks")
    text = arguments.text("markdown_text")
    if chunks is not None and text:
        raise ApiError("markdown_text_conflict")
    if chunks is None:
        if characters(text) > MARKDOWN_TEXT:
            raise ApiError("msg_too_long")
        return _Given(text, (), "markdown_text")
    blocks: list[JsonObject] = []
    for chunk in chunks:
        if not isinstance(chunk, dict):
            raise ApiError("invalid_chunks")
        text += _chunk(chunk, blocks)
    if characters(text) > MARKDOWN_TEXT:
        raise ApiError("msg_too_long")
    if problems := block_problems(blocks, Surface.MESSAGE):
        raise explained("invalid_blocks", problems)
    return _Given(text, with_ids(blocks), "chunks")


def _chunk(chunk: JsonObject, blocks: list[JsonObject]) -> str:
    """https://docs.slack.dev/messaging/sending-and-scheduling-messages#text-streaming"""
    match chunk:
        case {"type": "markdown_text", "text": str(text), **more} if text and not more:
            return text
        case {"type": "blocks", "blocks": list(given), **more} if not more:
            blocks += given
            return ""
        case {"type": "task_update", "id": str(), "title": str(), "status": str(status)} if status in TASK_STATES:
            texts = [chunk["title"], *(chunk.get(name) or "" for name in ("details", "output"))]
        case {"type": "plan_update", "title": str(title)}:
            texts = [title]
        case _:
            raise ApiError("invalid_chunks")
    if any(not isinstance(text, str) or len(text) > CARD_TEXT for text in texts):
        raise ApiError("invalid_chunks")
    return ""


def _shown(text: str, blocks: tuple[JsonObject, ...]) -> tuple[JsonObject, ...]:
    return (*with_ids([{"type": "markdown", "text": text}] if text else []), *blocks)


METHODS = {
    "chat.startStream": Method(start, TIER_2, "chat:write"),
    "chat.appendStream": Method(append, TIER_4, "chat:write"),
    "chat.stopStream": Method(stop, TIER_2, "chat:write"),
}
