"""Lays a table out where a platform has none: as aligned columns, or row by row when it is too wide."""

import re
import unicodedata
from collections.abc import Sequence

MOST_COLUMNS = 20
LONGEST_HEADER = 240  # characters; a longer one is not repeated, and its table is shown as it was typed

Row = tuple[str, ...]

_DELIMITER = re.compile(r"[ \t>]*(?:[-+*][ \t]+)?\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")


def begins(header: str, delimiter: str) -> bool:
    """Whether these two lines begin a table that can be laid out."""
    is_small = len(header) <= LONGEST_HEADER and header.count("|") <= MOST_COLUMNS
    return is_small and "|" in header and "|" in delimiter and _DELIMITER.fullmatch(delimiter) is not None


def width(text: str) -> int:
    """Columns that *text* takes in a fixed-width font."""
    if text.isascii():
        return len(text)
    columns = 0
    joined = False  # what follows a joiner is drawn into the same sign
    for each in text:
        if not joined:
            columns += _columns(each)
        joined = each == "\u200d"
    return columns


def _columns(each: str) -> int:
    if unicodedata.category(each) in ("Mn", "Me", "Cf") or "\U0001f3fb" <= each <= "\U0001f3ff":
        return 0
    return 2 if unicodedata.east_asian_width(each) in "WF" else 1


def bare(cell: str) -> str:
    """A cell's text as it reads inside code, where Markdown does not act."""
    text = re.sub(r"<br\s*/?>", " ", cell)
    text = re.sub(r"!?\[([^\[\]]*)\]\(([^()\s]*)\)", r"\1 (\2)", text)
    return re.sub(r"\*\*|~~|`", "", text).strip()


def aligned(rows: Sequence[Row], widest: int) -> str | None:
    """The rows in columns, a line under the header; None if that is wider than *widest*."""
    cells = [[bare(cell) for cell in row] for row in rows]
    columns = [max(map(width, column)) for column in zip(*cells, strict=True)]
    if sum(columns) + 3 * (len(columns) - 1) > widest:
        return None
    lines = [_line(row, columns) for row in cells]
    return "\n".join((lines[0], "-+-".join("-" * column for column in columns), *lines[1:]))


def _line(row: list[str], columns: list[int]) -> str:
    padded = (cell + " " * (column - width(cell)) for cell, column in zip(row, columns, strict=True))
    return " | ".join(padded).rstrip()


def records(rows: Sequence[Row]) -> str:
    """One small paragraph a row, one line a cell: `**name**: value`."""
    header, *body = rows
    if not body:
        return " | ".join(header)
    return "\n\n".join(_record(header, row) for row in body)


def _record(header: Row, row: Row) -> str:
    named = ((name.replace("*", "").strip(), value) for name, value in zip(header, row, strict=True) if value)
    return "\n".join(f"**{name}**: {value}" if name else value for name, value in named)
