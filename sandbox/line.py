"""One thing that somebody does in the sandbox, and how a script says it."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from enum import StrEnum

HOW = """\
PLATFORM PERSON PLACE: TEXT     for instance   slack ada #general: @bobbin What is a bobbin?
  PLATFORM  slack or discord
  PERSON    ada, ben, cleo or dana
  PLACE     #general, #random, dm, or thread: the thread where the platform's last answer is
            (thread 2: that of the second thing that was said outside of threads there)
  TEXT      as you would type it there; /preset set model=o3 is a command
Just TEXT goes on in the thread of the last answer, as the person who spoke last; # begins a comment.
In place of TEXT, or alone:
  :edit TEXT    change what that person said last    :delete       take it back
  :click LABEL  a button, or a choice of a menu      :react NAME   to the newest message
  :file PATH    send a file, with TEXT behind it     :as NAME      go on as somebody else
  :kill :start  the bot's process                    :help         say this again
  :fault NAME   down, cut, amnesia, limit or redeliver; with off behind it, no more
Ctrl-D or Ctrl-C ends."""

FAULTS = ("down", "cut", "amnesia", "limit", "redeliver")
ANYWHERE = "anywhere"  # on the platform

DEED = re.compile(r":(?P<name>[a-z]+)(?:\s+(?P<rest>.*))?", re.DOTALL)


class Deed(StrEnum):
    SAY = "say"
    EDIT = "edit"
    DELETE = "delete"
    CLICK = "click"
    REACT = "react"
    FILE = "file"
    AS = "as"
    FAULT = "fault"
    KILL = "kill"
    START = "start"
    HELP = "help"
    MEANWHILE = "meanwhile"  # the next line does not wait until the last one's answer is shown, only until it begins


ALONE = (Deed.FAULT, Deed.KILL, Deed.START, Deed.HELP, Deed.MEANWHILE)  # what needs nobody who does it
WITHOUT_WORDS = (Deed.DELETE, Deed.KILL, Deed.START, Deed.HELP, Deed.MEANWHILE)


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that is sent along."""

    name: str
    content: bytes
    kind: str


@dataclass(frozen=True, slots=True)
class Line:
    """One person does one thing somewhere."""

    platform: str  # empty if it is done to the bot, as person and place are then
    person: str
    place: str  # "#channel", "dm", "thread", or "thread 2"; empty for an edit and the like: wherever that was
    text: str  # what is said, or what belongs to the deed
    where: str = ""  # "FILE:LINE: ", to begin a complaint with; empty if it was typed
    deed: Deed = Deed.SAY
    file: Sent | None = None
    is_meanwhile: bool = False

    @property
    def begins(self) -> bool:
        """Is it said outside of threads, so that a thread may come of it?"""
        return self.deed in (Deed.SAY, Deed.FILE) and bool(self.place) and not self.thread

    @property
    def thread(self) -> int | None:
        """The number of the thread that it is in; 0 for the last one, None if it is in none."""
        if not self.place.startswith("thread"):
            return None
        return int(self.place.removeprefix("thread").strip() or 0)


def is_deed(text: str) -> bool:
    """Does it do something else than say *text*? A word between colons is an emoji, and no deed."""
    return bool(DEED.fullmatch(text))


def write(line: Line) -> str:
    """What says *line* in a script, without regard to the lines before it; the opposite of reading."""
    text = re.sub(r"\r\n|\r", "\n", line.text)
    if line.deed is Deed.SAY:
        text = f"\\{text.lstrip()}" if is_deed(text.lstrip()) else text
    elif line.deed is Deed.FILE and line.file:
        content = base64.b64encode(line.file.content).decode()
        text = f':file "{line.file.name.replace(chr(34), "_")}" data:{line.file.kind};base64,{content} {text}'
    else:
        text = f":{line.deed} {text}"
    first, *more = text.strip().split("\n")
    head = f"{line.platform} {line.person} {line.place or ANYWHERE}: " if line.platform else ""
    meanwhile = f":{Deed.MEANWHILE}\n" if line.is_meanwhile else ""
    return meanwhile + "\n".join([f"{head}{first}", *(f"  | {one}" for one in more)])
