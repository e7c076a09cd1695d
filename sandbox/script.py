"""Reads what people do in the sandbox, a line each, as it is typed or stands in a script."""

from __future__ import annotations

import base64
import binascii
import mimetypes
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from core.errors import SetupError, reason
from sandbox.line import (
    ALONE,
    ANYWHERE,
    DEED,
    FAULTS,
    FORM,
    HOW,
    IN_A_FORM,
    SAYS,
    TO_A_MESSAGE,
    WITHOUT_WORDS,
    Deed,
    Line,
    Sent,
    is_deed,
    unescaped,
)

MOST_BYTES = 10 * 1024 * 1024  # of a script, and of a file that is sent along
MOST_FILES = 10  # in a message, as on both platforms
MOST_CHARACTERS = 40_000  # https://docs.slack.dev/changelog/2018-truncating-really-long-messages
QUOTED = 80  # characters of a line that is not understood
NO_THREAD = "There is no thread on {} yet. Say something in #general first."

_LINE = re.compile(
    r"(?P<platform>\w+)\s+(?P<person>\w+)\s+"
    r"(?P<place>#[\w-]+|dm|anywhere|form|thread(?:\s+(?:\d{1,6}|\"[^\"\n]{1,100}\"))?)"
    r"(?:\s+back\s+(?P<back>\d{1,6}))?\s*:\s*(?P<text>.+)",
    re.DOTALL,
)
_MORE = re.compile(r"\s+\|(?: (?P<text>.*))?")  # another line of the same text
_FILE = re.compile(
    r"(?:\"(?P<quoted>[^\"]+)\"|(?P<plain>\S+))(?:\s+data:(?P<kind>[\w.+/-]+);base64,(?P<content>\S*))?\s*(?P<text>.*)",
    re.DOTALL,
)


class Reader:
    """Understands lines, each from those before it."""

    def __init__(self, platforms: Iterable[str], folder: Path | None = None) -> None:
        """*folder* is where the files lie that are named in lines."""
        self._platforms = list(platforms)
        self._folder = folder or Path()
        self._begun: Counter[str] = Counter()
        self.last: Line | None = None

    def read(self, text: str) -> Line:
        """Return what *text* says to do. Raises SetupError that says how to write it."""
        line = _with_deed(self._read(text), self._folder)
        if len(line.text) > MOST_CHARACTERS:
            raise SetupError(
                f"That has {len(line.text):,} characters; {MOST_CHARACTERS:,} are the most. Send it as a file."
            )
        if not line.place and line.deed in SAYS:
            raise SetupError("Things are said in one PLACE.")
        if line.place == FORM and line.deed not in (*IN_A_FORM, Deed.CLICK):
            raise SetupError("What is done in a form is :fill, :click, :send and :close.")
        if line.back and (line.deed not in TO_A_MESSAGE or line.place == FORM):
            raise SetupError("“back” is for what is done to a message.")
        self._check_thread(line)
        return line

    def done(self, line: Line) -> None:
        """*line* was done: go on from there."""
        self._begun[line.platform] += line.begins
        if line.platform:
            place = line.place or (self.last.place if self.last else "thread")
            self.last = replace(line, place=place)

    def _read(self, text: str) -> Line:
        if found := _LINE.fullmatch(text):
            place = "" if found["place"] == ANYWHERE else " ".join(found["place"].split())
            line = Line(found["platform"], found["person"], place, found["text"], back=int(found["back"] or 0))
            if line.platform in self._platforms:
                return line
        elif is_deed(text):
            if _deed(text) in ALONE:
                return Line("", "", "", text)
            if self.last is None:
                raise SetupError("First say something, with PLATFORM, PERSON and PLACE.")
            place = "thread" if _deed(text) in (Deed.FILE, Deed.REPLY) else ""
            return Line(self.last.platform, self.last.person, place, text)
        elif self.last is not None and re.split(r"[\s:]", text, maxsplit=1)[0] not in self._platforms:
            # In a thread of Slack's the bot hears what mentions it.
            mention = "" if self.last.platform != "slack" or "@" in text or text.startswith("/") else "@bobbin "
            return Line(self.last.platform, self.last.person, "thread", mention + text)
        shown = text if len(text) <= QUOTED else f"{text[:QUOTED]}…"
        raise SetupError(f"I don't understand {shown!r}. Write\n{HOW}")

    def _check_thread(self, line: Line) -> None:
        if not isinstance(line.thread, int):
            return
        begun = self._begun[line.platform]
        if not begun:
            raise SetupError(NO_THREAD.format(line.platform.title()))
        if line.thread > begun:
            raise SetupError(
                f"There is no {line.place}: only {begun} things were said outside of threads there before."
            )


def _with_deed(line: Line, folder: Path) -> Line:
    """Read what *line* does, if it says that; a backslash before the colon says that it is text."""
    if not is_deed(line.text):
        return replace(line, text=unescaped(line.text))
    deed = _deed(line.text)
    found = DEED.fullmatch(line.text)
    rest = ((found and found["rest"]) or "").strip()
    _check_words(line, deed, rest)
    if deed is Deed.FILE:
        return _with_files(line, folder)
    line = replace(line, deed=deed, text=rest)
    match deed:
        case Deed.REPLY:
            return _with_files(line, folder)
        case Deed.AS:
            return replace(line, person=rest, text="")
        case Deed.FAULT:
            return replace(line, text=" ".join(rest.split()))
    return replace(line, place=FORM) if deed in IN_A_FORM else line


