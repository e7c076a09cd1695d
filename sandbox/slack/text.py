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
_CODE = re.compile(r"(```.+?```|`[^`\n]+`)", re.DOTALL)  # as Slack's own composer takes it
_ESCAPED_ID = re.compile(r"&lt;(@[A-Z0-9]+)&gt;")
_BARE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt);)")
# What stays markup in an app's text: mentions, channels, commands such as <!here>, links.
_MARKUP = re.compile(r"(<(?:[@#!][^<>]+|(?:https?|mailto|tel|slack):[^<>]+)>)")
_USER_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^>]*)?>")
_CHANNEL_MENTION = re.compile(r"<#([A-Z0-9]+)(?:\|([^>]*))?>")
_SPECIAL = re.compile(r"<!(?:subteam\^|date\^[^|>]*)?([^|>]*)(?:\|([^>]*))?>")
_NAMED_LINK = re.compile(r"<([^<>|@#!]+)\|([^<>]*)>")
_PLAIN_LINK = re.compile(r"<((?:https?|mailto|tel|slack):[^<>|]+)>")
# How what names something in rich text is shown: what stands before the field, the field, what stands after it.
_NAMES = {
    "broadcast": ("@", "range", ""),
    "channel": ("#", "channel_id", ""),
    "color": ("", "value", ""),
    "emoji": (":", "name", ":"),
    "team": ("", "team_id", ""),
    "user": ("@", "user_id", ""),
    "usergroup": ("@", "usergroup_id", ""),
}


def escape(text: str) -> str:
    for plain, escaped in _ESCAPES:
        text = text.replace(plain, escaped)
    return text


def unescape(text: str) -> str:
    for plain, escaped in reversed(_ESCAPES):
        text = text.replace(escaped, plain)
    return text


def typed(text: str, ids: Mapping[str, str]) -> str:
    """What a person typed, as Slack hands it on: escaped, known @names as <@ID>, web addresses in angle brackets.

    Nobody is mentioned in code; yet an id that was typed there looks like a mention (vercel/chat#947, agor-live/agor#634).
    """

    def mention(found: re.Match[str]) -> str:
        user_id = ids.get(found[1].casefold())
        return f"<@{user_id}>" if user_id else found[0]

    pieces = [escape(piece) for piece in _CODE.split(text)]
    for at in range(0, len(pieces), 2):
        pieces[at] = _LINK.sub(lambda link: f"<{link[0]}>", _MENTION.sub(mention, pieces[at]))
    for at in range(1, len(pieces), 2):
        pieces[at] = _ESCAPED_ID.sub(r"<\1>", pieces[at])
    return "".join(pieces)


def from_app(text: str) -> str:
    """What an app sent as `text`, as Slack keeps it: its markup stays, stray & < > are escaped."""
    pieces = _MARKUP.split(text)
    for at in range(0, len(pieces), 2):
        pieces[at] = _BARE_AMPERSAND.sub("&amp;", pieces[at]).replace("<", "&lt;").replace(">", "&gt;")
    return "".join(pieces)


def rich_text(text: str) -> JsonObject:
    """The smallest rich_text block that says *text*: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block"""
    groups: list[JsonObject] = []
    elements: list[JsonObject] = []
    for at, piece in enumerate(_CODE.split(text)):
        if at % 2 == 0:
            elements += _inline(piece)
        elif not piece.startswith("```"):
            elements.append({"type": "text", "text": unescape(piece[1:-1]), "style": {"code": True}})
        else:
            groups += _section(elements)
            elements = []
            code = {"type": "text", "text": unescape(piece[3:-3].strip("\n"))}
            groups.append({"type": "rich_text_preformatted", "elements": [code], "border": 0})
    groups += _section(elements)
    return {"type": "rich_text", "block_id": secrets.token_urlsafe(4), "elements": groups}


