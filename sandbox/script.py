"""What people say in the sandbox, a line each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from core.errors import SetupError

HOW = """\
PLATFORM PERSON PLACE: TEXT     for instance   slack ada #general: @bobbin What is a bobbin?
  PLATFORM  slack or discord
  PERSON    ada or ben
  PLACE     #general, #random, dm, or thread: the thread where the platform's last answer is
  TEXT      as you would type it there; /preset set model=o3 is a command
Just TEXT goes on in the thread of the last answer, as the person who spoke last. Ctrl-C ends."""

_LINE = re.compile(r"(?P<platform>\w+)\s+(?P<person>\w+)\s+(?P<place>#[\w-]+|dm|thread)\s*:\s*(?P<text>.+)")


@dataclass(frozen=True, slots=True)
class Line:
    """One person says one thing somewhere."""

    platform: str
    person: str
    place: str  # "#channel", "dm" or "thread"
    text: str


def read_line(text: str, last: Line | None, platforms: list[str]) -> Line:
    """Return what *text* says to do. Raises SetupError that says how to write it."""
    if found := _LINE.fullmatch(text):
        line = Line(**found.groupdict())
        if line.platform in platforms:
            return line
    elif last is not None:
        # In a thread of Slack's the bot hears what mentions it.
        mention = "" if last.platform != "slack" or "@" in text or text.startswith("/") else "@bobbin "
        return Line(last.platform, last.person, "thread", mention + text)
    raise SetupError(f"I don't understand {text!r}. Write\n{HOW}")


def read_script(script: str, platforms: list[str]) -> Iterator[Line]:
    """Return the lines of a script; empty ones and those that begin with # are left out. Raises SetupError."""
    last = None
    for text in script.splitlines():
        if text.strip() and not text.lstrip().startswith("# "):
            last = read_line(text.strip(), last, platforms)
            yield last
