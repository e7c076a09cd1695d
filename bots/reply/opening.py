"""What stands above an answer where nobody in the thread has seen the question: who asked, and what. Markdown."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from bots.text.cut import shortened

if TYPE_CHECKING:
    from core.turn import Question

QUOTE_LIMIT, NAME_LIMIT = 300, 80  # characters
SOMEBODY = "Somebody"
# A backslash makes a word of any of these, https://spec.commonmark.org/0.31.2/#backslash-escapes; of tags and entities
# it does not everywhere, so that these are named.
_MARKUP = re.compile(r"[!\"#$%'()*+,\-./:=?@\[\\\]^_`{|}~]")
_NAMED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_UNSEEN = ("Cc", "Cf", "Cn", "Co", "Cs")


def asked(question: Question) -> str:
    """Return the question, quoted under the name of whoever asked it."""
    return f"{bold(name(question))} asked:\n{quoted(question.text)}"


def quoted(text: str) -> str:
    """Return *text* as a quote of one line in which nothing is markup, an address, or calls anybody."""
    return "> " + plain(shortened(" ".join(text.split()), QUOTE_LIMIT))


def name(question: Question) -> str:
    """Return the asker's name, of the signs that can be seen."""
    seen = (sign for sign in question.asker_name if unicodedata.category(sign) not in _UNSEEN or sign.isspace())
    return shortened(" ".join("".join(seen).split()), NAME_LIMIT) or SOMEBODY


def bold(words: str) -> str:
    return f"**{plain(words)}**"


def plain(words: str) -> str:
    """Return Markdown that reads as *words*."""
    return _MARKUP.sub(r"\\\g<0>", words.translate(_NAMED))
