"""Turns a model's Markdown into what Slack shows; the other way leads through `written`.

Slack is sent typed blocks rather than Markdown: nothing in them is read once more, so that no words can call anybody,
lead elsewhere than they say, or end code. https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import groupby, islice
from typing import Any

from bots.slack import limits
from bots.text.document import Kind, Leaf
from bots.text.inline import Span, bare, spans, words_of
from bots.text.pages import Page, paged
from bots.text.reasoning import visible
from bots.text.tables import Layout, records

Block = dict[str, Any]

_TABLES = Layout(widest=80, bare=bare, size=limits.weight, frame=2)
_DEEPEST_LIST = 8
_LOOKS = ("bold", "italic", "strike", "code")
# Slack can't make rich text of a message that became something else (`block_mismatch` of
# https://docs.slack.dev/reference/methods/chat.update#errors), so that each has some.
_NO_WORDS: Block = {
    "type": "rich_text",
    "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": " "}]}],
}


def pages(answer: str, *, streaming: bool = False, are_streams: bool = False, most: int | None = None) -> list[str]:
    """The answer, or as much of it as has come (*streaming*), in messages; none if there is nothing to show yet.

    Of more than *most* only these are made. Each is JSON: the blocks of the message. With *are_streams* each has room in
    one of Slack's streams.
    """
    paper = StreamPaper() if are_streams else Paper()
    found = paged(visible(answer, streaming=streaming), paper, streaming=streaming)
    return [*islice(filter(None, map(_page, found)), most)]


def joined(*pages: str | None) -> list[Block]:
    """The blocks of *pages* in one message: one below the other."""
    return [block for page in pages if page for block in json.loads(page)]


def words(blocks: Sequence[Block]) -> str:
    """What stands in *blocks*, for those who don't see them: notifications and screen readers."""
    return "\n".join(filter(None, map(_words, blocks)))


class Paper:
    """Room in a Slack message, in characters as they weigh in blocks."""

    limit = limits.PAGE_WEIGHT

    def size(self, leaf: Leaf, page: Sequence[Leaf]) -> int:  # noqa: ARG002
        weight = limits.weight(leaf.content) + 3 + 14 * len(leaf.items[:1]) + 2 * len(leaf.items)
        # It stands between two blocks of rich text.
        return weight + 2 * limits.BLOCK_SHARE if leaf.kind in (Kind.TABLE, Kind.RULE) else weight

    def rows(self, leaf: Leaf, page: Sequence[Leaf]) -> Iterator[int]:
        size = self.size(leaf, page)
        if _is_native(leaf, page):
            for row in leaf.rows[: limits.TABLE_ROWS]:
                size += sum(limits.weight(cell) + 1 for cell in row)
                yield size
        else:
            for laid_out in _TABLES.sizes(leaf.rows, leaf.widths):
                yield size + laid_out

    def widths(self, leaf: Leaf) -> tuple[int, ...]:
        return _TABLES.columns(leaf.rows, leaf.widths)


class StreamPaper(Paper):
    """Room in a stream, in bytes of the Markdown that it is sent."""

    limit = limits.STREAM_PAGE

    def size(self, leaf: Leaf, page: Sequence[Leaf]) -> int:
        unmarked = 0 if leaf.kind is Kind.CODE else len(_ESCAPED.findall(leaf.content))
        size = limits.text_bytes(leaf.content) + unmarked + 16 + 8 * len(leaf.items)
        return max(super().size(leaf, page), size)

    def rows(self, leaf: Leaf, page: Sequence[Leaf]) -> Iterator[int]:
        # Letters of three bytes weigh one in blocks.
        return (3 * size for size in super().rows(leaf, page))


_ESCAPED = re.compile(r"[\\`*_~\[\]]")


def _is_native(leaf: Leaf, page: Sequence[Leaf]) -> bool:
    return not (leaf.items or leaf.quoted) and not any(other.kind is Kind.TABLE for other in page)


@lru_cache(maxsize=512)  # while an answer streams, only its last page is new
def _page(page: Page) -> str:
    blocks: list[Block] = []
    for index, leaf in enumerate(page):
        if leaf.kind is Kind.RULE:
            blocks.append({"type": "divider"})
        elif leaf.kind is Kind.TABLE and _is_native(leaf, page[:index]):
            blocks.append({"type": "table", "rows": [[_cell(cell) for cell in row] for row in leaf.rows]})
        else:
            if not blocks or blocks[-1]["type"] != "rich_text":
                blocks.append({"type": "rich_text", "elements": []})
            _add(blocks[-1]["elements"], leaf)
    blocks = [block for block in blocks if block.get("elements", True)]
    if blocks and all(block["type"] != "rich_text" for block in blocks):
        blocks.insert(0, _NO_WORDS)
    return json.dumps(blocks, ensure_ascii=False) if blocks else ""


