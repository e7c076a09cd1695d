"""The content of one message, before a platform renders it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

STILL_AT_IT = "…"
MOST_PAGES = 10  # of an answer


class Wish(StrEnum):
    """What somebody wants who clicks."""

    AGAIN = "again"  # another answer
    SHARE = "share"  # others to see a private answer


@dataclass(frozen=True, slots=True)
class Button:
    label: str
    attempt: int  # the attempt at the turn that it stands under
    wish: Wish = Wish.AGAIN


@dataclass(frozen=True, slots=True)
class Page:
    """Page n of an answer stands in message n. All words but the aside's are in the platform's own markup."""

    text: str | None = ""  # None: the words that stand there stay, and only the button goes
    under: str = ""  # what went wrong, below the text, in small print if there is some
    aside: str = ""  # a plain sentence in small print below all that
    button: Button | None = None
    is_aside: bool = False  # it says only how it goes, nothing of the answer

    @property
    def is_placeholder(self) -> bool:
        """Does it only take the place of words that hold no longer?"""
        return self.is_aside and self.aside == STILL_AT_IT

    @property
    def has_words(self) -> bool:
        """Does it say anything of the answer?"""
        return bool(self.text or self.under) and not self.is_aside

    def digest(self, plainness: int) -> str:
        """Return the same for pages that look the same."""
        shown = (plainness, self.text, self.under, self.aside, self.button)
        return hashlib.blake2b(repr(shown).encode(errors="backslashreplace"), digest_size=8).hexdigest()
