"""What people say in the sandbox, a line each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import SetupError, reason

HOW = """\
PLATFORM PERSON PLACE: TEXT     for instance   slack ada #general: @bobbin What is a bobbin?
  PLATFORM  slack or discord
  PERSON    ada or ben
  PLACE     #general, #random, dm, or thread: the thread where the platform's last answer is
  TEXT      as you would type it there; /preset set model=o3 is a command
Just TEXT goes on in the thread of the last answer, as the person who spoke last; # begins a comment. Ctrl-C ends."""

_LINE = re.compile(r"(?P<platform>\w+)\s+(?P<person>\w+)\s+(?P<place>#[\w-]+|dm|thread)\s*:\s*(?P<text>.+)")


@dataclass(frozen=True, slots=True)
class Line:
    """One person says one thing somewhere."""

    platform: str
    person: str
    place: str  # "#channel", "dm" or "thread"
    text: str
    where: str = ""  # "FILE:LINE: ", to begin a complaint with; empty if it was typed


def read_line(text: str, last: Line | None, platforms: list[str]) -> Line:
    """Return what *text* says to do. Raises SetupError that says how to write it."""
    if found := _LINE.fullmatch(text):
        line = Line(**found.groupdict())
        if line.platform in platforms:
            return line
    elif last is not None and re.split(r"[\s:]", text, maxsplit=1)[0] not in platforms:
        # In a thread of Slack's the bot hears what mentions it.
        mention = "" if last.platform != "slack" or "@" in text or text.startswith("/") else "@bobbin "
        return Line(last.platform, last.person, "thread", mention + text)
    raise SetupError(f"I don't understand {text!r}. Write\n{HOW}")


def is_comment(text: str) -> bool:
    """Says this line nothing?"""
    return not text.strip() or text.lstrip().startswith("#")


def read_script(script: str, file: str, platforms: list[str]) -> Iterator[Line]:
    """Return the lines of a script, comments left out. Raises SetupError that begins with the place in *file*."""
    last = None
    for number, text in enumerate(script.splitlines(), start=1):
        if not is_comment(text):
            where = f"{file}:{number}: "
            try:
                last = replace(read_line(text.strip(), last, platforms), where=where)
            except SetupError as error:
                raise SetupError(where + error.sentence) from error
            yield last


def read_file(file: Path) -> str:
    """Return the script in *file*. Raises SetupError."""
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise SetupError(f"{file} is not UTF-8 text.") from error
    except OSError as error:
        raise SetupError(f"{file}: {reason(error)}.") from error
