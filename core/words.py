"""Words and ids from outside, as every database takes them."""

from __future__ import annotations

import hashlib

LONGEST_ID = 255  # characters; the tables have room for no more, and no platform comes near it
_MARK = "~"


def whole(text: str) -> str:
    """Mend what no database or chat takes: NUL, and characters whose halves (UTF-16 surrogates) stand alone.

    Halves that stand side by side become the character that they are.
    """
    text = text.replace("\0", "\ufffd")  # PostgreSQL takes none
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def is_keepable(name: str) -> bool:
    """Can *name*, an id from outside, be kept as it is?"""
    return len(name) <= LONGEST_ID and (name.isascii() or whole(name) == name) and "\0" not in name


def keepable(name: str) -> str:
    """Return *name* if it can be kept, else one that can, the same for the same one and for no other."""
    if is_keepable(name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{whole(name[: LONGEST_ID - len(digest) - len(_MARK)])}{_MARK}{digest}"