def _check_words(line: Line, deed: Deed, rest: str) -> None:
    """Raises SetupError if *rest* is not what belongs behind *deed*."""
    if bool(rest) is (deed in WITHOUT_WORDS) and deed is not Deed.DELETE:
        more = "takes nothing behind it" if rest else "needs something behind it"
        raise SetupError(f":{deed} {more}. Write\n{HOW}")
    if line.platform and deed in ALONE:
        raise SetupError(f":{deed} is nobody's: write it alone.")
    if deed is Deed.FILL and "=" not in rest:
        raise SetupError(f"Write :fill LABEL = TEXT, not {rest[:QUOTED]!r}.")
    if deed is Deed.FAULT:
        name, *more_words = rest.split()
        if name not in FAULTS or more_words not in ([], ["off"]):
            raise SetupError(
                f"There is no fault “{rest[:QUOTED]}”. There are: {', '.join(FAULTS)}; with off behind it, no more."
            )


def _with_files(line: Line, folder: Path) -> Line:
    """Take the files from the beginning of its text."""
    files: list[Sent] = []
    text = line.text
    while is_deed(text) and _deed(text) is Deed.FILE:
        if len(files) == MOST_FILES:
            raise SetupError(f"A message takes {MOST_FILES} files.")
        file, text = _file(text.partition(f":{Deed.FILE}")[2].strip(), folder)
        files.append(file)
    return replace(line, text=unescaped(text), files=tuple(files))


def _file(text: str, folder: Path) -> tuple[Sent, str]:
    """The file that *text* begins with, and what stands behind it."""
    found = _FILE.fullmatch(text)
    if found is None:
        raise SetupError(f"Name the file: :file PATH TEXT. Write\n{HOW}")
    name = found["quoted"] or found["plain"]
    if found["kind"]:
        try:
            content = base64.b64decode(found["content"], validate=True)
        except binascii.Error as error:
            raise SetupError(f"The content of {name} is not base64.") from error
        kind = found["kind"]
    else:
        content = _bytes(folder / name)
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Sent(Path(name).name, content, kind), found["text"]


def _deed(text: str) -> Deed:
    name = text[1:].split(maxsplit=1)[0]
    try:
        deed = Deed(name)
    except ValueError:
        deed = Deed.SAY
    if deed is Deed.SAY:
        raise SetupError(f"There is no :{name[:QUOTED]}. To say just that, put a backslash before it. Write\n{HOW}")
    return deed


def is_comment(text: str) -> bool:
    """Says this line nothing?"""
    return not text.strip() or text.lstrip().startswith("#")


def read_script(script: str, file: str, platforms: Iterable[str]) -> Iterator[Line]:
    """Return the lines of a script, comments left out. Raises SetupError that begins with the place in *file*."""
    reader = Reader(platforms, Path(file).parent)
    is_meanwhile, last = False, ""
    for number, text in _entries(script):
        last = where = f"{file}:{number}: "
        try:
            line = replace(reader.read(text), where=where, is_meanwhile=is_meanwhile)
        except SetupError as error:
            raise SetupError(where + error.sentence) from error
        reader.done(line)
        if line.deed in (Deed.MEANWHILE, Deed.HELP):
            is_meanwhile = line.deed is Deed.MEANWHILE
            continue
        is_meanwhile = False
        yield line
    if is_meanwhile:
        raise SetupError(f"{last}:meanwhile needs a line after it.")


def _entries(script: str) -> Iterator[tuple[int, str]]:
    """What says something, with the number of its line, and with the lines that go on with its text."""
    number, text = 0, ""
    for at, raw in enumerate(re.split(r"\r\n|\r|\n", script), start=1):
        if text and (more := _MORE.fullmatch(raw)):
            text += f"\n{more['text'] or ''}"
            continue
        if text:
            yield number, text
        number, text = at, "" if is_comment(raw) else raw.strip()
    if text:
        yield number, text


def pasted(text: str) -> list[str]:
    """The lines of what was typed or pasted at once: several if each says who speaks where, otherwise it is one text."""
    entries = [entry for _, entry in _entries(text)]
    return entries if all(_LINE.fullmatch(one) or is_deed(one) for one in entries) else [text.strip()]


def read_file(file: Path) -> str:
    """Return the script in *file*, `-` for standard input. Raises SetupError."""
    name = "Standard input" if str(file) == "-" else str(file)
    content = _bytes(file)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SetupError(f"{name} is not UTF-8 text (line {line}). Save it as UTF-8.") from error


def _bytes(file: Path) -> bytes:
    try:
        if str(file) == "-":
            content = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with file.open("rb") as opened:
                content = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise SetupError(f"{file}: {reason(error)}.") from error
    except ValueError as error:  # a null in its name
        raise SetupError(f"{str(file)!r} is no name of a file.") from error
    if len(content) > MOST_BYTES:
        raise SetupError(f"{file} is larger than {MOST_BYTES // 1024 // 1024} MB.")
    return content
