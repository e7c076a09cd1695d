"""Puts the leaves of a document on pages, each as full as it can be, at places that later text cannot move.

What a leaf takes never gets less when it grows, and where a page ends depends only on text up to the first character
that has no room on it. While an answer streams, all pages but the last therefore stay as they are, and messages already
posted need no edit.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import takewhile
from typing import Protocol

from bots.text.cut import fitting, whole
from bots.text.document import Kind, Leaf, complete, document
from bots.text.inline import closed, open_ticks
from bots.text.tables import LONGEST_HEADER, records

Page = tuple[Leaf, ...]

# A page ends between two outermost blocks if it is then so full; else between any two, or inside of the last one. Less,
# and long answers come in more messages, each of which takes its time where a platform limits them.
_FULL = 0.9
_MOST_TRIED = 20  # columns
_TICKS = 6  # characters that close code at a page's end and open it again
_SENTENCE = re.compile(r"[.!?…]\s|[。！？]")
# A link of which the address is not over, and which would be shorter once it is.
_HALF_LINK = re.compile(
    r"(?<!\\)!?\[(?:[^\[\]`\n]|`[^`\n]*+`){0,200}+"
    r"(?:\](?:\((?:[^\s()]|\([^\s()]*+\)?+){0,600}+(?:\s\"[^\"\n]{0,200}+\"?+)?+)?+)?+\Z"
)
_BEGUN_BOLD = re.compile(r"(?<![*\w\\])\*\*(?=[^\s*])[^*`\n]++\*?\Z")
# What the next signs may make something else of, at the very end: marks that open, an escape, a tag, a reference, a formula, and an
# address, which would lead elsewhere until the rest of it is there.
_ADDRESS = r"[^\s<>\[\]`\"\\|\u3000-\u303f\uff00-\uffef“”‘’]"
_UNSETTLED = re.compile(
    r"(?:(?:(?<=\s)|^)[*_~$]{1,3}|(?<!\\)(?:\\\\)*\\|</?[A-Za-z]{0,10}|&#?[A-Za-z0-9]{0,31}"
    r"|(?<!\\)\\[(\[][^\n`\\]{0,600}(?:\\[^\n`)\]][^\n`\\]{0,600}){0,50}\\?"
    rf"|<https?:[^\s<>|`]{{0,600}}(?:\|[^<>\n`]{{0,200}})?|(?<![!#-&+-;=?-^a-}}])(?<!\]\()https?(?::{_ADDRESS}{{0,600}})?)\Z",
    re.IGNORECASE,
)
# What a page may begin with that isn't a word: it would begin a quote, a list, a heading.
_MARKS = tuple(">#-+*=~`|:0123456789")


class Format(Protocol):
    """What a platform makes of leaves, as far as the room that it takes is concerned."""

    @property
    def limit(self) -> int:
        """Room of a page, in a unit of the platform's."""

    def size(self, leaf: Leaf, page: Sequence[Leaf]) -> int:
        """Return the most that *leaf* takes below *page*; at least its characters, and never less when it grows.

        Of a table, it is no more than what its header does.
        """

    def rows(self, leaf: Leaf, page: Sequence[Leaf]) -> Iterator[int]:
        """Yield what the table takes up to each row; never less than before. It ends with the last row a page can have."""

    def widths(self, leaf: Leaf) -> tuple[int, ...]:
        """Return how wide the columns of a table are, for the page on which it goes on."""


def paged(text: str, paper: Format, *, streaming: bool) -> Iterator[Page]:
    """*text* on pages; while it is *streaming*, without what may turn out to be something else, and its code closed."""
    leaves = document(complete(text)) if streaming else map(partial(_settled, paper=paper), document(text))
    pages = split(leaves, paper)
    last = next(pages, None)
    for page in pages:
        if last:
            yield last
        last = page
    if last and streaming and last[-1].kind in (Kind.TEXT, Kind.HEADING):
        last = (*last[:-1], replace(last[-1], content=_so_far(last[-1].content)))
    if last:
        yield last


def _settled(leaf: Leaf, paper: Format) -> Leaf:
    """*leaf*, to be cut or not, without signs that would be read as code's up to there, and are none in the whole."""
    is_words = leaf.kind in (Kind.TEXT, Kind.HEADING)
    if is_words and "`" in leaf.content and paper.size(leaf, ()) > paper.limit and open_ticks(leaf.content):
        return replace(leaf, content=closed(leaf.content))
    return leaf


def _so_far(words: str) -> str:
    """*words*, which are still coming, without marks that would be read as signs until the rest of them is there."""
    if open_ticks(words):
        words = words.rstrip("`")
        return words + open_ticks(words)
    words = _UNSETTLED.sub("", _HALF_LINK.sub("", words))
    return f"{words.rstrip(' *')}**" if words.count("**") % 2 and _BEGUN_BOLD.search(words) else words


def split(leaves: Iterable[Leaf], paper: Format) -> Iterator[Page]:
    """*leaves* on pages of at most the limit; no page if there are none."""
    to_come = iter(leaves)
    rest: deque[Leaf] = deque()  # of which something was on a page, or had no room there
    page: list[Leaf] = []
    used = [0]  # up to each leaf of the page
    while leaf := rest.popleft() if rest else next(to_come, None):
        room = paper.limit - used[-1]
        size = _size(leaf, room, page, paper)
        if size <= room:
            used.append(used[-1] + size)
            page.append(leaf)
            continue
        head, tail = _cut(leaf, room, page, paper)
        end = _end([*page, leaf], used, paper.limit, can_cut=head is not None)
        if head is not None and end is None:
            yield (*page, head)
            rest.extendleft([tail] if tail else [])
        elif page:
            end = end or len(page)
            rest.extendleft((leaf, *reversed(page[end:])))
            yield tuple(page[:end])
        else:
            rest.extendleft(reversed(_as_text(leaf)))
        page, used = [], [0]
    if page:
        yield tuple(page)


