"""Writes typed blocks as the Markdown that Slack's streams take, so that more of an answer is only ever appended. Pure.

Slack reads that Markdown once more, so that whatever the blocks say as words is escaped: no mention, link or mark comes
about that the blocks don't have. https://docs.slack.dev/reference/methods/chat.appendStream
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bots.slack.limits import escaped

if TYPE_CHECKING:
    from collections.abc import Sequence

Block = dict[str, Any]

_MARKS = re.compile(r"[\\`*_~\[\]]")
# At the beginning of a line; what stands there decides what the line is.
_AT_START = re.compile(r"^([ \t]*)([#+\-=|])", re.MULTILINE)
_NUMBER = re.compile(r"^([ \t]*\d{1,9})([.)])", re.MULTILINE)
# What the words behind it may make something else of: emphasis, code, a link, a tag.
_MAY_OPEN = re.compile(
    r"(?<!\\)[*~]+(?=\S|\Z)|(?<![A-Za-z0-9\\_])_+(?=\S|\Z)|(?<![A-Za-z0-9_$])\$+(?=[^\s\d])|`|\[|!\Z|<(?=[A-Za-z/!@#]|\Z)|https?:\S*\Z"
)
# In code nothing is known to be escaped, and these call somebody or lead somewhere:
# https://docs.slack.dev/messaging/formatting-message-text#advanced
_CALL = re.compile(r"<(?=[@#!]|[a-z]+:)", re.IGNORECASE)
_UNSEEN = "\u200b"
_STYLES = (("bold", "**"), ("italic", "_"), ("strike", "~~"))


@dataclass(frozen=True, slots=True)
class Streamed:
    text: str
    is_exact: bool = True  # does it say, sign for sign, what the blocks do?


def streamed(page: str, *, is_open: bool) -> Streamed:
    """Write a page, the JSON of its blocks. Of one that *is_open*, because more may come, only what will stay so."""
    writer = _Writer(is_open=is_open)
    text = writer.written(json.loads(page))
    return Streamed(text, writer.is_exact)


class _Writer:
    def __init__(self, *, is_open: bool) -> None:
        self._is_open = is_open
        self.is_exact = True

    def written(self, blocks: Sequence[Block]) -> str:
        groups: list[Block] = []
        for block in blocks:
            groups += block["elements"] if block["type"] == "rich_text" else [block]
        text, before = "", ""
        for number, group in enumerate(groups):
            said = self._group(group, is_last=self._is_open and number == len(groups) - 1)
            if not said.strip():
                continue  # also the room that stands for words where a message has none
            is_list = group["type"] == before == "rich_text_list"
            text += (("\n" if is_list else "\n\n") if text else "") + said
            before = group["type"]
        return text

    def _group(self, group: Block, *, is_last: bool) -> str:
        match group["type"]:
            case "rich_text_preformatted":
                return self._code(group, is_last=is_last)
            case "rich_text_list":
                return self._list(group, is_last=is_last)
            case "rich_text_quote":
                said = self._words(group["elements"], is_last=is_last)
                return "\n".join(f"> {line}" for line in said.split("\n")) if said else ""
            case "table":
                return self._table(group["rows"], is_last=is_last)
            case "divider":
                return "---"
        return self._words(group["elements"], is_last=is_last).removeprefix("\n")

    def _code(self, group: Block, *, is_last: bool) -> str:
        code = self._safe_code("".join(str(one.get("text", "")) for one in group["elements"]))
        longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
        fence = "`" * max(3, longest + 1)
        opened = f"{fence}{group.get('language', '')}\n{code}"
        if not is_last:
            return f"{opened}\n{fence}"
        # Its last sign may be the first of a run of backticks, or of what calls somebody.
        return re.sub(r"(?:`+|<[a-z]*)\Z", "", opened, flags=re.IGNORECASE) if code else ""

    def _safe_code(self, code: str) -> str:
        safe = _CALL.sub("<" + _UNSEEN, code)
        self.is_exact = self.is_exact and safe == code
        return safe

    def _list(self, group: Block, *, is_last: bool) -> str:
        indent, first = "    " * group["indent"], group.get("offset", 0) + 1
        lines = []
        for number, item in enumerate(group["elements"]):
            mark = f"{first + number}. " if group["style"] == "ordered" else "- "
            is_open = is_last and number == len(group["elements"]) - 1
            said = self._words(item["elements"], is_last=is_open)
            if said or not is_open:
                lines.append(indent + mark + said.replace("\n", "\n" + indent + " " * len(mark)))
        return "\n".join(lines)

    def _table(self, rows: Sequence[Sequence[Block]], *, is_last: bool) -> str:
        if is_last:  # the last row may still grow, and the first is none before there is a second
            rows = rows[:-1]
        lines = ["| " + " | ".join(map(self._cell, row)) + " |" for row in rows]
        if lines:
            lines.insert(1, "|" + " --- |" * len(rows[0]))
        return "\n".join(lines)

    def _cell(self, cell: Block) -> str:
        elements = [one for part in cell["elements"] for one in part["elements"]] if "elements" in cell else [cell]
        said = self._words([{**one, "type": one.get("type", "text")} for one in elements], is_last=False)
        return said.replace("|", "\\|").replace("\n", " ")

    def _words(self, elements: Sequence[Block], *, is_last: bool) -> str:
        text = ""
        paragraph = max((at for at, one in enumerate(elements) if "\n\n" in str(one.get("text"))), default=0)
        for number, element in enumerate(elements):
            is_start = not text or text.endswith("\n")
            if not is_last or number < paragraph:
                text += self._element(element, is_start=is_start)
                continue
            is_words = not element.get("style") and element["type"] != "link"
            if not is_words and number == len(elements) - 1:
                break  # its end is not known yet
            stable = {**element, "text": _stable(str(element["text"]))} if is_words else element
            text += self._element(stable, is_start=is_start)
            if stable != element:
                break
        return text.rstrip("\n") if is_last else text

    def _element(self, element: Block, *, is_start: bool) -> str:
        style, words = element.get("style") or {}, str(element.get("text", ""))
        if element["type"] == "link":
            url = _address(str(element["url"]))
            words = f"[{_literal(words, is_start=False)}]({url})" if "text" in element else url
        elif style.get("code"):
            return self._inline_code(words)
        else:
            words = _literal(words, is_start=is_start)
        return _styled(words, style)

    def _inline_code(self, words: str) -> str:
        words = self._safe_code(words.replace("\n", " "))
        longest = max((len(run) for run in re.findall(r"`+", words)), default=0)
        ticks, room = "`" * (longest + 1), " " * (words[:1] == "`" or words[-1:] == "`")
        return f"{ticks}{room}{words}{room}{ticks}" if words else ""


def _stable(words: str) -> str:
    """Return as much of *words*, to whose paragraph more may come, as will not be read as something else then."""
    opening = _MAY_OPEN.search(words, max(0, words.rfind("\n\n")))
    return words[: opening.start()] if opening else words


def _literal(words: str, *, is_start: bool) -> str:
    """Return Markdown that reads as *words*."""
    words = _MARKS.sub(r"\\\g<0>", escaped(words))
    first, newline, rest = words.partition("\n")
    if is_start:
        first = _unmarked(first)
    return first + newline + _unmarked(rest)


def _unmarked(words: str) -> str:
    words = _AT_START.sub(r"\1\\\2", words)
    return _NUMBER.sub(r"\1\\\2", words)


def _styled(words: str, style: Block) -> str:
    """Put the marks around what is seen of *words*: room inside of them would make them words."""
    said = words.strip()
    if not said:
        return words
    before, _, after = words.partition(said)
    for look, mark in _STYLES:
        said = f"{mark}{said}{mark}" if style.get(look) else said
    return before + said + after


def _address(url: str) -> str:
    """Return an address that ends where it ends, in Markdown and in Slack's own markup."""
    return escaped(url).replace("(", "%28").replace(")", "%29").replace("|", "%7C")
