"""Finds tables, and lays them out where a platform has none: in columns, or row by row when they are too wide."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

MOST_COLUMNS = 20
LONGEST_HEADER = 240  # characters; a longer one is not repeated, and its table is shown as it was typed

_RECORD = 12  # characters that a cell of a record takes beside its name and itself
_LONGEST_ROW = 2_000  # characters in which code is looked for

Row = tuple[str, ...]

_DELIMITER = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_HALF_DELIMITER = re.compile(r"[\s>|:-]*")
_BAR = re.compile(r"(?<!\\)((?:\\\\)*)\|")
# A bar in code is no end of a cell to who wrote it.
_CODE_OR_BAR = re.compile(r"(?P<run>`+)(?!`)[^\n]*?(?<!`)(?P=run)(?!`)|\\.|(?P<bar>\|)")


@dataclass(frozen=True, slots=True)
class Table:
    typed: str  # its first two lines
    rows: tuple[Row, ...]  # all of as many cells, the header first


def may_be_header(line: str) -> bool:
    """May *line*, with the marks of lists and quotes before it, be the header of a table if a delimiter row follows?"""
    return len(line) <= LONGEST_HEADER and line.lstrip(" \t>*+-.)0123456789").startswith("|")


def may_be_delimiter(line: str) -> bool:
    """Is *line*, which may still grow, all that a delimiter row begins with?"""
    return _HALF_DELIMITER.fullmatch(line) is not None


def found(paragraph: str) -> Iterator[str | Table]:
    """Yield the tables in a paragraph and the text around them: https://github.github.com/gfm/#tables-extension-"""
    lines = paragraph.split("\n")
    line = start = 0
    while "|" in paragraph and line + 1 < len(lines):
        # Below other words, only a bar tells a header from one more line of these.
        may_begin = line == 0 or lines[line].lstrip().startswith("|")
        if not (may_begin and begins(lines[line], lines[line + 1])):
            line += 1
            continue
        end = next((at for at in range(line + 2, len(lines)) if "|" not in lines[at]), len(lines))
        if start < line:
            yield "\n".join(lines[start:line])
        header = _header(lines[line], lines[line + 1])
        rows = [header, *(cells_of(row, len(header)) for row in lines[line + 2 : end])]
        columns = max(map(len, rows))
        yield Table("\n".join(lines[line : line + 2]), tuple((*row, *[""] * (columns - len(row))) for row in rows))
        line = start = end
    if start < len(lines):
        yield "\n".join(lines[start:])


def begins(header: str, delimiter: str) -> bool:
    """Is *header* one, since *delimiter* stands below it?"""
    if (
        len(header) > LONGEST_HEADER
        or "|" not in header
        or "|" not in delimiter
        or not _DELIMITER.fullmatch(delimiter.strip())
    ):
        return False
    cells, columns = len(_header(header, delimiter)), len(cells_of(delimiter, 0))
    # Some models count wrong; with bars at both their beginnings it is meant as a table all the same.
    is_meant = min(cells, columns) > 1 and header.lstrip()[0] == delimiter.lstrip()[0] == "|"
    return columns <= MOST_COLUMNS and (cells == columns or is_meant)


def _header(line: str, delimiter: str) -> Row:
    return cells_of(line, len(cells_of(delimiter, 0)))


def cells_of(line: str, columns: int) -> Row:
    """The cells of a row. If there are more than *columns*, bars in code are taken for code, as they were meant."""
    line = line.strip()
    cells = _split(line, _BAR)
    if columns < len(cells) and columns and len(line) <= _LONGEST_ROW:
        cells = _split(line, _CODE_OR_BAR)
    if len(cells) > MOST_COLUMNS:
        cells = (*cells[: MOST_COLUMNS - 1], " | ".join(cells[MOST_COLUMNS - 1 :]))
    return cells


def _split(line: str, bar: re.Pattern[str]) -> Row:
    cells, start = [], 0
    if bar is _BAR and "\\" not in line:
        cells = line.split("|")
    else:
        for hit in bar.finditer(line):
            if hit[0].endswith("|") and (bar is _BAR or hit["bar"]):
                cells.append(line[start : hit.end() - 1])
                start = hit.end()
        cells.append(line[start:])
    if not cells[0].strip():
        del cells[0]
    if cells and not cells[-1].strip():
        del cells[-1]
    return tuple(cell.strip().replace("\\|", "|") for cell in cells)


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


@dataclass(frozen=True, slots=True)
class Layout:
    """How a platform that has no tables shows one."""

    widest: int  # characters of a line of columns
    bare: Callable[[str], str]  # a cell's Markdown as it reads in code
    size: Callable[[str], int]  # what text counts
    frame: int  # what a code block counts beside what is in it

    def sizes(self, rows: Sequence[Row], before: Sequence[int]) -> Iterator[int]:
        """What the table takes up to each row; never less than up to the one before, however it is laid out."""
        columns = [*before] or [0] * len(rows[0])
        names = sum(_RECORD + self.size(name) for name in rows[0])
        last = wide = records = most = 0
        may_be_code = True
        for number, row in enumerate(rows, 2):
            cells = [*map(self.bare, row)]
            widths = [*map(width, cells)]
            columns = [*map(max, columns, widths)]
            last += widths[-1]
            wide += max(0, sum(map(self.size, cells)) - sum(widths))
            records += names + sum(map(self.size, row))
            may_be_code = may_be_code and not any("```" in cell for cell in cells)
            in_columns = (sum(columns[:-1]) + 3 * len(columns) - 2) * number + columns[-1] + last + wide + self.frame
            most = max(most, in_columns if may_be_code and self._fit(columns) else records)
            yield most

    def columns(self, rows: Sequence[Row], before: Sequence[int]) -> tuple[int, ...]:
        """How wide each column is, and no narrower than on the page before."""
        bare = [[width(self.bare(cell)) for cell in row] for row in rows]
        return tuple(map(max, zip(*bare, *([before] if before else []), strict=True)))

    def aligned(self, rows: Sequence[Row], before: Sequence[int]) -> str | None:
        """The rows in columns, a line under the header; None if that is too wide, or would end a code block."""
        columns = self.columns(rows, before)
        if not self._fit(columns):
            return None
        lines = [_line([self.bare(cell) for cell in row], columns) for row in rows]
        text = "\n".join((lines[0], "-+-".join("-" * column for column in columns), *lines[1:]))
        return None if "```" in text else text

    def _fit(self, columns: Sequence[int]) -> bool:
        return sum(columns) + 3 * (len(columns) - 1) <= self.widest


def _line(row: Sequence[str], columns: Sequence[int]) -> str:
    padded = (cell + " " * (column - width(cell)) for cell, column in zip(row, columns, strict=True))
    return " | ".join(padded).rstrip()


def records(rows: Sequence[Row]) -> Iterator[Iterator[tuple[str, str]]]:
    """Yield each row as pairs of a column's name and what stands in it, without empty cells; a header alone by itself.

    The name of a column in which nothing stands is in the first, since it is said as well.
    """
    header, *body = rows
    unused = {number for number, column in enumerate(zip(*body, strict=True)) if not any(column)}
    for row in body or [header]:
        named = enumerate(zip(header, row, strict=True))
        shown = [(name if body else "", cell) for number, (name, cell) in named if cell or (name and number in unused)]
        yield iter(shown)
        unused = set()
