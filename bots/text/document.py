"""Reads a Markdown text as a flat document: leaf blocks in order, each of which knows in what lists and quotes it lies."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from markdown_it.token import Token

from bots.text import blocks, tables

_AT_ONCE = 8_000  # characters
_LONGEST_TITLE = 120  # characters of a line that a line below it makes a heading
_TASKS = {"[ ] ": "☐ ", "[x] ": "☑ ", "[X] ": "☑ "}
_MARKS = re.compile(r"(?:[ \t]*(?:[>*+-]|\d{1,9}[.)]))*[ \t]*")
# A last line of which nobody knows yet what it will be: marks and no word, the first line of a fence.
_HALF_SAID = re.compile(r"[\s>]*(?:[-+*_=~`#|:.)\d\s>]*|(?:[-+*]\s+|\d{1,9}[.)]\s+)*(?:`{3}[^`]*|~{3}.*))")


class Kind(StrEnum):
    TEXT = "text"
    HEADING = "heading"
    RULE = "rule"
    CODE = "code"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A block that has no other blocks in it."""

    kind: Kind
    content: str = ""  # Markdown of text and headings; code as it is; the lines that a table began with
    info: str = ""  # the language of code
    level: int = 0  # of a heading
    rows: tuple[tables.Row, ...] = ()  # of a table: Markdown, the header first
    widths: tuple[int, ...] = ()  # of a table's columns on the page before
    items: tuple[int | None, ...] = ()  # the list items that it lies in, outermost first: numbers, None for bullets
    begins: int = 0  # how many of these, the innermost ones, begin with it
    quoted: bool = False
    goes_on: bool = False  # in the quote of the leaf before
    gap: bool = False  # there is a blank line before it


def document(text: str, at_once: int = _AT_ONCE) -> Iterator[Leaf]:
    """Yield the leaves of *text*. What is added to it later changes no more than the last outermost block.

    So many characters are read *at_once*, and no more than somebody wants to see.
    """
    start, size, number = 0, at_once, None
    while start < len(text):
        window = text[start : start + size]
        is_rest = start + size >= len(text)
        if not is_rest:
            window = window[: window.rfind("\n") + 1]
        leaves, last, consumed, next_number = _read(window, number)
        if is_rest:
            yield from leaves
            break
        # The last block may go on; what is before it is closed for good.
        yield from leaves[:last]
        start, size, number = start + consumed, at_once if consumed else size * 2, next_number


def complete(text: str) -> str:
    """*text*, which is still coming, without an end that may turn out to be something else than it looks."""
    end = text.rfind("\n") + 1
    line, previous = text[end:], text[text.rfind("\n", 0, max(end - 1, 0)) + 1 : max(end - 1, 0)]
    is_row = bool(line) and "|" in previous
    is_half_said = len(line) <= _LONGEST_TITLE and _HALF_SAID.fullmatch(line)
    if not (is_row or tables.may_be_header(line) or is_half_said):
        return text
    while end and tables.may_be_delimiter(line):
        start = text.rfind("\n", 0, end - 1) + 1
        line = text[start : end - 1]
        if not tables.may_be_header(line):
            break
        end = start
    return text[:end]


@lru_cache(maxsize=256)  # an answer is read again with each update, and only its last window is new
def _read(window: str, number: int | None) -> tuple[tuple[Leaf, ...], int, int, int | None]:
    """Read *window*, which may begin inside of a list, with the item that has this *number*.

    Return the leaves, how many of them are before the last outermost block or item, how many characters these take,
    and the number of that item.
    """
    lines = window.split("\n")
    reader = _Reader(lines, number)
    last = line = 0
    for token in blocks.parsed(window):
        is_item = token.type == "list_item_open" and token.level == 1
        if token.map and (token.level == 0 or is_item):
            last, line = len(reader.leaves), token.map[0]
            number = reader.next_number if is_item else number if not line else None
        reader.take(token)
    if line and not lines[line - 1].strip(" \t"):
        line -= 1
    return tuple(reader.leaves), last, sum(len(each) + 1 for each in lines[:line]), number


