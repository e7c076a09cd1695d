"""The content of one message, before a platform renders it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

STILL_AT_IT = "…"
MOST_PAGES = 10  # of an answer


class Wish(StrEnum):
    """The wishes that a button can stand for."""

    AGAIN = "again"  # another answer
    SHARE = "share"  # others to see a private answer
    STOP = "stop"  # no more of an answer that is being written
    INSTEAD = "instead"  # a question that waits to be answered instead of what is being answered
    CONTINUE = "continue"  # more of an answer that broke off
    GOOD = "good"  # to say that it is a good answer
    BAD = "bad"  # or a bad one
    MORE = "more"  # to know more about an answer
    BRANCH = "branch"  # to go on from an answer in a thread of its own
    EXPORT = "export"  # a file of the thread


# What stands under an answer that is finished, and may stay there while another one is on its way: it says by its
# attempt that it is of the earlier one.
OF_FINISHED = frozenset({Wish.CONTINUE, Wish.GOOD, Wish.BAD, Wish.MORE, Wish.BRANCH, Wish.EXPORT})


@dataclass(frozen=True, slots=True)
class Button:
    label: str
    attempt: int  # the attempt at the turn that it stands under
    wish: Wish = Wish.AGAIN
    lasts: bool = False  # may it stay as long as the answer does that it stands under?
    helps_at: int = 0  # until then, in seconds since 1970, it is of no use


@dataclass(frozen=True, slots=True)
class Page:
    """Page n of an answer stands in message n. All words but the aside's are in the platform's own markup."""

    text: str | None = ""  # None: the words that stand there stay, and only the buttons go
    under: str = ""  # what went wrong, below the text, in small print if there is some
    aside: str = ""  # a plain sentence in small print below all that
    buttons: tuple[Button, ...] = ()
    is_aside: bool = False  # it says only how it goes, nothing of the answer

    @property
    def is_placeholder(self) -> bool:
        """Does it only take the place of words that hold no longer?"""
        return self.is_aside and self.aside == STILL_AT_IT

    @property
    def is_plain(self) -> bool:
        """Is there nothing but words of an answer that grows?"""
        is_running = all(button.wish is Wish.STOP for button in self.buttons)
        return is_running and not (self.under or self.aside or self.is_aside)

    @property
    def has_words(self) -> bool:
        """Does it say anything of the answer?"""
        return bool(self.text or self.under) and not self.is_aside

    def digest(self, plainness: int) -> str:
        """Return the same for pages that look the same."""
        shown = (plainness, self.text, self.under, self.aside, self.buttons)
        return hashlib.blake2b(repr(shown).encode(errors="backslashreplace"), digest_size=8).hexdigest()
