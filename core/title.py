"""A title for a conversation, made of its first question. Pure."""

from __future__ import annotations

import re
import unicodedata

from core.words import is_blank

LONGEST = 60  # characters
_MOST_READ = 2_000  # characters; a title is never far below
_SHORTEST = 10  # columns: what is shorter is a greeting, and goes on
_FENCE = re.compile(r"^[ \t]*(?P<mark>`{3,}|~{3,}).*?(?:^[ \t]*(?P=mark)[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[(?P<label>[^\[\]\n]{1,200})\]\([^()\s]{1,600}\)")
_ADDRESS = re.compile(r"https?://(?:www\.)?(?P<host>[^\s/?#<>|]+)[^\s<>|]*", re.IGNORECASE)
_BEFORE = re.compile(r"^[\s>#*+\-–—•·:;,.!/@|=_~]+")  # dashes
_LIST = re.compile(r"^\s*\d{1,3}[.)]\s+")
# An end that is none of a number, an initial, a short form or an address; in scripts without spaces any.
_SHORT_FORM = r"(?:(?<=\b(?i:vs|dr|mr|ms|nr|ca))|(?<=\b(?i:mrs|etc|bzw)))\.(?!\.)"
_END = re.compile(
    rf"(?<=\w\w)(?!{_SHORT_FORM})[\"'’”»)\]]{{0,3}}(?P<end>[.!?…]+)[\"'’”»)\]]{{0,3}}(?=\s)|(?P<wide>[。！？؟।])"
)
_MARKUP = frozenset("`*~|<>[]{}")
_ALONE = frozenset("*<>|")  # between two words it says something
_ESCAPE = re.compile(r"\\(?!\w)")
_CALL = re.compile(r"(?<![\w.])[@#!]+(?=\w)")
_SPACES = ("Cc", "Zs", "Zl", "Zp")
_UNSEEN = ("Cf", "Cs", "Co", "Cn")
_JOINERS = "\u200c\u200d"  # scripts and emoji need them


def title_of(text: str) -> str:
    """Return the first sentence of *text* in one line of at most `LONGEST` characters; empty if it has no words.

    Nothing in it is markup, an address or a call of anybody. A greeting takes the sentence behind it along.
    """
    text = _FENCE.sub("\n", text[:_MOST_READ])
    text = _ADDRESS.sub(r"\g<host>", _LINK.sub(r"\g<label>", text))
    for_later = ""
    for line in text.splitlines():
        words = _cleaned(line)
        if not _has_words(words):
            continue
        said = f"{for_later} {words}".strip()
        if (end := _end(said)) is not None:
            return _shortened(said[:end])
        if _columns(said) >= _SHORTEST:
            return _shortened(said)
        for_later = said
    return _shortened(for_later)


def _cleaned(line: str) -> str:
    words = _ESCAPE.sub("", _LIST.sub("", line)).split()
    seen = (word if word in _ALONE else "".join(map(_seen, word)) for word in words)
    return _BEFORE.sub("", _CALL.sub("", " ".join(" ".join(seen).split())))


def _seen(sign: str) -> str:
    category = unicodedata.category(sign)
    if category in _SPACES or sign in _MARKUP:
        # A mark inside of a word leaves no gap there.
        return " " if sign not in _MARKUP else ""
    return "" if category in _UNSEEN and sign not in _JOINERS else sign


def _has_words(line: str) -> bool:
    return not is_blank(line) and any(sign.isalnum() for sign in line)


def _end(said: str) -> int | None:
    """Return where the first sentence ends that is long enough, None if none does before the line."""
    for match in _END.finditer(said + " "):
        end = match.end()
        if _columns(said[:end]) >= _SHORTEST:
            return min(end, len(said))
    return None


def _shortened(said: str) -> str:
    said = said.strip().rstrip(",;:")
    if said.endswith(".") and not said.endswith(".."):
        said = said[:-1]
    said = said.removesuffix("。")
    if len(said) <= LONGEST:
        return said
    room = LONGEST - 1
    space = said.rfind(" ", 0, room + 1)
    column = space if space > room // 2 else _whole(said, room)
    return f"{said[:column].rstrip(' ,;:.')}…"


def _whole(said: str, column: int) -> int:
    """Return the last place up to *column* at which no sign loses its marks."""
    while column > 1 and (
        unicodedata.category(said[column])[0] == "M" or {said[column - 1], said[column]} & {*_JOINERS}
    ):
        column -= 1
    return column


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
