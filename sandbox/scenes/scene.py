"""A local platform as a terminal sees it: somebody does a line of the script, and something is seen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Protocol

from core.errors import SetupError
from sandbox.line import Line

NOTHING_OF_THEIRS = "{person} has said nothing there that could be changed."
NOTHING_THERE = "There is no message there."


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

    async def act(self, line: Line) -> None:
        """Do what *line* says. Raises SetupError if that isn't possible there."""

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


def check(line: Line, scene: Scene) -> None:
    """Raises SetupError if the person or place of *line* isn't there."""
    places = [*scene.channels, "dm", ""]
    wrong = next(
        (name for name, known in ((line.person, scene.people), (line.place, places)) if name not in known), None
    )
    if wrong is not None and not (wrong == line.place and line.thread is not None):
        there = f"People: {', '.join(scene.people)}. Channels: {', '.join(scene.channels)}."
        raise SetupError(f"There is no “{wrong[:80]}”. {there}")


def words_of(error: Exception) -> str:
    """What went wrong; the text of a KeyError would come in quotes."""
    return str(error.args[0]) if error.args else str(error)


def no_label(wanted: str, labels: Iterable[str]) -> SetupError:
    there = ", ".join(dict.fromkeys(labels))
    return SetupError(f"There is nothing to click called “{wanted[:80]}”. There is: {there or 'nothing'}.")
