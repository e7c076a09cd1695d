"""Makes text and ids from outside safe for every database."""

from __future__ import annotations

import hashlib
import re
import unicodedata

LONGEST_ID = 255  # characters; the tables have room for no more, and no platform comes near it
_MARK = "~"
# Nobody sees these, though Unicode counts them as letters or symbols: the fillers of Hangul, and Braille without a dot.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800")
# Marks alone are not seen either, such as what chooses between a sign's looks.
_UNSEEN = ("Cc", "Cf", "Cs", "Mn", "Me", "Zl", "Zp", "Zs")

# A word, what may close after it, and an end that is none of an address, a number or an initial.
_SENTENCE = re.compile(r"\w\w[\"'’”»)\]*_`]{0,3}[.!?…:][\"'’”»)\]*_`]{0,3}\s|[。！？।؟]")


def has_sentence(text: str) -> bool:
    """Does *text*, of which more may come, hold a sentence that is over? A heading alone is none."""
    return _SENTENCE.search(text) is not None


# Nobody sees these either, and they come along when words are copied: zero width, directions, joiners, soft hyphens.
_ALONG = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
_SPACE = rf"[\s{_ALONG}]"
# Dashes among them; and no space follows the marks of Chinese and Japanese.
_BEHIND_NAME = re.compile(rf"{_SPACE}*(?:[,:;.!…–—-]+(?={_SPACE}|$)|,|[，、：；！。]+)?{_SPACE}*")
_ADDRESS = re.compile(r"https?://[^\s<>()\[\]\\`|]+")
_AROUND = re.compile(rf"\A{_SPACE}+|{_SPACE}+\Z")


def after_name(text: str) -> str:
    """Return what is said to somebody, without the comma, colon or dash behind their name that *text* begins with."""
    return _BEHIND_NAME.sub("", text, count=1)


def as_markdown(text: str) -> str:
    """*text* in one line, in Markdown that reads as it is; a web address stays one."""
    line = " ".join(text.split())
    # A backslash before a bracket would begin a formula.
    return line if _ADDRESS.fullmatch(line) else re.sub(r"[\\`*_\[\]()<>~|$&!]", lambda hit: f"&#{ord(hit[0])};", line)


def trimmed(text: str) -> str:
    """Return *text* without the space, and what else nobody sees, that is around it."""
    return _AROUND.sub("", text)


def seen(text: str) -> str:
    """Return *text* without what nobody sees in it, for comparing it with words that are known."""
    return re.sub(f"[{_ALONG}]", "", text)


def is_blank(text: str) -> bool:
    """Is there nothing in *text* that people would see?"""
    return all(sign in _BLANK or unicodedata.category(sign) in _UNSEEN for sign in text)


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
