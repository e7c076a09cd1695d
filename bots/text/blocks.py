"""Finds the blocks of a Markdown text and the lines that they take."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from bots.text.tables import begins

# Only blocks are asked for: what is inside a line is looked at by `inline`, which must know each platform's ways.
# Reference definitions stay text, since no platform is to follow them.
_MARKDOWN = MarkdownIt("commonmark").enable("table").disable("reference")
_MARKDOWN.core.ruler.enableOnly(["block"])

# A platform that makes blocks of Markdown shows no HTML: what stands in it is Markdown again.
_WITHOUT_HTML = MarkdownIt("commonmark", {"html": False}).enable("table").disable("reference")
_WITHOUT_HTML.core.ruler.enableOnly(["block"])

_MARKER = re.compile(r"[-+*]|\d{1,9}[.)]")


class Kind(StrEnum):
    TEXT = "text"  # paragraphs with their list and quote marks, blank lines, and whatever has no kind of its own
    HEADING = "heading"
    RULE = "rule"
    CODE = "code"  # fenced
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Block:
    """A leaf of the text: lines *start* to *end* (not included)."""

    kind: Kind
    start: int
    end: int
    quoted: bool = False
    nested: bool = False  # in a list or a quote
    content: str = ""  # of a heading or of code
    info: str = ""  # the language of code
    level: int = 0  # of a heading
    rows: tuple[tuple[str, ...], ...] = ()  # of a table, the header first


@lru_cache(maxsize=16)  # the last page is read twice, to cut it and to render it
def tokens(text: str) -> tuple[Token, ...]:
    return tuple(_MARKDOWN.parse(text))


def blocks(text: str) -> list[Block]:
    """The leaf blocks of *text*, in order; together they cover every line."""
    found: list[Block] = []
    parsed = tokens(text)
    lines = text.split("\n")
    line = quotes = 0
    for index, token in enumerate(parsed):
        quotes += {"blockquote_open": 1, "blockquote_close": -1}.get(token.type, 0)
        leaf = _leaf(parsed, index, lines, quoted=quotes > 0)
        if leaf is None or leaf.start < line:
            continue
        if line < leaf.start:
            found.append(Block(Kind.TEXT, line, leaf.start, quoted=quotes > 0))
        found.append(leaf)
        line = leaf.end
    if line < len(lines):
        found.append(Block(Kind.TEXT, line, len(lines)))
    return found


def rendered(lines: Sequence[str]) -> list[int]:
    """For each line, how many blocks begin on it when each heading, fence, table, rule and run of text becomes one.

    No line that is added below changes this: what only a later line makes a heading or a table counts there.
    """
    found = [0] * len(lines)
    is_run = False
    for token in _WITHOUT_HTML.parse("\n".join(lines)):
        if token.map is None:
            continue
        start, end = token.map
        match token.type:
            case "heading_open" if token.markup in ("=", "-"):
                found[start] += not is_run
                found[end - 1] += 1
            case "table_open":
                found[start] += not is_run
                found[start + 1] += 1
            case "heading_open" | "fence" | "code_block" | "hr":
                found[start] += 1
            case "paragraph_open":
                found[start] += not is_run
        if token.type in ("heading_open", "table_open", "fence", "code_block", "hr"):
            is_run = False
        elif token.type == "paragraph_open":
            is_run = True
    return found


def _leaf(parsed: Sequence[Token], index: int, lines: Sequence[str], *, quoted: bool) -> Block | None:
    token = parsed[index]
    if token.map is None:
        return None
    start, end = token.map
    leaf = Block(Kind.TEXT, start, end, quoted, nested=token.level > 0)
    match token.type:
        case "heading_open":
            leaf = replace(leaf, kind=Kind.HEADING, content=parsed[index + 1].content, level=int(token.tag[1]))
        case "hr":
            leaf = replace(leaf, kind=Kind.RULE)
        case "fence":
            leaf = replace(leaf, kind=Kind.CODE, content=token.content, info=token.info)
        case "table_open" if begins(lines[start], lines[start + 1]):
            rows, end = _rows(parsed, index, lines)
            leaf = replace(leaf, kind=Kind.TABLE, end=end, rows=rows)
        case "paragraph_open" | "code_block" | "html_block" | "table_open":
            pass
        case _:
            return None
    return leaf


def _rows(parsed: Sequence[Token], index: int, lines: Sequence[str]) -> tuple[tuple[tuple[str, ...], ...], int]:
    """The cells of a table, and the line on which it ends: where a row has no bar, it is text to us."""
    rows: list[list[str]] = []
    end = (parsed[index].map or [0])[0] + 2
    for token in parsed[index + 1 :]:
        if token.type == "table_close":
            break
        if token.type == "tr_open" and token.map:
            if "|" not in lines[token.map[0]]:
                break
            rows.append([])
            end = max(end, token.map[1])
        elif token.type == "inline":
            rows[-1].append(token.content)
    return tuple(map(tuple, rows)), end


def is_open(fence: Token) -> bool:
    """Whether the text, or the list or quote around it, ended before this fence did: no line of its own closes it."""
    start, end = fence.map or (0, 0)
    content = fence.content
    return content.count("\n") + bool(content and not content.endswith("\n")) != end - start - 2


def blanked(prefix: str) -> str:
    """*prefix* with its list markers turned to spaces, so that it goes on with an item instead of starting one."""
    return _MARKER.sub(lambda marker: " " * len(marker[0]), prefix)
