"""Finds the blocks of a Markdown text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from markdown_it.rules_block import StateBlock
    from markdown_it.token import Token

_FORMULA = {"$$": "$$", "\\[": "\\]"}  # alone on lines around it
_GLUED = re.compile(r"\$\$(?!\$)(?:(?!\$\$).)+")
# https://ctan.org/pkg/amsmath: those that stand without a mark around them.
_ENVIRONMENT = re.compile(
    r"\\begin\{(?P<name>(?:equation|align|aligned|alignat|gather|gathered|multline|eqnarray|[pbBvV]?matrix|cases)\*?)\}"
)
# A line that begins with anything else is part of a paragraph, and of the one above it.
_SIGNS = frozenset("`~>#*-_+=$\\0123456789")
_UNDERLINE = re.compile(r"(?:=+|-+)[ \t]*")


def parsed(text: str) -> list[Token]:
    """The blocks of *text* as tokens; what stands inside of one is for `inline` to read."""
    return _MARKDOWN.parse(text)


def _formula(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001  # markdown-it calls it so
    """A formula on lines of its own: code, up to a blank line if nothing ends it."""
    first = _line(state, start).rstrip()
    if state.is_code_block(start) or not (closing := _closing(first, is_last=start + 1 >= end)):
        return False
    if silent:
        return True
    last = start + 1
    while last < end and (line := _line(state, last).rstrip()) and state.sCount[last] >= state.blkIndent:
        if line.endswith(closing):
            break
        last += 1
    is_closed = last < end and _line(state, last).rstrip().endswith(closing) and state.sCount[last] >= state.blkIndent
    content = state.getLines(start + 1, last + is_closed, state.sCount[start], keepLastLF=True)
    if closing in _FORMULA.values():
        content = first[2:].lstrip() + "\n" * bool(first[2:].strip()) + content
        if is_closed:
            content = content.rstrip().removesuffix(closing)
    else:
        content = f"{first}\n{content}"
    token = state.push("fence", "code", 0)
    token.info, token.content = "latex", content.rstrip() + "\n" if content.strip() else ""
    token.map = [start, last + is_closed]
    state.line = last + is_closed
    return True


def _closing(line: str, *, is_last: bool) -> str:
    """What ends the formula that *line* begins; empty if it begins none, or may end on this very line."""
    if environment := _ENVIRONMENT.match(line):
        name = environment["name"]
        return "" if f"\\end{{{name}}}" in line else f"\\end{{{name}}}"
    is_alone = line in _FORMULA
    return _FORMULA.get(line[:2], "") if is_alone or (not is_last and _GLUED.fullmatch(line)) else ""


def _words(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001  # markdown-it calls it so
    """A paragraph that no other rule needs to look at."""
    is_code = state.sCount[start] - state.blkIndent > 3
    sign = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]][:1]
    return sign not in _SIGNS and not is_code and _paragraph(state, start, end, silent)


def _paragraph(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: ARG001, FBT001
    """A paragraph, or the heading that a line below it makes of it: https://spec.commonmark.org/0.31.2/#paragraphs

    markdown-it looks for the one and then again for the other, and asks all rules at every line.
    """
    parent, state.parentType = state.parentType, "paragraph"
    rules = state.md.block.ruler.getRules("paragraph")
    last, underline = start + 1, ""
    while last < end:
        place = state.bMarks[last] + state.tShift[last]
        if place >= state.eMarks[last]:
            break
        # What is indented so far, or was once found to go on, is part of it whatever it begins with.
        if 0 <= state.sCount[last] <= state.blkIndent + 3 and state.src[place] in _SIGNS:
            line = _line(state, last)
            if state.sCount[last] >= state.blkIndent and _UNDERLINE.fullmatch(line):
                underline = line[0]
                break
            if any(rule(state, last, end, True) for rule in rules):  # noqa: FBT003
                break
        last += 1
    state.parentType = parent
    kind, tag = ("heading", "h1" if underline == "=" else "h2") if underline else ("paragraph", "p")
    words = state.getLines(start, last, state.blkIndent, keepLastLF=False).strip(" \t\n\r")
    state.line = last + bool(underline)
    for name, nesting in ((f"{kind}_open", 1), ("inline", 0), (f"{kind}_close", -1)):
        token = state.push(name, tag if nesting else "", nesting)  # type: ignore[arg-type]  # one of the three
        token.markup = underline if nesting else ""
        token.content = "" if nesting else words
        token.map = [start, state.line] if nesting >= 0 else None
    return True


def _line(state: StateBlock, at: int) -> str:
    return state.src[state.bMarks[at] + state.tShift[at] : state.eMarks[at]]


# Reference definitions stay text, since no platform is to follow them, and so does HTML. Tables are found in
# paragraphs, whose lines have no marks around them.
_MARKDOWN = MarkdownIt("commonmark", {"html": False, "maxNesting": 60}).disable(["reference", "lheading"])
_MARKDOWN.core.ruler.enableOnly(["block"])
_MARKDOWN.block.ruler.before("code", "words", _words)
_MARKDOWN.block.ruler.before("fence", "formula", _formula, {"alt": ["paragraph", "blockquote", "list"]})
_MARKDOWN.block.ruler.at("paragraph", _paragraph)
