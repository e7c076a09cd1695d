"""Reads what a person wrote in Slack, as Markdown for a model, and whether it calls the bot.

Blocks know better than `text` what is code, and hold it as it was typed; but not all clients send them.
https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from core.words import after_name, trimmed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Node = dict[str, Any]

MOST_GROUPS = 2_000  # of one message; each is a paragraph, a list, code or a quote
MOST_NODES = 20_000
_CALL_NOBODY = ("rich_text_quote", "rich_text_preformatted")
_DEEPEST_LIST = 8
_HERE = "\0"  # stands for the bot's own name, until all is put together: in no text
_LOOKS = (("strike", "~~"), ("italic", "*"), ("bold", "**"))
_NAMED = re.compile(r"<(?:@|#|!subteam\^)(\w+)\|([^<>\n]+)>")
_SENT = re.compile(r"[ \t]?<(?P<kind>[@#!]?)(?P<target>[^<>|\n]+)(?:\|(?P<label>[^<>\n]*))?>")
# Slack names who stands in code as well, whom that calls as little as any other words there.
_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
_QUOTED = re.compile(r"^&gt; ?.*$", re.MULTILINE)  # what somebody else said


def is_called(message: Mapping[str, Any], user: str) -> bool:
    """Does what *message* says itself call *user*? Neither code does, nor a quote."""
    text = message.get("text") or ""
    groups = list(_groups(message.get("blocks")))
    if not groups:
        return mentions(text, user)
    said = [group for group in groups if group.get("type") not in _CALL_NOBODY]
    return any(_names(node, user) for group in said for node in _lines(group))


def written(message: Mapping[str, Any], bot_user: str, names: Mapping[str, str]) -> str:
    """What *message* says, as people saw it; *names* has those of mentioned people, channels and groups by id."""
    text = message.get("text") or ""
    groups = list(_groups(message.get("blocks")))
    if not groups:
        return plain(text, bot_user, names)
    told = dict(_NAMED.findall(text)) | dict(names)
    shown = ""
    for group in groups:
        said = _group(group, bot_user, told)
        shown += "\n" * bool(shown and said and not shown.endswith("\n")) + said
    head, name, rest = shown.partition(_HERE)
    if name and not trimmed(head):
        shown = after_name(rest)
    shown = re.sub(rf"^{_HERE}(.*)", lambda line: after_name(line[1]), shown, flags=re.MULTILINE)
    return trimmed(re.sub(rf"[ \t]?{_HERE}", "", shown))


def _groups(blocks: object) -> Iterator[Node]:
    """The parts of the rich text among *blocks*."""
    found = 0
    for block in blocks if isinstance(blocks, list) else ():
        if isinstance(block, dict) and block.get("type") == "rich_text":
            for group in _nodes(block):
                found += 1
                if found <= MOST_GROUPS:
                    yield group


def _nodes(node: Node) -> list[Node]:
    inner = node.get("elements")
    return [one for one in inner[:MOST_NODES] if isinstance(one, dict)] if isinstance(inner, list) else []


def _lines(group: Node) -> Iterator[Node]:
    for node in _nodes(group):
        yield node
        yield from _nodes(node)


def _names(node: Node, user: str) -> bool:
    return node.get("type") == "user" and node.get("user_id") == user


def _group(group: Node, bot_user: str, names: Mapping[str, str]) -> str:
    match group.get("type"):
        case "rich_text_preformatted":
            return _fenced("".join(_said(node, {}) for node in _nodes(group)), group.get("language"))
        case "rich_text_quote":
            # Who is named in a quote was called by somebody else.
            return re.sub("^", "> ", _line(_nodes(group), "", names), flags=re.MULTILINE)
        case "rich_text_list":
            return _items(group, bot_user, names)
    return _line(_nodes(group), bot_user, names)


def _items(group: Node, bot_user: str, names: Mapping[str, str]) -> str:
    indent, offset = (
        value if isinstance(value := group.get(name), int) and value > 0 else 0 for name in ("indent", "offset")
    )
    before = "   " * min(indent, _DEEPEST_LIST)
    shown = []
    for number, item in enumerate(_nodes(group), offset + 1):
        mark = f"{number}. " if group.get("style") == "ordered" else "- "
        shown.append(before + mark + _line(_nodes(item), bot_user, names).replace("\n", f"\n{before}   "))
    return "\n".join(shown)


def _line(nodes: Sequence[Node], bot_user: str, names: Mapping[str, str]) -> str:
    shown = ""
    for look, run in groupby(nodes, key=_look):
        text = "".join(_HERE if bot_user and _names(node, bot_user) else _said(node, names) for node in run)
        shown += _code(text) if "code" in look else _marked(text, look)
    return shown


def _look(node: Node) -> tuple[str, ...]:
    style = node.get("style")
    if not isinstance(style, dict):
        return ()
    return ("code",) if style.get("code") else tuple(name for name, _ in _LOOKS if style.get(name))


def _marked(text: str, look: tuple[str, ...]) -> str:
    """Marks stand close to the words; around the bot's name alone there are none."""
    inside = text.strip()
    if not inside.replace(_HERE, "").strip() or "\n" in inside:
        return text
    for name, mark in _LOOKS:
        if name in look:
            inside = f"{mark}{inside}{mark}"
    start = len(text) - len(text.lstrip())
    return text[:start] + inside + text[len(text.rstrip()) :]


