"""Says what a page must close at its end, and what the next one must open, to go on where the text was cut."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markdown_it.token import Token

from bots.text.blocks import blanked, is_open
from bots.text.inline import open_ticks
from bots.text.tables import begins

CLOSING = 24  # characters at most of what closes a page

_ITEM = re.compile(r"[ \t>]*(?:[-+*]|\d{1,9}[.)])[ \t]+")
_PREFIX = re.compile(r"[ \t>]*")
_FENCE = re.compile(r"(?P<prefix>[^`~]*)(?P<marker>`{3,}|~{3,})[ \t]*(?P<info>[\w+#.-]{0,20})")


@dataclass(frozen=True, slots=True)
class Cut:
    """Before a line, or inside it."""

    line: int
    column: int = 0


def seam(lines: Sequence[str], cut: Cut, head: Sequence[Token]) -> tuple[str, str]:
    """What closes the page that ends at *cut*, and what opens the next; *head* is parsed from the text up to there."""
    fence = _open_fence(lines, cut.line + bool(cut.column), head)
    if fence is not None:
        return _fence_seam(lines[fence], _items(lines, fence + 1, fence, head))
    if cut.line >= len(lines):
        return "", ""
    if cut.column:
        return _line_seam(lines, cut, head)
    return "", _items(lines, cut.line, cut.line, head) + _table_header(lines, cut.line, head)


def _open_fence(lines: Sequence[str], line: int, head: Sequence[Token]) -> int | None:
    """The line on which the fence began that is open before *line*; None if there is none."""
    for token in reversed(head):
        if token.type != "fence" or not token.map or token.map[0] >= line:
            continue
        start, end = token.map
        runs_on = is_open(token) and not any(map(str.strip, lines[end:line]))
        return start if line < end or runs_on else None
    return None


def _fence_seam(line: str, items: str) -> tuple[str, str]:
    """How to close, and to open again, the fence that begins on *line*."""
    fence = _FENCE.match(line)
    if fence is None:
        return "", ""
    again = blanked(fence["prefix"]) + fence["marker"]
    if len(again) >= CLOSING:
        return "", ""  # nobody writes such a fence to be read
    return f"\n{again}", f"{items}{again}{fence['info']}\n"


def _line_seam(lines: Sequence[str], cut: Cut, head: Sequence[Token]) -> tuple[str, str]:
    line = lines[cut.line]
    said = line[: cut.column]
    prefix = _ITEM.match(line) or _PREFIX.match(line)
    if prefix is None or prefix.end() >= cut.column or "|" in said:
        return "", ""
    ticks = open_ticks("\n".join((*_paragraph(lines, cut.line, head), said)))
    return ticks, _items(lines, cut.line, cut.line, head) + prefix[0] + ticks


def _paragraph(lines: Sequence[str], line: int, head: Sequence[Token]) -> Sequence[str]:
    """The lines before *line* that are of one paragraph with it."""
    starts = [
        token.map[0] for token in head if token.type == "paragraph_open" and token.map and token.map[1] == line + 1
    ]
    return lines[starts[-1] : line] if starts else ()


def _items(lines: Sequence[str], line: int, like: int, head: Sequence[Token]) -> str:
    """Every list item that goes on at *line*, by its mark and an ellipsis; *like* is indented as what goes on."""
    own = (_ITEM if line > like else _PREFIX).match(lines[like]) or _PREFIX.match(lines[like])
    marks = (mark for mark in _marks(lines, line, head) if own and len(mark) <= own.end())
    return "".join(f"{mark}…\n" for mark in marks)


def _marks(lines: Sequence[str], line: int, head: Sequence[Token]) -> Iterator[str]:
    for token in head:
        if token.type == "list_item_open" and token.map and token.map[0] < line <= token.map[1]:
            mark = _ITEM.match(lines[token.map[0]])
            if mark:
                yield mark[0]


def _table_header(lines: Sequence[str], line: int, head: Sequence[Token]) -> str:
    """The header of the table of which a row begins at *line*."""
    for token in head:
        if token.type == "table_open" and token.map and token.map[0] + 2 <= line <= token.map[1]:
            header, delimiter = lines[token.map[0] : token.map[0] + 2]
            goes_on = "|" in lines[line] and begins(header, delimiter)
            return f"{_without_mark(header)}\n{delimiter}\n" if goes_on else ""
    return ""


def _without_mark(line: str) -> str:
    item = _ITEM.match(line)
    return blanked(item[0]) + line[item.end() :] if item else line