def _add(groups: list[Block], leaf: Leaf) -> None:
    """Put *leaf* below *groups* of rich text, into the last of them if it is of the same kind."""
    if leaf.kind in (Kind.CODE, Kind.TABLE):
        groups += _table(leaf) if leaf.kind is Kind.TABLE else _preformatted(leaf.content, leaf.info)
        return
    elements = _elements(_line(leaf))
    if not elements:
        return
    last: Block = groups[-1] if groups else {"type": ""}
    # Slack's own lists begin with 1 or more.
    is_zero = bool(leaf.begins) and leaf.items[-1] == 0
    if leaf.items and not (leaf.quoted or is_zero):
        _add_to_list(groups, last, leaf, elements)
        return
    mark = "" if not leaf.begins else "• " if leaf.items[-1] is None else f"{leaf.items[-1]}. "
    elements = _elements([Span("  " * (len(leaf.items) - 1) + mark), *_line(leaf)]) if leaf.items else elements
    kind = "rich_text_quote" if leaf.quoted else "rich_text_section"
    if last["type"] == kind and (leaf.goes_on or not leaf.quoted):
        last["elements"] += [_text("\n\n" if leaf.gap else "\n"), *elements]
    else:
        if last["type"] and leaf.gap and not leaf.quoted:  # only words have no room above of their own
            elements.insert(0, _text("\n"))
        groups.append({"type": kind, "elements": elements})


def _add_to_list(groups: list[Block], last: Block, leaf: Leaf, elements: list[Block]) -> None:
    number, depth = leaf.items[-1], min(len(leaf.items) - 1, _DEEPEST_LIST)
    look = {"style": "bullet" if number is None else "ordered", "indent": depth}
    is_same = last["type"] == "rich_text_list" and {"style": last["style"], "indent": last["indent"]} == look
    if is_same and not leaf.begins:
        last["elements"][-1]["elements"] += [_text("\n"), *elements]
        return
    section = {"type": "rich_text_section", "elements": elements}
    if is_same and (number is None or last.get("offset", 0) + len(last["elements"]) + 1 == number):
        last["elements"].append(section)
    elif leaf.begins:
        offset = {"offset": number - 1} if number and number > 1 else {}
        groups.append({"type": "rich_text_list", **look, **offset, "elements": [section]})
    else:
        groups.append(section)


def _line(leaf: Leaf) -> Sequence[Span]:
    found = spans(leaf.content)
    return [replace(span, bold=True) for span in found] if leaf.kind is Kind.HEADING else found


def _preformatted(code: str, language: str = "") -> list[Block]:
    if not code.strip():
        return []
    named = re.match(r"[\w+#.-]{1,20}", language, re.ASCII)
    kind = {"type": "rich_text_preformatted", "elements": [_text(code)]}
    return [{**kind, "language": named[0]} if named else kind]


def _table(leaf: Leaf) -> list[Block]:
    if columns := _TABLES.aligned(leaf.rows, leaf.widths):
        return _preformatted(columns)
    found: list[Span] = []
    for row in records(leaf.rows):
        found.append(Span("\n" * bool(found)))
        for name, cell in row:
            title = [Span(bare(name), bold=True), Span(": ")] if bare(name) else []
            found += [Span("\n" * bool(words_of(found))), *title, *spans(cell)]
    return [{"type": "rich_text_section", "elements": _elements(found)}]


def _cell(cell: str) -> Block:
    found = spans(cell)
    if any(span.url or any(getattr(span, look) for look in _LOOKS) for span in found):
        return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": _elements(found)}]}
    return {"type": "raw_text", "text": words_of(found) or " "}  # an empty one is refused


def _elements(found: Sequence[Span]) -> list[Block]:
    """https://docs.slack.dev/reference/block-kit/blocks/rich-text-block#element-types"""
    shown: list[Block] = []
    for _, run in groupby(found, key=lambda span: (span.url, span.url or span.look)):
        group = list(run)
        text, url = words_of(group), group[0].url
        look = {name: True for name in _LOOKS if all(getattr(span, name) for span in group)}
        element = {"type": "link", "url": url, **({"text": text} if text != url else {})} if url else _text(text)
        if text:
            shown.append({**element, "style": look} if look else element)
    return shown


def _text(text: str) -> Block:
    return {"type": "text", "text": text}


def _words(block: Block) -> str:
    match block:
        case {"type": "link", "url": str(url)}:
            return str(block.get("text", url))
        case {"text": str(text)}:
            return text
        case {"rows": list(rows)}:
            return "\n".join(" | ".join(map(_words, row)) for row in rows)
        case {"elements": list(elements)}:
            lines = "\n" if block["type"] in ("rich_text", "rich_text_list") else ""
            return lines.join(map(_words, elements)).strip()
    return ""
