"""Prints what people would see as it comes: line by line, with nothing in it that could steer a terminal."""

from __future__ import annotations

import sys
import unicodedata

from core.obeying import TRYING_AGAIN
from core.settings import colours_are_unwanted, terminal_can_more
from sandbox.line import Deed, Line
from sandbox.scenes import BOT, Glimpse

NAME_WIDTH = 7
# Those that turn the direction of text around: https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters
BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNSEEN = ("Cc", "Cs", "Zl", "Zp")  # controls, halves of surrogate pairs, separators of lines
BOLD, DIM, BOT_COLOUR, HINT_COLOUR = "1", "2", "1;36", "33"
PEOPLE_COLOURS = ("32", "35", "34", "31")


def safe(text: str) -> str:
    """*text* with everything made visible that a terminal would obey, but for tabs and ends of lines."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(char) if _is_unseen(char) else char for char in text)


def _is_unseen(char: str) -> bool:
    return char not in "\n\t" and (char in BIDI or unicodedata.category(char) in _UNSEEN)


def _shown(char: str) -> str:
    """The sign that Unicode has for it, or its number."""
    if char < " ":
        return chr(0x2400 + ord(char))
    return "␡" if char == "\x7f" else f"⟨U+{ord(char):04X}⟩"


def has_colours() -> bool:
    """Whether standard output is a terminal that shows them to somebody who wants them."""
    return sys.stdout.isatty() and terminal_can_more() and not colours_are_unwanted()


class Printer:
    """Prints messages as they grow."""

    def __init__(self, *, in_colour: bool = False) -> None:
        self._in_colour = in_colour
        self._printed: dict[str, list[str]] = {}  # the lines of each message that are printed
        self._growing: dict[str, Glimpse] = {}  # those whose last lines are not
        self._heading = ""
        self._last = ""  # the message to which the last line belongs
        self._old: set[str] = set()  # the messages that were there when the page was turned
        self._announced = self._rewritten = False

    @property
    def is_same_again(self) -> bool:
        """Was a new answer announced since the page was turned, and no old message changed?"""
        return self._announced and not self._rewritten

    def turn(self) -> None:
        """Begin what follows from a new line."""
        self._old = set(self._printed)
        self._announced = self._rewritten = False

    def show(self, glimpse: Glimpse) -> None:
        """Print what is new of a message. Its last line may still grow, and behind it a fence may be closed for now."""
        if not glimpse.text and glimpse.key not in self._printed and glimpse.key not in self._growing:
            return
        self._announced |= glimpse.author == BOT and TRYING_AGAIN in glimpse.text
        for other in list(self._growing.values()):
            if other.key != glimpse.key and (other.place == glimpse.place or other.author != BOT):
                self._finish(other)
        self._growing[glimpse.key] = glimpse
        self._print(glimpse, glimpse.text.split("\n")[:-2])

    def say(self, text: str, style: str = "") -> None:
        """Print something of our own."""
        print(self._styled(safe(text), style), flush=True)

    def news(self, text: str) -> None:
        """Print what became of the bot."""
        self.say(f"\n── {text} ──", DIM)
        self._heading = self._last = ""

    def hint(self, text: str) -> None:
        self.say(f"{'':>{NAME_WIDTH}} ({text})", HINT_COLOUR)

    def act(self, line: Line) -> None:
        """Print what leaves no message of its own."""
        if line.place:
            self._head(f"{line.platform} {line.place}")
        self._last = ""
        mark, text = ("│", line.text) if line.deed is Deed.SAY else ("▸", f"{line.deed} {line.text}".rstrip())
        first, *more = text.split("\n")
        self._line(line.person, mark, first)
        for one in more:
            self._line("", mark, one)

    def finish(self) -> None:
        """Print the rest of every message that grew."""
        for glimpse in list(self._growing.values()):
            self._finish(glimpse)

    def _finish(self, glimpse: Glimpse) -> None:
        self._print(glimpse, glimpse.text.split("\n") if glimpse.text else [], is_whole=True)
        self._growing.pop(glimpse.key, None)

    def _head(self, place: str) -> None:
        """Say where, unless that was said last."""
        if place != self._heading:
            print(f"\n{self._styled(f'── {safe(place)} ──', BOLD)}", flush=True)
            self._heading = place

    def _print(self, glimpse: Glimpse, lines: list[str], *, is_whole: bool = False) -> None:
        known = self._printed.get(glimpse.key, [])
        if known and not glimpse.text:
            self._head(f"{glimpse.platform} {glimpse.place}")
            self._line(glimpse.author, "✗", "(deleted)")
            self._printed[glimpse.key] = []
            return
        again = False
        if lines[: len(known)] != known:
            if not lines or (len(lines) < len(known) and not is_whole):
                return
            known, again = [], True
        self._rewritten |= glimpse.key in self._old and len(lines) > len(known)
        if again or len(lines) > len(known):
            self._head(f"{glimpse.platform} {glimpse.place}")
        if again:
            self._line(glimpse.author, "↻", "")
            self._last = glimpse.key
        for line in lines[len(known) :]:
            self._line("" if self._last == glimpse.key else glimpse.author, "│", line)
            self._last = glimpse.key
        self._printed[glimpse.key] = lines

    def _line(self, name: str, mark: str, text: str) -> None:
        name = safe(name)
        colour = BOT_COLOUR if name == BOT else PEOPLE_COLOURS[sum(map(ord, name)) % len(PEOPLE_COLOURS)]
        shown = self._styled(f"{name:>{NAME_WIDTH}}", colour) if name else " " * NAME_WIDTH
        print(f"{shown} {self._styled(mark, DIM)} {safe(text)}".rstrip(), flush=True)

    def _styled(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._in_colour and style else text
