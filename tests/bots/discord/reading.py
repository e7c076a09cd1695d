"""How Discord reads what it is sent, as its clients do it, for tests to see what people see.

The rules are those of https://github.com/discord/SimpleAST, of simple-markdown 0.2, from which Discord's own are made, and
what discord.js and discord.py escape for them. Readers differ in how code ends: both ways are tried.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

BLOCK_CODE = re.compile(r"```(?:[\w+.#-]+\n)?\n*([^\n].*?)\n*```", re.DOTALL | re.ASCII)
INLINE_CODE = (re.compile(r"(`+)(.*?[^`])\1(?!`)", re.DOTALL), re.compile(r"(``?)(.*?)\1", re.DOTALL))
ESCAPE = re.compile(r"\\([^0-9A-Za-z\s])")
ANGLED = re.compile(r"<([^: >]+:/[^ >]+)>")
URL = re.compile(r"(?:https?|steam|discord)://[^\s<]+[^<.,:;\"')\]\s]", re.IGNORECASE)
MASKED = re.compile(
    r"\[((?:\[[^\]]*\]|[^\[\]]|\](?=[^\[]*\]))*)\]\(\s*<?((?:\([^)]*\)|[^\s\\]|\\.)*?)>?(?:\s+['\"](.*?)['\"])?\s*\)",
    re.DOTALL,
)
EMPHASIS = (
    re.compile(r"\*\*((?:\\.|[^\\])+?)\*\*(?!\*)", re.DOTALL),
    re.compile(r"__((?:\\.|[^\\])+?)__(?!_)", re.DOTALL),
    re.compile(
        r"_((?:__|\\.|[^\\_])+?)_(?!\w)|\*(?=\S)((?:\*\*|\s+(?:[^*\s]|\*\*)|[^\s*])+?)\*(?!\*)", re.DOTALL | re.ASCII
    ),
)
OTHERS = (re.compile(r"~~(.+?)~~(?!_)", re.DOTALL), re.compile(r"\|\|(.+?)\|\|", re.DOTALL))
PING = re.compile(
    r"(?<![0-9A-Za-z])@(?:everyone|here)|@(?:everyone|here)(?![0-9A-Za-z.-])|<(?:@[!&]?\d+|#\d+|/[^<>\n:]{1,100}:\d+|t:-?\d+(?::\w)?|id:\w+|a?:\w+:\d+)>"
)
TEXT = re.compile(r".(?:[0-9A-Za-z\s\u00c0-\uffff]*(?=[^0-9A-Za-z\s\u00c0-\uffff]|\w+:\S|$))?", re.DOTALL)
LINE = re.compile(r"(#{1,3} +|-# +|(?: *(?:[-*]|\d+\.) +)+)")


@dataclass
class Reading:
    words: str = ""  # without any marks
    links: list[tuple[str, str]] = field(default_factory=list)
    pings: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    looks: list[str] = field(default_factory=list)  # the words of each emphasis
    marks: list[str] = field(default_factory=list)  # with which lines begin: of headings, lists, small print


def read(message: str, inline_code: re.Pattern[str] = INLINE_CODE[0]) -> Reading:
    reading = Reading()
    _read(re.sub(r"^>(?: |$)", "", message, flags=re.MULTILINE), reading, inline_code, is_line=True)
    return reading


def _read(text: str, reading: Reading, inline_code: re.Pattern[str], *, is_line: bool = False) -> None:
    at = 0
    while at < len(text):
        if is_line and (at == 0 or text[at - 1] == "\n") and (mark := LINE.match(text, at)):
            reading.marks.append(mark[0].strip())
            at = mark.end()
            continue
        at = _one(text, at, reading, inline_code)


def _one(text: str, at: int, reading: Reading, inline_code: re.Pattern[str]) -> int:
    if hit := BLOCK_CODE.match(text, at) or inline_code.match(text, at):
        code = hit[hit.lastindex or 1]
        reading.code.append(code)
        reading.words += code
    elif hit := ESCAPE.match(text, at):
        reading.words += hit[1]
    elif hit := PING.match(text, at):
        reading.pings.append(hit[0])
        reading.words += hit[0]
    elif (hit := ANGLED.match(text, at)) or (hit := URL.match(text, at)):
        url = hit[1] if hit[0].startswith("<") else hit[0]
        reading.links.append((url, url))
        reading.words += url
    elif hit := MASKED.match(text, at):
        before = len(reading.words)
        _read(hit[1], inner := Reading(), inline_code)
        reading.words += re.sub(r"\\", "", inner.words)
        reading.code += inner.code
        reading.links.append((reading.words[before:], hit[2]))
    elif hits := [hit for rule in EMPHASIS if (hit := rule.match(text, at))]:
        hit = max(hits, key=lambda one: len(one[0]))
        before = len(reading.words)
        _read(hit[1] or hit[2], reading, inline_code)
        reading.looks.append(reading.words[before:])
    elif hits := [hit for rule in OTHERS if (hit := rule.match(text, at))]:
        hit = hits[0]
        before = len(reading.words)
        _read(hit[1], reading, inline_code)
        reading.looks.append(reading.words[before:])
    else:
        reading.words += text[at]
        hit = None
    return hit.end() if hit else at + 1
