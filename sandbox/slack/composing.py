"""Checks what an app wants said against Slack's limits: the same for posts, updates and response URLs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.slack.arguments import ApiError, Arguments, explained
from sandbox.slack.blocks import TOO_LONG, Surface, block_problems, with_ids
from sandbox.slack.text import from_app
from sandbox.slack.weight import characters

if TYPE_CHECKING:
    from sandbox.slack.nouns import JsonObject

POST_TEXT = 40_000  # longer is cut: https://docs.slack.dev/reference/methods/chat.postMessage#truncating
# Longer is refused: https://docs.slack.dev/reference/methods/chat.update#errors. These are bytes of UTF-8, though the
# page says characters, and & < > count as their entities: openclaw/openclaw#115027 (4,000 pass, 4,002 don't).
UPDATE_TEXT = 4_000
MARKDOWN_TEXT = 12_000  # https://docs.slack.dev/reference/methods/chat.postMessage#arg_markdown_text
ATTACHMENTS = 100  # https://docs.slack.dev/reference/methods/chat.postMessage#errors


@dataclass(frozen=True, slots=True)
class Content:
    text: str
    blocks: tuple[JsonObject, ...]
    attachments: tuple[JsonObject, ...]
    metadata: JsonObject | None


def content(arguments: Arguments) -> Content:
    """What the arguments say should be shown. Raises ApiError."""
    blocks = arguments.objects("blocks", "invalid_blocks_format") or []
    attachments = arguments.objects("attachments", "invalid_attachments") or []
    if len(attachments) > ATTACHMENTS:
        raise ApiError("too_many_attachments")
    text = arguments.text("text")
    if markdown := arguments.text("markdown_text"):
        if text or blocks:
            raise ApiError("markdown_text_conflict")
        if characters(markdown) > MARKDOWN_TEXT:
            raise ApiError("msg_too_long")
        text, blocks = markdown, [{"type": "markdown", "text": markdown}]
    problems = block_problems(blocks, Surface.MESSAGE)
    if problems == [TOO_LONG]:
        raise ApiError(TOO_LONG)
    if problems:
        raise explained("invalid_blocks", problems)
    if not (text.strip() or blocks or attachments):
        raise ApiError("no_text")
    return Content(from_app(text[:POST_TEXT]), with_ids(blocks), tuple(attachments), metadata(arguments))


def check_update(text: str) -> None:
    """Refuse a `text` with which no message can be updated, whatever its blocks are."""
    if len(from_app(text).encode(errors="surrogatepass")) > UPDATE_TEXT:
        raise ApiError("msg_too_long")


def metadata(arguments: Arguments) -> JsonObject | None:
    """https://docs.slack.dev/messaging/message-metadata"""
    about = arguments.object("metadata", "invalid_metadata_format")
    if about and not (isinstance(about.get("event_type"), str) and isinstance(about.get("event_payload"), dict)):
        raise ApiError("invalid_metadata_format")
    return about or None
