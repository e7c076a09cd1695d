"""Slack's text: how people's words are escaped and marked up, and what a message looks like as plain text."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandbox.slack.nouns import JsonObject, Message

# Only these three are escaped: https://docs.slack.dev/messaging/formatting-message-text#escaping
_ESCAPES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))
_MENTION = re.compile(r"(?<![\w@/])@([\w.-]*\w)")
_LINK = re.compile(r"\bhttps?://[^\s<>|]+[^\s<>|.,;:!?)\]'\"]")
_BARE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt);)")
# What stays markup in an app's text: mentions, channels, commands such as <!here>, links.
_MARKUP = re.compile(r"(<(?:[@#!][^<>]+|(?:https?|mailto|tel|slack):[^<>]+)>)")
_USER_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^>]*)?>")
_CHANNEL_MENTION = re.compile(r"<#([A-Z0-9]+)(?:\|([^>]*))?>")
_SPECIAL = re.compile(r"<!(?:subteam\^|date\^[^|>]*)?([^|>]*)(?:\|([^>]*))?>")
_NAMED_LINK = re.compile(r"<([^<>|@#!]+)\|([^<>]*)>")
_PLAIN_LINK = re.compile(r"<((?:https?|mailto|tel|slack):[^<>|]+)>")


def escape(text: str) -> str:
    for plain, escaped in _ESCAPES:
        text = text.replace(plain, escaped)
    return text


def unescape(text: str) -> str:
    for plain, escaped in reversed(_ESCAPES):
        text = text.replace(escaped, plain)
    return text


def typed(text: str, ids: Mapping[str, str]) -> str:
    """What a person typed, as Slack hands it on: escaped, known @names as <@ID>, web addresses in angle brackets."""

    def mention(found: re.Match[str]) -> str:
        user_id = ids.get(found[1].casefold())
        return f"<@{user_id}>" if user_id else found[0]

    return _LINK.sub(lambda link: f"<{link[0]}>", _MENTION.sub(mention, escape(text)))


def from_app(text: str) -> str:
    """What an app sent as `text`, as Slack keeps it: its markup stays, stray & < > are escaped."""
    pieces = _MARKUP.split(text)
    for at in range(0, len(pieces), 2):
        pieces[at] = _BARE_AMPERSAND.sub("&amp;", pieces[at]).replace("<", "&lt;").replace(">", "&gt;")
    return "".join(pieces)


def rich_text(text: str) -> JsonObject:
    """The smallest rich_text block that says *text*: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block"""
    elements: list[JsonObject] = []
    for piece in re.split(r"(<@[A-Z0-9]+>|<https?://[^<>|]+>)", text):
        if piece.startswith("<@"):
            elements.append({"type": "user", "user_id": piece[2:-1]})
        elif piece.startswith("<http"):
            elements.append({"type": "link", "url": unescape(piece[1:-1])})
        elif piece:
            elements.append({"type": "text", "text": unescape(piece)})
    section = {"type": "rich_text_section", "elements": elements}
    return {"type": "rich_text", "block_id": secrets.token_urlsafe(4), "elements": [section]}


def plain(text: str) -> str:
    """Slack's markup as a person reads it: mentions by id, links as their words, nothing escaped."""
    text = _USER_MENTION.sub(r"@\1", text)
    text = _CHANNEL_MENTION.sub(lambda found: f"#{found[2] or found[1]}", text)
    text = _SPECIAL.sub(lambda found: found[2] or f"@{found[1]}", text)
    text = _NAMED_LINK.sub(r"\2", text)
    return unescape(_PLAIN_LINK.sub(r"\1", text))


def shown(message: Message) -> str:
    """What somebody who looks at *message* reads: its blocks, or its text when it has none."""
    lines = [line for block in message.blocks for line in _block_lines(block) if line]
    lines = lines or [plain(message.text)]
    lines += [f"[{file.name}]" for file in message.files]
    return "\n".join(lines)


def _block_lines(block: JsonObject) -> Iterable[str]:
    match block.get("type"):
        case "markdown":
            yield str(block.get("text", ""))
        case "divider":
            yield "———"
        case "rich_text":
            yield from (_rich_text_line(element) for element in block.get("elements", ()))
        case "actions" | "context_actions":
            yield " ".join(f"[{_element_line(element)}]" for element in block.get("elements", ()))
        case "context":
            yield " ".join(_element_line(element) for element in block.get("elements", ()))
        case "table":
            yield from (" | ".join(_cell(cell) for cell in row) for row in block.get("rows", ()))
        case "image" | "video":
            yield f"[{block.get('alt_text', '')}]"
        case "section" | "header" | "input":
            yield _element_line(block)
            yield from (_element_line({"text": part}) for part in block.get("fields") or ())
            if accessory := block.get("accessory"):
                yield f"[{_element_line(accessory)}]"
        case other:
            yield f"[{other}]"


def _element_line(element: JsonObject) -> str:
    """The words on an element or in a text object; a group of feedback buttons shows both its labels."""
    if element.get("type") == "feedback_buttons":
        return "] [".join(_element_line(element.get(key, {})) for key in ("positive_button", "negative_button"))
    text = element.get("text") or element.get("label") or element.get("placeholder") or element.get("alt_text") or ""
    if isinstance(text, dict):
        return _element_line(text)
    return plain(str(text)) if element.get("type") == "mrkdwn" else str(text)


def _rich_text_line(element: JsonObject) -> str:
    parts = element.get("elements")
    if parts is None:
        return str(
            element.get("text")
            or element.get("url")
            or (f":{element['name']}:" if "name" in element else "")
            or (f"@{element['user_id']}" if "user_id" in element else "")
        )
    line_break = "\n" if element.get("type") == "rich_text_list" else ""
    return line_break.join(_rich_text_line(part) for part in parts)


def _cell(cell: JsonObject) -> str:
    return _rich_text_line(cell) if "elements" in cell else str(cell.get("text", ""))
