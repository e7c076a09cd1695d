"""Writes a model's Markdown as Slack's own streams take it: text to which more is only ever added.

What a stream is given is Markdown that Slack reads itself
(https://docs.slack.dev/reference/methods/chat.appendStream), and in it also its own `<!here>`, `<@U1>` and
`<https://a.example|b.example>`. So that nothing of an answer can call anybody or lie about where it leads, `<`, `>` and
`&` are references to characters, code has an unseen sign in what would call, and each link is written anew once it was
read whole. What may still turn out to be something else waits: for the end of its line at most.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bots.slack import limits
from bots.slack.marks import inline, literal, shielded
from bots.text import tables
from bots.text.inline import bare
from bots.text.reasoning import visible

if TYPE_CHECKING:
    from collections.abc import Callable

_QUOTE = re.compile(r"(?: {0,3}> ?)+")
_ITEM = re.compile(r" *([-*+]|\d{1,9}[.)])(?: +|$)")
_RULE = re.compile(r"([-*_])(?: *\1){2,} *")
_UNDERLINE = re.compile(r"(?:=+|--+) *")
_FENCE = re.compile(r"(?P<marks>`{3,}|~{3,})(?P<info>(?<=`)[^`]*|(?<=~).*)")
_FORMULA = {"$$": "$$", "\\[": "\\]"}  # alone on their lines
_HEADING = re.compile(r"(#{1,6}) +(?=\S)")
_NO_HEADING = re.compile(r"#{1,6}")
_LANGUAGE = re.compile(r"[\w+#.-]{1,20}", re.ASCII)
_TASK = re.compile(r"\[([ xX])\](?: +|$)")
# What a line begins with of which nobody knows yet what it will be.
_HALF_SAID = re.compile(r"[-+*_=~`#|:.)\d\s$\\]*\[?|\[[ xX]?\]? *|(?:```|~~~|\|).*", re.DOTALL)
_MOST_CELLS = limits.PAGE_WEIGHT  # characters of a table of Slack's own


def stream_text(text_so_far: str, *, final: bool) -> str:
    """Return what a stream shows of an answer of which *text_so_far* has come; *final*: that is all of it.

    What it returns begins with whatever it returned for less of the same answer, so that the rest can be appended. A
    lone `</think>` can't take back what was shown above it.
    """
    text = text_so_far if final else _without_open_code(text_so_far)
    *lines, last = visible(text, streaming=not final, keeps=True).split("\n")
    stream = _Stream()
    for line in lines:
        stream.take(line, ended=True)
    stream.take(last, ended=final)
    if final:
        stream.end()
    return "".join(stream.shown)


def _without_open_code(text: str) -> str:
    """*text* up to code that its last line opens: whether a tag of reasoning is in it shows only at its end."""
    start = text.rfind("\n") + 1
    opened: re.Match[str] | None = None
    for run in re.finditer("`+", text[start:]):
        if opened is None:
            opened = run
        elif len(run[0]) == len(opened[0]) and start + run.end() < len(text):
            opened = None
    return text[: start + opened.start()] if opened else text


@dataclass(slots=True)
class _Code:
    """Code that is open."""

    ends: Callable[[str], bool] | None  # None: with its indent
    language: str
    indent: int  # of its first line
    column: int  # of the list item that it is in
    quotes: int
    is_shown: bool = False  # a fence is open in what was written
    blank: int = 0  # lines that may be its last


class _Stream:
    """What was written of the lines so far, and what must be known of them for the next one."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self._code: _Code | None = None
        self._items: list[tuple[int, int]] = []  # the columns of those that are open: as typed, and as written
        self._quoted = False
        self._lines = 0  # of the paragraph that is open
        self._gap = self._gap_is_quoted = False
        self._is_apart = False  # what comes next needs a blank line above it
        self._header: str | None = None  # a line that may be a table's first
        self._columns = 0  # of a table that is open
        self._tables = 0
        self._room = _MOST_CELLS

    def take(self, line: str, *, ended: bool) -> None:
        """Write a line, or what is sure of it if it has not *ended*."""
        if self._code and (not ended or self._take_code(self._code, line)):
            return
        if self._columns and (not ended or self._take_row(line)):
            return
        if self._header is not None:
            if not ended:
                return
            header, self._header = self._header, None
            if tables.begins(*map(_unquoted, (header, line))):
                self._begin_table(_unquoted(header))
                return
            self._write(header, ended=True)
        if _unquoted(line).startswith("|"):
            self._header = line if ended else None
        else:
            self._write(line, ended=ended)

    def end(self) -> None:
        if self._header is not None:
            self._write(self._header, ended=True)
        if self._code and self._code.is_shown:
            self.shown.append("\n```")
        elif self._columns:
            self._close_table()

    def _write(self, line: str, *, ended: bool) -> None:
        line = line.expandtabs(4)
        quote = _QUOTE.match(line)
        rest = line[quote.end() :] if quote else line
        if not rest.strip():
            if ended:
                self._gap, self._gap_is_quoted, self._lines = True, bool(quote), 0
            return
        if bool(quote) != self._quoted and (quote or self._gap or not self._lines):
            self._items.clear()
            self._lines = 0
        indent = len(rest) - len(rest.lstrip())
        if not self._lines or _ITEM.match(rest):
            while self._items and indent < self._items[-1][0]:
                self._items.pop()
        column = self._items[-1][0] if self._items else 0
        if indent - column >= 4 and not self._lines:
            if ended:
                self._code = _Code(None, "", column + 4, column, line[: len(line) - len(rest)].count(">"))
                self._take_code(self._code, line)
            return
        if ended and self._is_rule(rest.strip()):
            self._rule()
            return
        self._quoted = bool(quote) or (self._quoted and self._lines > 0)
        lead, offset, begins = self._lead(rest, indent)
        self._body("> " * bool(quote) + lead, rest[offset:], offset, begins=begins, ended=ended)

    def _is_rule(self, line: str) -> bool:
        return bool(_RULE.fullmatch(line) or (self._lines and _UNDERLINE.fullmatch(line)))

    def _rule(self) -> None:
        self._begin("---", is_block=True)
        self._lines = 0

    def _lead(self, rest: str, indent: int) -> tuple[str, int, bool]:
        """What the line begins with, where its words begin, and whether these begin a list item."""
        lead = " " * (self._items[-1][1] if self._items and indent >= self._items[-1][0] else 0)
        offset, begins = indent, False
        while (item := _ITEM.match(rest, offset)) and len(self._items) < 20:
            lead += item[1] + " "
            offset, begins = item.end(), True
            self._items.append((offset, len(lead)))
        return lead, offset, begins

    def _body(self, lead: str, body: str, offset: int, *, begins: bool, ended: bool) -> None:
        if not ended and _HALF_SAID.fullmatch(body):
            return
        if code := self._opened(body.rstrip(), offset, lead) if ended else None:
            self._code = code
            return
        if not body.strip() or _NO_HEADING.fullmatch(body.strip()):
            return
        if begins and (task := _TASK.match(body)):
            lead, body = f"{lead}{'☐' if task[1] == ' ' else '☑'} ", body[task.end() :]
            if not body and ended:
                self._begin(lead.rstrip())
        is_title = _HEADING.match(body)
        if is_title:
            lead, body = f"{lead}{is_title[1]} ", body[is_title.end() :]
        below = "\n" + "> " * lead.startswith("> ") + " " * (self._items[-1][1] if self._items else 0)
        if words := inline(body, ended=ended, line=" " if is_title else below):
            self._begin(lead + words)
            self._lines = 0 if is_title else self._lines + 1

    def _opened(self, body: str, offset: int, lead: str) -> _Code | None:
        column = self._items[-1][0] if self._items else 0
        if body in _FORMULA:
            end = _FORMULA[body]
            return _Code(lambda line: line.strip() in (end, ""), "latex", offset, column, lead.count(">"))
        fence = _FENCE.fullmatch(body)
        if not fence:
            return None
        marks, language = fence["marks"], _LANGUAGE.match(fence["info"].strip())
        closing = re.compile(rf" {{0,3}}{marks[0]}{{{len(marks)},}}\s*")
        return _Code(
            lambda line: closing.fullmatch(line) is not None,
            language[0] if language else "",
            offset,
            column,
            lead.count(">"),
        )

    def _begin(self, words: str, *, is_block: bool = False) -> None:
        """Write *words* below what stands there."""
        if self.shown:
            is_apart = self._gap or is_block or self._is_apart
            is_in_quote = self._gap_is_quoted and self._quoted and words.startswith(">") and not self._is_apart
            self.shown.append(("\n>\n" if is_in_quote else "\n\n") if is_apart else "\n")
        self.shown.append(words)
        self._gap, self._is_apart = False, is_block
        if is_block:
            self._lines = 0

    def _take_code(self, code: _Code, line: str) -> bool:
        """Is *line* part of the *code*?"""
        text = line
        for _ in range(code.quotes):
            quote = re.match(r" {0,3}> ?", text)
            if not quote:
                return self._close_code(code)
            text = text[quote.end() :]
        text = text.expandtabs(4) if code.ends is None else text
        indent = len(text) - len(text.lstrip(" "))
        if text.strip() and indent < (code.indent if code.ends is None else code.column):
            return self._close_code(code)
        text = text[min(indent, code.indent) :]
        if code.ends is None:
            text = text if text.strip() else ""
        elif code.ends(text):
            self.shown.append("\n" * code.blank)
            self._close_code(code)
            return True
        if not text:
            code.blank += code.is_shown
            return True
        if "```" in text:  # which would end code for some
            self._close_code(code)
            self._begin(literal(text), is_block=True)
            self._code, code.is_shown = code, False
        elif not code.is_shown:
            self._begin(f"```{code.language}\n{shielded(text)}", is_block=True)
            code.is_shown = True
        else:
            self.shown.append("\n" * (code.blank + 1) + shielded(text))
        code.blank = 0
        return True

    def _close_code(self, code: _Code) -> bool:
        if code.is_shown:
            self.shown.append("\n```")
        self._gap = self._gap or code.blank > 0
        self._code, self._lines = None, 0
        return False

    def _begin_table(self, header: str) -> None:
        cells = tables.cells_of(header, 0)
        self._columns, self._tables = len(cells), self._tables + 1
        self._room = min(self._room, _MOST_CELLS) if self._tables == 1 else 0
        self._rows = 1
        if self._tables == 1:
            self._begin(f"{_row(cells)}\n|{' --- |' * len(cells)}", is_block=True)
        else:  # Slack takes one in a message
            self._begin(f"```\n{_plain_row(cells)}", is_block=True)

    def _take_row(self, line: str) -> bool:
        line = _unquoted(line)
        if "|" not in line:
            self._close_table()
            return False
        cells = tables.cells_of(line, self._columns)
        if len(cells) > self._columns:
            cells = (*cells[: self._columns - 1], " | ".join(cells[self._columns - 1 :]))
        cells = (*cells, *[""] * (self._columns - len(cells)))
        self._rows += 1
        if self._room and (self._rows > limits.TABLE_ROWS or limits.weight(line) > self._room):
            self._room = 0
            self._begin(f"```\n{_plain_row(cells)}", is_block=True)
            return True
        self.shown.append("\n" + (_row(cells) if self._room else _plain_row(cells)))
        self._room = max(0, self._room - limits.weight(line))
        return True

    def _close_table(self) -> None:
        if not self._room:
            self.shown.append("\n```")
        self._columns = 0


def _unquoted(line: str) -> str:
    quote = _QUOTE.match(line)
    return (line[quote.end() :] if quote else line).strip()


def _row(cells: tables.Row) -> str:
    return f"| {' | '.join(inline(cell, ended=True, line=' ').replace('|', chr(92) + '|') for cell in cells)} |"


def _plain_row(cells: tables.Row) -> str:
    return shielded(" | ".join(map(bare, cells)).replace("```", "'''"))
