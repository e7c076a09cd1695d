"""Writes what stands inside of a line as Markdown that Slack reads itself, of which only the first part may be there.

Everything is decided by what comes before it and by so many characters behind it, however long the line becomes.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from bots.text.inline import AROUND, MATH, TAG, is_wide, spans, words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bots.text.inline import Span

# How far behind what opens it something must end, in characters.
_EMPHASIS, _CODE, _WORDS, _TARGET, _ADDRESS, _FORMULA = 400, 1_000, 250, 900, 2_000, 620
_ENDS = {"(": "\\)", "[": "\\]"}
_MOST_TICKS = 8
_TICKS, _BLANK = re.compile("`+"), re.compile(r"\s*")
_LIVE = re.compile(r"\\|`+|!?\[|!(?=https?:|<)|[<>&$]|\*+|_+|~+|(?<![\w.+-])https?://", re.IGNORECASE)
_HALF_LIVE = re.compile(r"(?:(?:!|(?<![\w.+-]))h(?:t(?:t(?:ps?(?::/?)?)?)?)?|\s*!|\s+)\Z", re.IGNORECASE)
_LABELLED = r"\[(?:[^\[\]`\n\\]|\\.|`[^`\n]*+`|\[[^\[\]\n]*+\])*+\]"
_LABEL = re.compile(rf"!?{_LABELLED}")
_TARGETED = re.compile(
    r"\(\s*+(?:<[^<>\n]*+>|[^\s()<>]*+(?:\([^\s()]*+\)[^\s()<>]*+)*+)(?:\s++(?:\"[^\"\n]*+\"|'[^'\n]*+'|\([^()\n]*+\)))?\s*+\)"
)
_NO_TARGET = re.compile(r"\(\s*+(?:[^\s<()]++\s++[^\s\"'()]|[^\s()<>]*+<)")
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]\w{0,31});", re.IGNORECASE)
_HALF_REFERENCE = re.compile(r"&(?:#\d{0,7}|#x[0-9a-f]{0,6}|[a-z]\w{0,31})?", re.IGNORECASE)
_ANGLED = re.compile(r"<(?:https?://|mailto:)[^<>\n]{1,800}>", re.IGNORECASE)
_HALF_ANGLED = re.compile(r"</?(?:[a-z][^<>\n]{0,820})?", re.IGNORECASE)
_WEB = re.compile(r"https?://\S*", re.IGNORECASE)
# What Slack acts on wherever it stands: ids are capitals, and these words are all that it knows.
_CALLS = re.compile(
    r"<(?=[@#][A-Z0-9]|(?i:!(?:here|channel|everyone|subteam|date|group)|(?:https?|mailto|tel|slack):))"
)
_BROKEN = "<\u2060"  # unseen, and no space
_SPECIAL = re.compile(r"[\\`\[*]|_|~(?=~)|(?<=~)~|(?<=\S)~")
_BEHIND_ADDRESS = " \n\t.,;:!?"
_MARKS = {"bold": "**", "italic": "_", "strike": "~~"}

Found = int | None  # where a construct ends; None: not known yet
_LITERAL = -1


def shielded(code: str) -> str:
    """*code*, which Slack may look through for calls."""
    return _CALLS.sub(_BROKEN, code)


def literal(text: str, before: str = " ") -> str:
    """*text* as it is to be read, behind the character *before*."""
    whole = before + text

    def mark(hit: re.Match[str]) -> str:
        around = whole[hit.start() - 1 : hit.start()], whole[hit.end() : hit.end() + 1]
        is_between_words = hit[0] == "_" and all(map(str.isalnum, around))
        is_alone = hit[0] == "*" and all(each.isspace() for each in around)
        return hit[0] if is_between_words or is_alone else "\\" + hit[0]

    escaped = _SPECIAL.sub(mark, text) if len(before) != 1 else _SPECIAL.sub(mark, whole)[_skipped(before) :]
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _skipped(before: str) -> int:
    return 2 if _SPECIAL.fullmatch(before) else 1


def inline(text: str, *, ended: bool, line: str = "\n") -> str:
    """Return what a line says, as far as that is sure; its lines begin with *line*."""
    text = text.rstrip() if ended else text
    end = len(text)
    if not ended and (half := _HALF_LIVE.search(text)):
        end = half.start()
    shown: list[str] = []
    at = 0
    last = " "  # the character before
    while at < end:
        hit = _LIVE.search(text, at)
        if not hit or hit.start() >= end:
            shown.append(text[at:end])
            break
        if hit.start() > at:
            shown.append(text[at : hit.start()])
            last = text[hit.start() - 1]
        at = hit.start()
        found = _construct(text, at, hit[0], last, ended=ended)
        if found is None or (found == len(text) and not ended):
            break
        if found == _LITERAL:
            sign = hit[0] if hit[0] != "\\" else text[at : at + 2]
            if at + len(sign) == len(text) and not ended:
                break
            follows = text[at + len(sign) : at + len(sign) + 1]
            shown.append(_sign(sign, last, follows))
            at += len(sign)
            last = sign[-1]
            continue
        words = spans(text[at:found])
        follows = text[found : found + 1] or " "
        piece = written(words, last, follows).replace("\n", line)
        shown.append(piece)
        last = piece[-1:] or last
        at = found
    written_so_far = "".join(shown)
    return written_so_far if ended else written_so_far.rstrip()


def _sign(sign: str, before: str, follows: str) -> str:
    """A mark that opens nothing."""
    match sign[0]:
        case "\\":
            return _escaping(sign[1:])
        case "<" | ">" | "&":
            return literal(sign)
    is_between = before.isspace() and follows.isspace()
    is_plain = (sign == "*" and is_between) or (sign == "~" and before.isspace()) or sign[0] in "$hH"
    is_plain = is_plain or (sign[0] == "_" and before.isalnum() and follows.isalnum())
    return sign if is_plain else "".join("\\" + each for each in sign)


def _escaping(sign: str) -> str:
    """A backslash, and what stands behind it."""
    if not sign:
        return ""  # it only ends its line
    if sign.isascii() and not sign.isalnum() and not sign.isspace():
        return literal(sign, "") if sign in "<>&" else f"\\{sign}"
    return f"\\\\{sign}"


def _construct(text: str, at: int, mark: str, before: str, *, ended: bool) -> Found:
    """Where what begins at *at* ends."""
    if mark == "!":
        return _LITERAL
    if mark[0] in "*_~":
        return _emphasis(text, at, mark, before, ended=ended)
    if mark[0] == "`":
        return _code(text, at, len(mark), ended=ended)
    read = _READ.get(mark[0])
    return read(text, at, ended=ended) if read else _LITERAL


def _undecided(text: str, at: int, reach: int, *, ended: bool) -> Found:
    return _LITERAL if ended or len(text) - at >= reach else None


def _formula(text: str, at: int, *, ended: bool) -> Found:
    may_begin = text[at] == "$" or text[at + 1 : at + 2] in ("", "(", "[")
    end = at + _FORMULA
    may_end = text[at] == "$" or text.find(_ENDS.get(text[at + 1 : at + 2], "\\"), at + 2, end) > 0
    if may_begin and may_end and (hit := MATH.match(text, at, end)) and (hit.end() < len(text) or ended):
        return hit.end() if hit.end() < end else _LITERAL
    return _undecided(text, at, _FORMULA, ended=ended) if may_begin else _LITERAL


def _code(text: str, at: int, ticks: int, *, ended: bool) -> Found:
    if at + ticks == len(text) and not ended:
        return None
    if ticks > _MOST_TICKS:
        return _LITERAL
    end = min(len(text), at + _CODE)
    for run in _TICKS.finditer(text, at + ticks, end):
        is_whole = run.end() < end or (ended and end == len(text))
        if len(run[0]) == ticks and is_whole:
            return run.end()
    return _undecided(text, at, _CODE, ended=ended)


def _link(text: str, at: int, *, ended: bool) -> Found:
    label = _LABEL.match(text, at, at + _WORDS)
    if not label:
        return _undecided(text, at, _WORDS, ended=ended)
    if label.end() == len(text):
        return _LITERAL if ended else None
    end = label.end() + _TARGET
    if text[label.end()] != "(" or _NO_TARGET.match(text, label.end(), end):
        return _LITERAL
    target = _TARGETED.match(text, label.end(), end)
    return target.end() if target else _undecided(text, label.end(), _TARGET, ended=ended)


def _angled(text: str, at: int, *, ended: bool) -> Found:
    if whole := _ANGLED.match(text, at):
        return whole.end()
    tag = TAG.match(text, at)
    if not tag:
        half = _HALF_ANGLED.match(text, at)
        return None if not ended and half and half.end() == len(text) else _LITERAL
    name, is_last = tag["name"].lower(), _BLANK.fullmatch(text, tag.end()) is not None
    if name == "br" or (name in AROUND and (is_last or _BLANK.fullmatch(text, 0, at))):
        return None if is_last and not ended else tag.end()
    closing = re.compile(rf"</{tag['name']}\s*>", re.IGNORECASE).search(text, tag.end(), at + _EMPHASIS)
    if closing and not tag["slash"]:
        return closing.end()
    if tag["slash"]:
        return _LITERAL
    return _undecided(text, at, _EMPHASIS, ended=ended)


def _reference(text: str, at: int, *, ended: bool) -> Found:
    if whole := _REFERENCE.match(text, at):
        return whole.end()
    half = _HALF_REFERENCE.match(text, at)
    return None if not ended and half and half.end() == len(text) else _LITERAL


def _address(text: str, at: int, *, ended: bool) -> Found:  # noqa: ARG001
    address = _WEB.match(text, at, at + _ADDRESS)
    return address.end() if address else _LITERAL


_READ: dict[str, Callable[..., Found]] = {
    **dict.fromkeys("\\$", _formula),
    **dict.fromkeys("[!", _link),
    **dict.fromkeys("hH", _address),
    "<": _angled,
    "&": _reference,
}


def _emphasis(text: str, at: int, mark: str, before: str, *, ended: bool) -> Found:
    after = at + len(mark)
    if after == len(text):
        return _LITERAL if ended else None
    is_inside_word = mark[0] == "_" and before.isalnum()
    if len(mark) > 3 or text[after].isspace() or is_inside_word or (mark[0] == "~" and len(mark) != 2):
        return _LITERAL
    end = min(len(text), at + _EMPHASIS)
    if not _SOME_CLOSING[mark].search(text, after, end):
        return _undecided(text, at, _EMPHASIS, ended=ended)
    for run in _CLOSING[mark[0]].finditer(text, after, end):
        is_whole = run.end() < end or (ended and end == len(text))
        if not run["run"] or len(run["run"]) < len(mark) or text[run.start() - 1].isspace() or not is_whole:
            continue
        if mark[0] != "_" or not text[run.end() : run.end() + 1].isalnum():
            return run.end()
    return _undecided(text, at, _EMPHASIS, ended=ended)


_SOME_CLOSING = {sign * length: re.compile(rf"\S{re.escape(sign * length)}") for sign in "*_~" for length in (1, 2, 3)}
_CLOSING = {sign: re.compile(rf"\\.|`[^`\n]*`|(?P<run>{re.escape(sign)}+)") for sign in "*_~"}


def written(found: Sequence[Span], before: str, after: str) -> str:
    """*found* between the characters *before* and *after*."""
    return _dressed(list(found), tuple(_MARKS), before, after)


def _dressed(found: list[Span], looks: tuple[str, ...], before: str, after: str) -> str:
    if not looks:
        return _linked(found, before, after)
    look, *others = looks
    groups = [(on, list(group)) for on, group in groupby(found, key=lambda span: bool(getattr(span, look)))]
    shown = ""
    for at, (on, group) in enumerate(groups):
        last = (shown or before)[-1]
        follows = (words_of(groups[at + 1][1]) if at + 1 < len(groups) else "")[:1] or after
        if on:
            shown += _marked(group, look, tuple(others), last, follows)
        else:
            shown += _dressed(group, tuple(others), last, follows)
    return shown


def _marked(group: list[Span], look: str, others: tuple[str, ...], before: str, after: str) -> str:
    """The *group* between marks, outside of which stands what would keep Slack from reading them."""
    mark = _MARKS[look]
    words = words_of(group)
    start, end = len(words) - len(words.lstrip()), len(words.rstrip())
    if _is_word(before) and not start:
        start = next((at for at in range(end) if _is_word(words[at])), end)
    if _is_word(after) and end == len(words):
        end = next((at for at in range(end, start, -1) if _is_word(words[at - 1])), start)
    if mark == "_" and ((not start and _is_word(before)) or (end == len(words) and _is_word(after))):
        mark = "*"
    inside = _part(group, start, end)
    if not inside or not inside[0].text or (mark == "*" and "*" in (before, after)):
        return _dressed(group, others, before, after)
    shown = _dressed(_part(group, 0, start), others, before, mark[0])
    shown += mark + _dressed(inside, others, mark[0], mark[0]) + mark
    return shown + _dressed(_part(group, end, len(words)), others, mark[0], after)


def _part(group: list[Span], start: int, end: int) -> list[Span]:
    found, at = [], 0
    for span in group:
        text = span.text[max(0, start - at) : max(0, end - at)]
        at += len(span.text)
        found += [replace(span, text=text)] if text else []
    return found


def _is_word(sign: str) -> bool:
    return sign.isalnum() or (is_wide(sign) and unicodedata.category(sign)[0] == "L")


def _linked(found: list[Span], before: str, after: str) -> str:
    shown = ""
    groups = [(*key, list(group)) for key, group in groupby(found, key=lambda span: (span.url, span.code))]
    for at, (url, is_code, group) in enumerate(groups):
        words, last = words_of(group), (shown or before)[-1]
        follows = groups[at + 1][2][0].text[:1] if at + 1 < len(groups) else after
        said = _coded(words) if is_code else literal(words, "[" if url else last)
        if url == words and follows in _BEHIND_ADDRESS and last not in "[(*_~!":
            said = url.replace("&", "&amp;")
        elif url:
            said = f"[{said.replace(']', chr(92) + ']')}]({url.replace('&', '&amp;')})"
        shown += said
    return shown


def _coded(code: str) -> str:
    if "``" in code or "\n" in code:
        return literal(code)
    marks = "``" if "`" in code else "`"
    left, right = " " * code.startswith("`"), " " * code.endswith("`")
    return f"{marks}{left}{shielded(code)}{right}{marks}"