class _Reader:
    """Walks over the tokens of a text."""

    def __init__(self, lines: Sequence[str], number: int | None) -> None:
        self.leaves: list[Leaf] = []
        self._lines = lines
        self._number = number  # of the item that the first line begins, None if it is the first of its list
        self._items: list[int | None] = []
        self._begun = 0  # how many of these had a leaf
        self._next: list[int | None] = []  # the number of the next item, of each list that is open
        self._quotes = 0
        self._goes_on = False
        self._opened: list[tuple[Token, int]] = []  # containers, and how many leaves there were before
        self._leaf: Leaf | None = None  # a heading or paragraph whose words come next

    @property
    def next_number(self) -> int | None:
        return self._next[-1] if self._next else None

    def take(self, token: Token) -> None:
        if token.type in ("blockquote_open", "list_item_open"):
            self._opened.append((token, len(self.leaves)))
        match token.type:
            case "blockquote_open":
                self._goes_on = self._goes_on and self._quotes > 0
                self._quotes += 1
            case "bullet_list_open" | "ordered_list_open":
                start = int(token.attrs.get("start", 1)) if token.type[0] == "o" else None
                number, self._number = self._number, None
                goes_on = number is not None and start is not None and not self.leaves and not token.level
                self._next.append(number if goes_on else start)
            case "bullet_list_close" | "ordered_list_close":
                self._next.pop()
            case "list_item_open":
                number = self._next[-1]
                self._items.append(number)
                self._next[-1] = None if number is None else number + 1
            case "list_item_close" | "blockquote_close":
                self._close(token)
            case _:
                self._take_leaf(token)

    def _take_leaf(self, token: Token) -> None:
        start = token.map[0] if token.map else 0
        match token.type:
            case "heading_open":
                self._leaf = self._at(start, Leaf(Kind.HEADING, info=token.markup, level=int(token.tag[1])))
            case "paragraph_open":
                self._leaf = self._at(start, Leaf(Kind.TEXT))
            case "inline" if self._leaf:
                for leaf in _worded(self._leaf, token.content):
                    self._add(leaf)
            case "hr":
                self._add(self._at(start, Leaf(Kind.RULE)))
            case "fence" | "code_block":
                self._add(self._at(start, Leaf(Kind.CODE, token.content.removesuffix("\n"), info=token.info.strip())))

    def _at(self, line: int, leaf: Leaf) -> Leaf:
        gap = line > 0 and not self._lines[line - 1].strip(" \t>")
        items, begins = tuple(self._items), len(self._items) - self._begun
        place = (items, begins, self._quotes > 0, self._goes_on, gap)
        return Leaf(leaf.kind, leaf.content, leaf.info, leaf.level, (), (), *place)

    def _add(self, leaf: Leaf) -> None:
        self.leaves.append(leaf)
        self._begun = len(self._items)
        self._goes_on = self._quotes > 0

    def _close(self, token: Token) -> None:
        opened, before = self._opened.pop()
        if len(self.leaves) == before and opened.map:
            # Nothing in it; or so deep in others that nobody looked.
            first, last = opened.map
            said = _MARKS.sub("", "\n".join(self._lines[first:last]), count=1).strip()
            if said and not _MARKS.fullmatch(said):
                self._add(self._at(first, Leaf(Kind.TEXT, said)))
        if token.type == "list_item_close":
            self._items.pop()
            self._begun = min(self._begun, len(self._items))
        else:
            self._quotes -= 1
            self._goes_on = self._goes_on and self._quotes > 0


def _worded(leaf: Leaf, content: str) -> Iterator[Leaf]:
    """The leaves that a heading or a paragraph with these words is."""
    if leaf.kind is Kind.HEADING:
        is_underlined = leaf.info in ("=", "-")
        if is_underlined and ("\n" in content or len(content) > _LONGEST_TITLE):
            # Who writes "---" below several lines means a rule.
            yield from _worded(replace(leaf, kind=Kind.TEXT, info="", level=0), content)
            if leaf.info == "-":
                yield replace(leaf, kind=Kind.RULE, info="", level=0, begins=0, gap=False, goes_on=leaf.quoted)
        else:
            yield replace(leaf, content=content, info="")
        return
    if leaf.begins and (content + " ")[:4] in _TASKS:
        content = _TASKS[(content + " ")[:4]] + content[4:]
    if "|" not in content:
        yield replace(leaf, content=content)
        return
    for part in tables.found(content):
        if isinstance(part, str):
            yield replace(leaf, content=part)
        else:
            yield replace(leaf, kind=Kind.TABLE, content=part.typed, rows=part.rows)
        leaf = replace(leaf, begins=0, gap=False, goes_on=leaf.quoted)
