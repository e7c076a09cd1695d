"""Reads what others have laid out in Slack's blocks as plain text for a model. Pure; what can't be read is left out.

https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bots.slack.written import plain, written
from core.words import is_blank

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bots.slack.names import Names

_DEEPEST = 6  # cell, list, section, words
_MOST_ROWS = 100  # of a table, as many as Slack shows
_MOST_COLUMNS = 20


def elements_in(blocks: object) -> list[Mapping[str, Any]]:
    """Return what of *blocks* is an object at all."""
    return [one for one in blocks if isinstance(one, dict)] if isinstance(blocks, list) else []


def text_of(blocks: object, names: Names) -> str:
    """Return what is to be read in *blocks*, one below the other."""
    texts = (_text(block, names, _DEEPEST) for block in elements_in(blocks))
    return "\n\n".join(text for text in texts if not is_blank(text))


def tables_of(blocks: object, names: Names) -> str:
    """Return what is to be read in the tables among *blocks*."""
    return text_of([block for block in elements_in(blocks) if isinstance(block.get("rows"), list)], names)


def _text(block: Mapping[str, Any], names: Names, depth: int) -> str:
    if not depth:
        return ""
    if isinstance(rows := block.get("rows"), list):
        return "\n".join(_row(row, names, depth) for row in rows[:_MOST_ROWS] if isinstance(row, list))
    if read := _READ.get(str(block.get("type"))):
        return read(block, names, depth)
    # Sections, headers, contexts and whatever else has text, fields or elements.
    inner = [block["text"]] if isinstance(block.get("text"), dict) else []
    inner += [one for name in ("fields", "elements") for one in elements_in(block.get(name))]
    own = block.get("text") if isinstance(block.get("text"), str) else ""
    texts = [str(own), *(_text(one, names, depth - 1) for one in inner)]
    return "\n".join(text for text in texts if not is_blank(text))


def _row(row: list[Any], names: Names, depth: int) -> str:
    """https://docs.slack.dev/reference/block-kit/blocks/table-block"""
    cells = [_text(cell, names, depth - 1) for cell in elements_in(row[:_MOST_COLUMNS])]
    return " | ".join(" ".join(cell.split()) for cell in cells)


def _rich(block: Mapping[str, Any], names: Names, depth: int) -> str:
    del depth
    return written({"blocks": [block]}, "", names.words)


def _own(name: str) -> Callable[[Mapping[str, Any], Names, int], str]:
    def read(element: Mapping[str, Any], names: Names, depth: int) -> str:
        del names, depth
        return value if isinstance(value := element.get(name), str) else ""

    return read


def _mrkdwn(text: Mapping[str, Any], names: Names, depth: int) -> str:
    del depth
    return plain(text["text"], "", names.words) if isinstance(text.get("text"), str) else ""


_READ: dict[str, Callable[[Mapping[str, Any], Names, int], str]] = {
    "rich_text": _rich,
    "raw_text": _own("text"),
    "raw_number": _own("text"),
    "plain_text": _own("text"),
    "markdown": _own("text"),
    "mrkdwn": _mrkdwn,
}


def own_texts(attachment: Mapping[str, Any], names: Names) -> Iterator[str]:
    """Yield what is to be read in an *attachment* of an app's own: https://docs.slack.dev/reference/messaging/attachments"""
    for name in ("pretext", "author_name", "title", "text"):
        if isinstance(text := attachment.get(name), str):
            yield plain(text, "", names.words)
    for entry in elements_in(attachment.get("fields")):
        title, value = entry.get("title"), entry.get("value")
        yield f"{title}: {plain(value, '', names.words)}" if isinstance(value, str) else ""
    yield text_of(attachment.get("blocks"), names)
    if isinstance(footer := attachment.get("footer"), str):
        yield plain(footer, "", names.words)
