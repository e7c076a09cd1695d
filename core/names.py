"""Names of people, channels and roles, which are whatever somebody typed: made safe to stand among words."""

from __future__ import annotations

import unicodedata

from core.words import is_blank

LONGEST = 80  # characters; platforms give people no more
# For whom, or for what, nobody has told a name.
SOMEONE, GROUP, CHANNEL = "someone", "group", "channel"
# What Markdown, a chat or JSON may act on, and quotation marks, in which names are told.
_MARKUP = frozenset('"`*~|<>[]{}\\“”„‟«»＂｀')
_SPACES = ("Cc", "Zs", "Zl", "Zp")
_UNSEEN = ("Cf", "Cs", "Co", "Cn")  # some of these turn the order of what follows
_CALLS = "@#!/ "  # at the beginning, they make a mention or a command of it


def tame(name: object) -> str:
    """Return *name* in one line without markup, and not too long; empty if nothing of it would be seen."""
    if not isinstance(name, str):
        return ""
    line = " ".join("".join(map(_tamed, name[: LONGEST * 10])).split()).lstrip(_CALLS)
    if is_blank(line):
        return ""
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1].rstrip()}…"


def among_words(name: object, otherwise: str = SOMEONE) -> str:
    """Return *name* as it is told among words: in quotation marks if it is several, so that one sees where it ends."""
    tamed = tame(name) or otherwise
    return f'"{tamed}"' if " " in tamed else tamed


def _tamed(sign: str) -> str:
    category = unicodedata.category(sign)
    if category in _SPACES or sign in _MARKUP:
        return " "
    return "" if category in _UNSEEN else sign