def _size(leaf: Leaf, room: int, page: Sequence[Leaf], paper: Format) -> int:
    """What *leaf* takes, or anything more than *room*."""
    if leaf.kind is not Kind.TABLE:
        return paper.size(leaf, page)
    count = size = 0
    for size in paper.rows(leaf, page):
        count += 1
        if size > room:
            break
    return size if count == len(leaf.rows) else room + 1


def _end(page: Sequence[Leaf], used: Sequence[int], limit: int, *, can_cut: bool) -> int | None:
    """How many leaves stay, as the last of *page* has no room whole; None if it would better be cut."""
    # A heading stays with what it is about.
    ends = [at for at in range(1, len(page)) if page[at - 1].kind is not Kind.HEADING]
    outermost = [at for at in ends if used[at] >= limit * _FULL and not page[at].items and not page[at].goes_on]
    if outermost or not ends:
        return outermost[-1] if outermost else None
    return ends[-1] if used[-1] >= limit * _FULL or not can_cut else None


def _cut(leaf: Leaf, room: int, page: Sequence[Leaf], paper: Format) -> tuple[Leaf | None, Leaf | None]:
    """What of *leaf* goes into *room*, where not all of it does, and what doesn't; no head if that isn't worth it."""
    match leaf.kind:
        case Kind.TABLE:
            return _rows_cut(leaf, room, page, paper)
        case Kind.CODE:
            return _lines_cut(leaf, room, page, paper)
        case Kind.TEXT if not page or len(leaf.content) > LONGEST_HEADER:
            return _words_cut(leaf, room - _TICKS, page, paper)
    return None, leaf


def _rows_cut(leaf: Leaf, room: int, page: Sequence[Leaf], paper: Format) -> tuple[Leaf | None, Leaf | None]:
    header = leaf.rows[0]
    fits = sum(1 for _ in takewhile(lambda size: size <= room, paper.rows(leaf, page)))
    if fits <= 1:  # no more than the header
        return None, leaf
    head = replace(leaf, rows=leaf.rows[:fits])
    tail = _continued(replace(leaf, rows=(header, *leaf.rows[fits:])))
    return head, replace(tail, widths=paper.widths(head))


def _lines_cut(leaf: Leaf, room: int, page: Sequence[Leaf], paper: Format) -> tuple[Leaf | None, Leaf | None]:
    def size(content: str) -> int:
        return paper.size(replace(leaf, content=content), page)

    content = leaf.content
    if size("") > room:
        return None, leaf
    column = fitting(content, room, size)
    if content[column : column + 1] != "\n":
        column = content.rfind("\n", 0, column) + 1 or (whole(content, column) if not page else 0)
    if not column:
        return None, leaf
    head = replace(leaf, content=content[:column].removesuffix("\n"))
    tail = content[column:] if content[column - 1] == "\n" else content[column:].removeprefix("\n")
    return head, _continued(replace(leaf, content=tail)) if tail else None


def _words_cut(leaf: Leaf, room: int, page: Sequence[Leaf], paper: Format) -> tuple[Leaf | None, Leaf | None]:
    content = leaf.content
    if paper.size(replace(leaf, content=""), page) > room:
        return None, leaf
    low = fitting(content, room, lambda words: paper.size(replace(leaf, content=words), page))
    held = len(leaf.info) + 1  # a page must have more than the ticks that it goes on with
    if low <= held:
        return (None, leaf) if page else _cut_at(leaf, held)
    return _cut_at(leaf, _column(content, low, held))


def _cut_at(leaf: Leaf, column: int) -> tuple[Leaf | None, Leaf | None]:
    said, rest = leaf.content[:column].rstrip(), leaf.content[column:].lstrip()
    ticks = open_ticks(said)
    head = replace(leaf, content=said + ticks)
    return head, _continued(replace(leaf, content=ticks + rest, info=ticks)) if rest else None


def _column(content: str, low: int, held: int) -> int:
    """Where to cut: behind a line or a sentence if that is not much less than *low*, else a word, else a sign."""
    line = content.rfind("\n", held, low) + 1
    if low - line <= LONGEST_HEADER and "|" in content[line:low] and line > held:
        return line  # it may be the header of a table
    sentences = [match.end() for match in _SENTENCE.finditer(content, held, low)]
    for place in (line, max(sentences, default=0)):
        if place > max(held, low * _FULL):
            return place
    spaces = (match.end() for match in re.finditer(r"[ \t\n]", content[:low]))
    words = [space for space in spaces if space > max(held, low // 2)][-_MOST_TRIED:]
    places = [whole(content, column, held) for column in range(low, max(held, low - _MOST_TRIED), -1)]
    tried = words[::-1] or places
    return next((column for column in tried if content[column : column + 1] not in _MARKS), tried[0])


def _continued(leaf: Leaf) -> Leaf:
    return replace(leaf, begins=0, gap=False, goes_on=leaf.quoted)


def _as_text(leaf: Leaf) -> list[Leaf]:
    """What *leaf* becomes of which not even a piece goes on a page of its own: text can be cut anywhere."""
    text = replace(leaf, kind=Kind.TEXT, items=(), begins=0, rows=(), widths=(), info="")
    if leaf.kind is not Kind.TABLE:
        return [text]
    row = "\n".join(": ".join(filter(None, pair)) for pair in next(records(leaf.rows)))
    rest = replace(_continued(leaf), rows=(leaf.rows[0], *leaf.rows[2:]))
    return [replace(text, content=row), *([rest] if len(rest.rows) > 1 else [])]
