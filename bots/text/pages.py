"""Cuts a Markdown text into pages, each of them whole Markdown, at places that later text cannot move.

Where a page ends depends only on text up to the first character that has no room on it. While an answer streams, all
pages but the last therefore stay as they are, and messages already posted need no edit.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from markdown_it.token import Token

from bots.text.blocks import is_open, tokens
from bots.text.budget import Budget
from bots.text.continuation import CLOSING, Cut, seam
from bots.text.cut import fitting, whole

# What a line may begin with that isn't a word: cut before it, the page would begin with a quote, a list, a heading.
_MARKS = tuple(">#-+*=~`|:0123456789")
_MOST_TRIED = 20  # columns


@dataclass(frozen=True, slots=True)
class Part:
    """A page. All bodies joined are the text, but for pages of nothing but blank lines, which are left out."""

    opening: str  # what goes on from the page before: list items, a fence, a table's header
    body: str
    closing: str

    @property
    def text(self) -> str:
        body = self.body.removesuffix("\n") if self.closing.startswith("\n") else self.body.rstrip("\n")
        return self.opening + (body if self.opening else body.lstrip("\n")) + self.closing


def split(text: str, budget: Budget, *, streaming: bool = False) -> list[Part]:
    """*text* in pages of at most `budget.limit`; none if there is nothing to show.

    With *streaming*, a last line that may be half a table row waits for its end: shown as it is, it would change what
    stands above it.
    """
    parts: list[Part] = []
    rest = _complete_rows(text) if streaming else text
    opening = ""
    while rest.strip():
        # What is beyond this cannot be on the page, and must not be looked at.
        part, opening = _page(opening, rest[: budget.limit + 1], budget)
        rest = rest[len(part.body) :]
        if part.body.strip():
            parts.append(part)
    return parts


def _complete_rows(text: str) -> str:
    above, newline, last = text.rpartition("\n")
    return above + newline if last and "|" in above.rpartition("\n")[2] else text


@lru_cache(maxsize=512)  # an answer is split anew with each update, and all pages but its last are the same
def _page(opening: str, window: str, budget: Budget) -> tuple[Part, str]:
    """The page that *window* begins with, and the opening of the next one."""
    lines = (opening + window).split("\n")
    room = budget.limit - CLOSING
    costs, header = budget.costs(lines, room)
    if costs[-1] <= room:
        shown = Part(opening, window, "").text.split("\n")
        closing, _ = seam(shown, Cut(len(shown)), tokens("\n".join(shown)))
        return Part(opening, window, closing), ""
    overflow = len(costs) - 1
    head = tokens("\n".join(lines[:overflow]) + "\n")
    first = opening.count("\n")
    cut = _between_lines(lines, costs, head, first, room, in_table=bool(header))
    if cut is None:
        before = costs[overflow - 1] if overflow else 0
        left = room - budget.around_row(header) - before - 1 - budget.block  # the line may begin a block
        held = len(opening) - opening.rfind("\n") - 1 if overflow == first else 0
        cut = Cut(overflow, _fitting(lines[overflow], held, left, budget))
        head = tokens("\n".join((*lines[:overflow], lines[overflow][: cut.column])))
    closing, following = seam(lines, cut, head)
    size = sum(len(line) + 1 for line in lines[: cut.line]) + cut.column - len(opening)
    fits = budget.costs(following.split("\n"), room)[0][-1] * 2 <= room
    return Part(opening, window[:size], closing), following if fits else ""


def _between_lines(
    lines: Sequence[str], costs: Sequence[int], head: Sequence[Token], first: int, room: int, *, in_table: bool
) -> Cut | None:
    """Between blocks if the page is then half full, else inside a block; None if a line must be cut."""
    overflow = len(costs) - 1
    half = room // 2
    every = range(1, overflow + 1)
    # A line with a bar may be the header of a table, and then belongs to the next one.
    plain = [line for line in every if "|" not in lines[line - 1]]
    for candidates in (*_seams(lines, head, overflow), plain, every):
        fitting = [line for line in candidates if first < line <= overflow and costs[line - 1] >= half]
        if fitting:
            return _behind_closing_fence(lines, max(fitting), head)
    return Cut(overflow) if in_table and overflow > first else None


def _seams(lines: Sequence[str], head: Sequence[Token], overflow: int) -> tuple[list[int], list[int]]:
    """Lines before which an outermost block begins, and before which any other block, row or line of code does."""
    outer: list[int] = []
    inner: list[int] = []
    last = ""
    for token in head:
        if token.map is None:
            continue
        start, end = token.map
        if token.level > 0:
            inner.append(start)
        else:
            if last != "heading_open":  # a heading stays with what it is about
                outer.append(start)
            last = token.type
        if token.type == "fence":
            inner.extend(range(start + 2, end + 1 if is_open(token) else end - 1))
        elif token.type == "tr_open":
            inner.append(end)
    if overflow and not lines[overflow - 1].strip() and last not in ("heading_open", "fence"):
        outer.append(overflow)
    return outer, inner


def _behind_closing_fence(lines: Sequence[str], line: int, head: Sequence[Token]) -> Cut:
    """If all that *line* does is to close a fence, this page may have it: it looks the same, and the next one better."""
    for token in head:
        if token.type == "fence" and token.map and token.map[1] == line and is_open(token):
            return Cut(line + 1 if line < len(lines) - 1 and lines[line] == token.markup else line)
    return Cut(line)


def _fitting(line: str, held: int, room: int, budget: Budget) -> int:
    """The column up to which *line* goes into *room*, more than *held*: whole words, if they fill half of it."""
    low = fitting(line, room, budget.weigh, held + 1)
    spaces = (match.end() for match in re.finditer(r"[ \t]", line[:low]))
    words = [space for space in spaces if space > max(held, low // 2)][-_MOST_TRIED:]
    places = [whole(line, column, held) for column in range(low, max(held, low - _MOST_TRIED), -1)]
    tried = words[::-1] or places
    return next((column for column in tried if line[column : column + 1] not in _MARKS), tried[0])
