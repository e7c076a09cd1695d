"""A local platform as a terminal sees it: somebody does a line of the script, and something is seen."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from core.errors import SetupError
from sandbox.line import FORM, Deed, Line
from sandbox.scenes.form import Field

Message = TypeVar("Message")
NOTHING_OF_THEIRS = "{person} has said nothing there that could be changed."
NOTHING_THERE = "There is no message there."
BOT = "bobbin"
WORDS = 60  # characters of what a thread begins with, by which a script calls it


@dataclass(frozen=True, slots=True)
class Glimpse:
    """A message as it looks now."""

    platform: str
    place: str
    key: str  # of the message
    author: str
    text: str  # empty when it is gone


class Scene(Protocol):
    """One local platform."""

    name: str

    def check(self, line: Line) -> None:
        """Raises SetupError if its person or place isn't there."""

    def is_possible(self, line: Line) -> bool:
        """Is there now what *line* is about?"""

    async def act(self, line: Line) -> str:
        """Do what *line* says; return what only the one who does it is told. Raises SetupError if that isn't possible there."""

    def see(self) -> AsyncIterator[Glimpse]:
        """Every message that is posted or changed, from now on."""

    @property
    def people(self) -> list[str]: ...

    @property
    def channels(self) -> list[str]:
        """Their names, with the #."""

    @property
    def commands(self) -> list[str]:
        """Those that begin with a slash, as far as the bot has declared them."""

    def labels(self) -> list[str]:
        """What can be clicked in the newest messages that have something to click."""

    @property
    def entries(self) -> list[str]:
        """What the bot has in the platform's own menus."""

    def fields(self, person: str) -> list[Field]:
        """What there is to fill in in the form that is open to *person*."""


def check(line: Line, scene: Scene) -> None:
    """Raises SetupError if the person or place of *line* isn't there."""
    places = [*scene.channels, "dm", FORM, ""]
    if line.deed is Deed.DELETE and line.text and line.text not in (*scene.people, BOT):
        raise SetupError(f"There is no “{line.text[:80]}”. People: {', '.join(scene.people)}, {BOT}.")
    wrong = next(
        (name for name, known in ((line.person, scene.people), (line.place, places)) if name not in known), None
    )
    if wrong is not None and not (wrong == line.place and line.thread is not None):
        there = f"People: {', '.join(scene.people)}. Channels: {', '.join(scene.channels)}."
        raise SetupError(f"There is no “{wrong[:80]}”. {there}")


def picked(found: Sequence[Message], line: Line, otherwise: str) -> Message:
    """The one that *line* means of those that it could be about. Raises SetupError, which says *otherwise*."""
    if line.back >= len(found):
        raise SetupError(f"There are only {len(found)} such messages there." if found and line.back else otherwise)
    return found[-1 - line.back]


def beginning(text: str) -> str:
    """The words by which a script calls the thread that begins with *text*; empty if there are none."""
    return " ".join(text.replace('"', " ").split())[:WORDS].strip()


def has_words(text: str, words: str) -> bool:
    """Has what a thread begins with *words* in it, as a script has them?"""
    return re.sub(r"\s", "", words).casefold() in re.sub(r'[\s"]', "", text).casefold()


def no_thread(words: str, platform: str) -> SetupError:
    return SetupError(f"There is no thread on {platform} that begins with “{words}”.")


def words_of(error: Exception) -> str:
    """What went wrong; the text of a KeyError would come in quotes."""
    return str(error.args[0]) if error.args else str(error)


def no_label(wanted: str, labels: Iterable[str]) -> SetupError:
    there = ", ".join(dict.fromkeys(labels))
    return SetupError(f"There is nothing to click called “{wanted[:80]}”. There is: {there or 'nothing'}.")
