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
            (thread 2: that of the second thing that was said outside of threads there;
            thread "WORDS": the newest that begins with something in which these words are)
  TEXT      as you would type it there; /preset set model=o3 is a command
Just TEXT goes on in the thread of the last answer, as the person who spoke last; # begins a comment.
In place of TEXT, or alone:
  :edit TEXT    change what that person said last    :delete       take it back
  :click LABEL  a button, or a choice of a menu      :react NAME   to the newest message
  :reply TEXT   to the newest message, on Discord    :thread NAME  open one there, on Discord
  :menu ENTRY   of the newest message, or of Slack   :file PATH    send a file, with TEXT behind it
  :fill LABEL = TEXT  in the form that is open       :send :close  that form
  :as NAME      go on as somebody else               :help         say this again
  :kill :start  the bot's process
  :fault NAME   down, cut, amnesia, limit or redeliver; with off behind it, no more
An older message is reached by back 1, back 2 and so on behind PLACE.
Ctrl-D or Ctrl-C ends."""

FAULTS = ("down", "cut", "amnesia", "limit", "redeliver")
ANYWHERE = "anywhere"  # on the platform
FORM = "form"  # the place where one fills in what the bot has opened to that person

DEED = re.compile(r":(?P<name>[a-z]+)(?:\s+(?P<rest>.*))?", re.DOTALL)


class Deed(StrEnum):
    SAY = "say"
    EDIT = "edit"
    DELETE = "delete"
    CLICK = "click"
    REACT = "react"  # or take that back, as on the platforms
    REPLY = "reply"
    THREAD = "thread"
    MENU = "menu"
    FILL = "fill"
    SEND = "send"
    CLOSE = "close"
    FILE = "file"  # stands before a text, which then is said with it
    AS = "as"
    FAULT = "fault"
    KILL = "kill"
    START = "start"
    HELP = "help"
    MEANWHILE = "meanwhile"  # the next line does not wait until the last one's answer is shown, only until it begins


ALONE = (Deed.FAULT, Deed.KILL, Deed.START, Deed.HELP, Deed.MEANWHILE)  # what needs nobody who does it
WITHOUT_WORDS = (Deed.SEND, Deed.CLOSE, Deed.KILL, Deed.START, Deed.HELP, Deed.MEANWHILE)
SAYS = (Deed.SAY, Deed.REPLY)
TO_A_MESSAGE = (Deed.EDIT, Deed.DELETE, Deed.CLICK, Deed.REACT, Deed.REPLY, Deed.THREAD, Deed.MENU)
IN_A_FORM = (Deed.FILL, Deed.SEND, Deed.CLOSE)
_THREAD = re.compile(r'thread(?: (?:(?P<number>\d+)|"(?P<words>.+)"))?')
_ESCAPED = re.compile(r"\\+:")


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
    place: str  # "#channel", "dm", "form", "thread", "thread 2", or 'thread "words"'; empty for an edit and the like: wherever that was
    text: str  # what is said, or what belongs to the deed
    where: str = ""  # "FILE:LINE: ", to begin a complaint with; empty if it was typed
    deed: Deed = Deed.SAY
    files: tuple[Sent, ...] = ()
    is_meanwhile: bool = False
    back: int = 0  # how far behind the newest message that it could be about

    @property
    def begins(self) -> bool:
        """Is it said outside of threads, so that a thread may come of it?"""
        return self.deed is Deed.THREAD or (self.deed in SAYS and bool(self.place) and self.thread is None)

    @property
    def thread(self) -> int | str | None:
        """The number of the thread that it is in, or words of what began it; 0 for the last one, None if it is in none."""
        found = _THREAD.fullmatch(self.place)
        return found and (found["words"] or int(found["number"] or 0))


def is_deed(text: str) -> bool:
    """Does it do something else than say *text*? A word between colons is an emoji, and no deed."""
    return bool(DEED.fullmatch(text))


def write(line: Line) -> str:
    """What says *line* in a script, without regard to the lines before it; the opposite of reading."""
    text = re.sub(r"\r\n|\r", "\n", line.text)
    if line.deed in SAYS:
        text = text.lstrip()
        text = f"\\{text}" if is_deed(text) or _ESCAPED.match(text) else text
        text = "".join([*map(_written, line.files), text])
    if line.deed is not Deed.SAY:
        text = f":{line.deed} {text}"
    first, *more = text.strip().split("\n")
    back = f" back {line.back}" if line.back else ""
    head = f"{line.platform} {line.person} {line.place or ANYWHERE}{back}: " if line.platform else ""
    meanwhile = f":{Deed.MEANWHILE}\n" if line.is_meanwhile else ""
    return meanwhile + "\n".join([f"{head}{first}", *(f"  | {one}" for one in more)])


def unescaped(text: str) -> str:
    """What *text* says, if a backslash stands before its colon so that it is no deed."""
    return text[1:] if _ESCAPED.match(text) else text


def _written(file: Sent) -> str:
    content = base64.b64encode(file.content).decode()
    return f':file "{file.name.replace(chr(34), "_")}" data:{file.kind};base64,{content} '