def _section(elements: list[JsonObject]) -> list[JsonObject]:
    """A section of *elements*, if they say anything; the line breaks around code are none of theirs."""
    if elements and elements[-1]["type"] == "text":
        elements[-1]["text"] = elements[-1]["text"].removesuffix("\n")
    if elements and elements[0]["type"] == "text":
        elements[0]["text"] = elements[0]["text"].removeprefix("\n")
    said = [element for element in elements if element.get("text") != ""]
    return [{"type": "rich_text_section", "elements": said}] if said else []


def _inline(text: str) -> Iterable[JsonObject]:
    for piece in re.split(r"(<@[A-Z0-9]+>|<https?://[^<>|]+>)", text):
        if piece.startswith("<@"):
            yield {"type": "user", "user_id": piece[2:-1]}
        elif piece.startswith("<http"):
            yield {"type": "link", "url": unescape(piece[1:-1])}
        elif piece:
            yield {"type": "text", "text": unescape(piece)}


def plain(text: str) -> str:
    """Slack's markup as a person reads it: mentions by id, links as their words, nothing escaped."""
    text = _USER_MENTION.sub(r"@\1", text)
    text = _CHANNEL_MENTION.sub(lambda found: f"#{found[2] or found[1]}", text)
    text = _SPECIAL.sub(lambda found: found[2] or f"@{found[1]}", text)
    text = _NAMED_LINK.sub(r"\2", text)
    return unescape(_PLAIN_LINK.sub(r"\1", text))


def shown(message: Message) -> str:
    """What somebody who looks at *message* reads: its blocks, or its text when it has none, and what hangs on it.

    Code stands in backticks, what is struck out in ~; of what is only bold or slanted the words are shown.
    """
    lines = [line for block in message.blocks for line in _block_lines(block) if line]
    lines = lines or [line for line in [plain(message.text)] if line]
    lines += [f"[{file.name}]" for file in message.files]
    for attachment in message.attachments:
        lines += [f"| {line}" for text in _attachment_lines(attachment) for line in text.split("\n")]
    return "\n".join(lines)


def _attachment_lines(attachment: JsonObject) -> Iterable[str]:
    """https://docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments"""
    words = [plain(str(attachment[name])) for name in ("pretext", "title", "text") if attachment.get(name)]
    blocks = [line for block in attachment.get("blocks") or () for line in _block_lines(block) if line]
    yield from words + blocks or [plain(str(attachment.get("fallback", "")))]
    yield from (f"[{file.get('name', '')}]" for file in attachment.get("files") or ())


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
    """A section, list, quote or code, or what stands in a line."""
    parts = element.get("elements")
    if parts is None:
        return _inline_line(element)
    said = [_rich_text_line(part) for part in parts]
    match element.get("type"):
        case "rich_text_list":
            return "\n".join(_list_lines(element, said))
        case "rich_text_quote":
            return "\n".join(f"> {line}" for line in "".join(said).split("\n"))
        case "rich_text_preformatted":
            return f"```\n{''.join(said)}\n```"
        case _:
            return "".join(said)


def _list_lines(element: JsonObject, items: list[str]) -> Iterable[str]:
    indent = "    " * int(element.get("indent") or 0)
    first = int(element.get("offset") or 0) + 1
    for number, item in enumerate(items, first):
        mark = f"{number}. " if element.get("style") == "ordered" else "• "
        yield indent + mark + item.replace("\n", "\n" + indent + " " * len(mark))


def _inline_line(element: JsonObject) -> str:
    if shape := _NAMES.get(str(element.get("type"))):
        before, field, after = shape
        return f"{before}{element.get(field, '')}{after}"
    if element.get("type") == "date":
        return str(element.get("fallback") or element.get("timestamp", ""))
    words = str(element.get("text") or element.get("url") or "")
    style = element.get("style")
    if not isinstance(style, dict):
        return words
    words = f"`{words}`" if style.get("code") else words
    return f"~{words}~" if style.get("strike") else words


def _cell(cell: JsonObject) -> str:
    return _rich_text_line(cell) if "elements" in cell else str(cell.get("text", ""))