def _code(text: str) -> str:
    longest = max(map(len, re.findall("`+", text)), default=0)
    mark = "`" * (longest + 1)
    pad = " " * (text.startswith("`") or text.endswith("`"))
    return f"{mark}{pad}{text}{pad}{mark}" if text else ""


def _fenced(code: str, language: object) -> str:
    longest = max(map(len, re.findall("`{3,}", code)), default=2)
    fence = "`" * (longest + 1)
    named = language if isinstance(language, str) and re.fullmatch(r"[\w+#.-]{1,20}", language) else ""
    return f"{fence}{named}\n{code.removesuffix(chr(10))}\n{fence}"


def _said(node: Node, names: Mapping[str, str]) -> str:
    """https://docs.slack.dev/reference/block-kit/blocks/rich-text-block#element-types"""
    match node:
        case {"type": "user", "user_id": str(one)} | {"type": "usergroup", "usergroup_id": str(one)}:
            said = "@" + names.get(one, one).removeprefix("@")
        case {"type": "channel", "channel_id": str(one)}:
            said = "#" + names.get(one, one)
        case {"type": "broadcast", "range": str(one)}:
            said = "@" + one
        case {"type": "emoji", "name": str(one)}:
            said = f":{one}:"
        case {"type": "link", "url": str(url)}:
            said = _link(url, node.get("text"), node)
        case {"type": "date", "timestamp": int(at)}:
            said = _date(at, node.get("fallback"))
        case {"text": str(one)} | {"type": "color", "value": str(one)} | {"type": "team", "team_id": str(one)}:
            said = one
        case _:
            return ""
    return said.replace(_HERE, "\ufffd")


def _link(url: str, label: object, node: Node) -> str:
    """Code stays as it was typed, though Slack finds addresses in it."""
    address = re.sub("^(?:mailto|tel):", "", url)
    if isinstance(label, str) and label and "code" in _look(node):
        return label
    is_same = not isinstance(label, str) or label in ("", url, address, re.sub("^https?://", "", url))
    return address if is_same else f"{label} ({address})"


def _date(at: int, fallback: object) -> str:
    if isinstance(fallback, str) and fallback:
        return fallback
    try:
        return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
    except (OverflowError, ValueError, OSError):
        return str(at)


def mentions(text: str, user: str) -> bool:
    """Does *text*, as Slack sends it, call *user*?"""
    return re.search(rf"<@{re.escape(user)}[|>]", own_words(text)) is not None


def own_words(text: str) -> str:
    """Return *text*, as Slack sends it, without the code in it, and without what somebody else said."""
    return _QUOTED.sub("", spoken(text))


def spoken(text: str) -> str:
    """Return *text*, as Slack sends it, without the code in it."""
    return _CODE.sub("", text)


def plain(text: str, bot_user_id: str, names: Mapping[str, str]) -> str:
    """What a person wrote, as they saw it; *names* has those of mentioned users, channels and groups by id, where known."""
    own = re.search(rf"([*_~]{{0,3}})<@{re.escape(bot_user_id)}(?:\|[^<>]*)?>\1", text)
    if own and not trimmed(text[: own.start()]):
        text = after_name(text[own.end() :])

    code = [hit.span() for hit in _CODE.finditer(text)]

    def as_seen(sent: re.Match[str]) -> str:
        if sent["kind"] and any(start < sent.start() < end for start, end in code):
            return sent[0]  # as it was typed; but addresses are marked there as everywhere
        if sent["kind"] == "@" and sent["target"] == bot_user_id:
            return ""
        space = sent[0][: sent[0].index("<")]
        return space + _spoken(sent["kind"], sent["target"], sent["label"] or "", names)

    said = trimmed(_SENT.sub(as_seen, text))
    return said.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _spoken(kind: str, target: str, label: str, names: Mapping[str, str]) -> str:
    match kind:
        case "@" | "#":
            return kind + names.get(target, label or target)
        case "!":  # <!here>, <!subteam^S1|@team>, <!date^…|what an old client shows>
            word, _, group = target.partition("^")
            if group in names and word == "subteam":
                return "@" + names[group]
            return label or "@" + (group.partition("^")[0] if word == "subteam" else word)
        case _:
            address = re.sub("^(?:mailto|tel):", "", target)
            is_same = label in ("", target, address, re.sub("^https?://", "", target))
            return address if is_same else f"{label} ({address})"
