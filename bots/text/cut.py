"""Cuts a text where nothing that people see as one sign is torn."""

import unicodedata
from collections.abc import Callable

_LONGEST_SIGN = 40  # characters that are kept together as one sign; a family of emoji has eleven
_FLAG_LETTERS = "".join(map(chr, range(0x1F1E6, 0x1F200)))
_ELLIPSIS = "…"
_VIRAMA = 9  # its combining class: the consonants before and after it are drawn as one


def utf8(text: str) -> int:
    """Bytes of UTF-8; half a surrogate pair, which has none, is taken for three."""
    return len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))


def utf16(text: str) -> int:
    """UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", errors="surrogatepass")) // 2


def shortened(text: str, limit: int, length: Callable[[str], int] = len) -> str:
    """*text* if it has at most *limit* by *length*, else as much of it as has, with an ellipsis that counts as well."""
    if length(text) <= limit:
        return text
    column = fitting(text, limit - length(_ELLIPSIS), length)
    return text[: whole(text, column)].rstrip() + _ELLIPSIS


def pieces(text: str, limit: int, length: Callable[[str], int] = len) -> list[str]:
    """*text*, where it has no markup, in pieces of at most *limit* by *length*: whole lines, or words, or signs.

    Text that is added to it later changes the last piece only.
    """
    found: list[str] = []
    rest = text.strip()
    while rest:
        column = fitting(rest, limit, length, 1)
        if column < len(rest):
            line, word = (max(rest.rfind(end, 0, column + 1) for end in ends) for ends in ("\n", " \t"))
            column = next((at for at in (line, word) if at > column // 2), whole(rest, column))
        found.append(rest[:column].rstrip())
        rest = rest[column:].lstrip("\n" if column and rest[column : column + 1] == "\n" else " \t\n")
    return found


def fitting(text: str, limit: int, length: Callable[[str], int], least: int = 0) -> int:
    """How many characters of *text* have at most *limit* by *length*, which never is less than one each; or *least*."""
    low, high = least, max(least, min(len(text), limit))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if length(text[:middle]) <= limit else (low, middle - 1)
    return low


def whole(text: str, column: int, least: int = 0) -> int:
    """The last place up to *column*, but behind *least*, at which a cut tears no sign; *column* if all of them do."""
    shortest = max(least, column - _LONGEST_SIGN)
    return next((place for place in range(column, shortest, -1) if not _is_torn(text, place)), column)


def _is_torn(text: str, column: int) -> bool:
    """Whether a cut tears what people see as one sign, or leaves a backslash without what it escapes.

    The rules are those of https://unicode.org/reports/tr29/ as far as the standard library knows the characters.
    """
    before, after = text[column - 1], text[column : column + 1]
    if not after:
        return False
    if before == "\\" or "\u200d" in (before, after) or (before == "\r" and after == "\n"):
        return True
    if after in _FLAG_LETTERS:  # two of them make a flag
        letters = column - len(text[:column].rstrip(_FLAG_LETTERS))
        return letters % 2 == 1
    is_drawn_with = unicodedata.combining(before) == _VIRAMA and unicodedata.category(after) == "Lo"
    return is_drawn_with or _goes_on(after) or "\ud800" <= before <= "\udbff"


def _goes_on(after: str) -> bool:
    """Whether *after* belongs to the character before it: a mark, a skin, a vowel of Hangul, a letter of a tag."""
    return (
        unicodedata.category(after) in ("Mn", "Me", "Mc")
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or "\u1160" <= after <= "\u11ff"
        or "\U000e0020" <= after <= "\U000e007f"
    )
