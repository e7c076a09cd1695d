"""The opening above an answer whose question nobody in the thread has seen: who asked, and what. Markdown."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from bots.text.cut import shortened
from core.language import marked, say

if TYPE_CHECKING:
    from core.turn import Question

QUOTE_LIMIT, WHOLE_LIMIT, NAME_LIMIT = 300, 3_000, 80  # characters
SOMEBODY = marked("Somebody")
# A backslash makes a word of any of these, https://spec.commonmark.org/0.31.2/#backslash-escapes; of tags and entities
# it does not everywhere, and before a bracket it begins a formula, so that these are named.
_MARKUP = re.compile(r"[!\"#$%')*+,\-./:=?@\\\]^_`{|}~]")
_NAMED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "(": "&#40;", "[": "&#91;"})
_UNSEEN = ("Cc", "Cf", "Cn", "Co", "Cs")


def asked(question: Question, *, whole: bool = False) -> str:
    """Return the question, quoted under the name of whoever asked it."""
    said = say("{name} asked:", name=bold(name(question)))
    return f"{said}\n{quoted(question.text, whole=whole)}"


def quoted(text: str, *, whole: bool = False) -> str:
    """Return *text* as a quote in which nothing is markup, an address, or calls anybody: one line of it, or the *whole*."""
    if not whole:
        return "> " + plain(shortened(" ".join(text.split()), QUOTE_LIMIT))
    lines = filter(None, (" ".join(line.split()) for line in text.splitlines()))
    shown = shortened("\n".join(lines), WHOLE_LIMIT)
    return "\n".join(f"> {plain(line)}" for line in shown.split("\n"))


def name(question: Question) -> str:
    """Return the asker's name, of the signs that can be seen."""
    seen = (sign for sign in question.asker_name if unicodedata.category(sign) not in _UNSEEN or sign.isspace())
    return shortened(" ".join("".join(seen).split()), NAME_LIMIT) or say(SOMEBODY)


def bold(words: str) -> str:
    return f"**{plain(words)}**"


def plain(words: str) -> str:
    """Return Markdown that reads as *words*."""
    return "".join(_NAMED.get(ord(each)) or _MARKUP.sub(r"\\\g<0>", each) for each in words)
