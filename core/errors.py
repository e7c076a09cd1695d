"""Everything that can go wrong, each with the sentence that people read in the thread.

BobbinError
├── Refused                    a question or command that can't be taken as it is
│   ├── NothingAsked
│   ├── NothingReadable        there is nothing in it but files, and none can be read
│   ├── TooLong
│   ├── TooMany
│   ├── NotAllowed
│   ├── Unwelcome              who asks may not, whatever it is: nothing of it is recorded
│   │   └── BotsAlone
│   ├── UnknownPreset
│   ├── UnknownModel           the service has none of that name
│   └── ModelUntried           nobody can say yet whether it has
├── UpstreamError              the service did not answer: its kinds are in core/upstream/errors.py
├── ChatError                  the platform would not show it
│   ├── ThreadGone             deleted, archived, left: stop
│   │   └── AnswerDeleted      somebody deleted a message of the answer: a wish while it streams
│   ├── ChatForbidden          somebody must grant something: say so once, stop
│   ├── ChatBusy               later
│   │   ├── ChatLimited        too much at once: it was surely not done
│   │   └── ChatUnclear        nobody can say what its reply means: later, and perhaps it was done
│   │       └── RefusalUnclear it refuses, for a reason that isn't known here
│   ├── ChatClosed             the token is refused: the operator must act
│   └── ChatRejected           the payload is wrong: ours to mend
│       └── PayloadRefused     the same words may pass if they are dressed more plainly
├── FileError                  a file is not given to the AI service: it is told beside the answer
│   ├── FileGone               deleted, or not for the bot
│   ├── FileBusy               later
│   ├── FileForbidden          the operator must grant something
│   ├── FileElsewhere          the platform has only a link to it
│   ├── FileFalse              it isn't what its name says
│   ├── FileTooLarge
│   ├── FileNotText
│   ├── FileEmpty
│   └── FileUnlinked           the operator has set no address under which the service could fetch it
│       └── FileTooLong        nor is it short enough to be quoted
├── StorageUnavailable         the database can't be reached
├── CannotBeKept               the database is there, and refuses what it is given: trying again would not help
├── Overtaken                  another process took this turn over
├── StopWanted                 somebody has told the bot to stop
├── TakesProcessesDown         a turn that was cut off so often that it is failed instead
└── SetupError                 Bobbin can't start like this
"""

from __future__ import annotations

import os
import socket
from typing import ClassVar

from core.language import number, say


class BobbinError(Exception):
    """Something went wrong. Please try again."""

    may_pass: ClassVar[bool] = True  # may the same question be answered later on? Else it must be asked in another way
    sends_on: ClassVar[bool] = False  # does the sentence send people to whoever runs the bot?

    def __init__(self, sentence: str | None = None) -> None:
        """Take the sentence that people read; by default the docstring of the class."""
        self._sentence = sentence
        super().__init__(sentence or self._written())

    @property
    def sentence(self) -> str:
        """What people read, in the language that is spoken when they are told."""
        return self._sentence or say(self._written())

    @sentence.setter
    def sentence(self, sentence: str) -> None:
        self._sentence = sentence

    @property
    def facts(self) -> dict[str, object]:
        """What the log may tell of it, beside its kind: codes and ids, and no texts, since those may quote anything."""
        return {}

    @classmethod
    def _written(cls) -> str:
        return (cls.__doc__ or "").strip()


class Refused(BobbinError):
    """I can't use that message as it is."""


class NothingAsked(Refused):
    """Hi! Mention me and ask your question in the same message."""


class NothingReadable(Refused):
    """I can't read what you sent. Ask me something in words, and I'll answer."""


class TooLong(Refused):
    """That's too long for me."""

    def __init__(self, length: int, limit: int) -> None:
        super().__init__(
            say(
                "That's too long for me: {length} characters, and my limit is {limit}. Please shorten or split it.",
                length=number(length),
                limit=number(limit),
            )
        )


class TooMany(Refused):
    """I have more questions to answer than I can keep up with. Please ask this one again in a few minutes."""


class NotAllowed(Refused):
    """You don't have permission to change this."""


class Unwelcome(Refused):
    """I may not answer you here. If you think that I should, please ask the people who run me."""

    def __init__(self, sentence: str | None = None, *, is_news: bool = False) -> None:
        """*is_news*: is it to be told even where refusals are usually met with silence?"""
        super().__init__(sentence)
        self.is_news = is_news


class BotsAlone(Unwelcome):
    """Only bots have asked here of late. I go on when a person asks."""


class UnknownPreset(Refused):
    """There is no such preset."""

    def __init__(self, name: str, known: list[str]) -> None:
        listed = ", ".join(f"`{one}`" for one in known)
        super().__init__(say("There's no preset of that name. Available: {presets}.", presets=listed))
        self.name = name


class UnknownModel(Refused):
    """The AI service has no such model."""

    def __init__(self, name: str, near: list[str]) -> None:
        told = say("The AI service has no model {model}, or doesn't let me use it.", model=_quoted(name))
        *others, last = [f"`{one}`" for one in near] or [""]
        meant = say("{several} or {last}", several=say(", ").join(others), last=last) if others else last
        super().__init__(f"{told} {say('Did you mean {models}?', models=meant)}" if meant else told)


class ModelUntried(Refused):
    """I couldn't find out whether the AI service has that model. Please try again in a minute."""

    def __init__(self, name: str) -> None:
        super().__init__(
            say(
                "I couldn't find out in time whether the AI service has a model {model}, so nothing has changed. Please try "
                "again in a minute.",
                model=_quoted(name),
            )
        )


class ChatError(BobbinError):
    """The chat platform did not take the message."""

    def __init__(self, detail: str = "", *, code: str = "unknown", retry_after: float | None = None) -> None:
        """Keep the platform's *code* and *detail* for the log, so that nobody's words may be in them; *retry_after* in seconds."""
        super().__init__()
        self.detail = detail
        self.code = code
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.code}: {self.detail or type(self).__name__}"

    @property
    def facts(self) -> dict[str, object]:
        return {"code": self.code, "detail": self.detail}


class ThreadGone(ChatError):
    """The thread, or the message with the answer, is gone."""


class AnswerDeleted(ThreadGone):
    """A message with the answer was deleted."""


class ChatForbidden(ChatError):
    """The bot may not write there."""


class ChatBusy(ChatError):
    """The platform is busy or limits the rate."""


class ChatLimited(ChatBusy):
    """The platform limits the rate."""


class ChatUnclear(ChatBusy):
    """The platform answered something that can't be understood."""


class RefusalUnclear(ChatUnclear):
    """The platform refuses for a reason that isn't known."""


class ChatClosed(ChatError):
    """The platform refuses the bot's token."""


class ChatRejected(ChatError):
    """The platform refuses the message as it is."""


class PayloadRefused(ChatRejected):
    """The platform refuses how the message is written."""


class FileError(BobbinError):
    """I couldn't open this file"""  # no stop: what becomes of it follows

    def __init__(self, *, code: str = "") -> None:
        """*code* says why, for the log: no name, no address and nothing of the file."""
        super().__init__()
        self.code = code

    def __str__(self) -> str:
        return self.code or type(self).__name__

    @property
    def facts(self) -> dict[str, object]:
        return {"code": self.code}


class FileGone(FileError):
    """I can't find this file any more"""


class FileBusy(FileError):
    """I couldn't fetch this file just now"""


class FileForbidden(FileError):
    """I'm not allowed to open files here yet"""


class FileElsewhere(FileError):
    """I can't open files that are kept somewhere else"""


class FileFalse(FileError):
    """I can't read a file that isn't what its name says"""


class FileTooLarge(FileError):
    """I can read files of up to 25 MB"""


class FileNotText(FileError):
    """I can't read this as text"""


class FileEmpty(FileError):
    """I can't read an empty file"""


class FileUnlinked(FileError):
    """I can't open images and documents here yet"""


class FileTooLong(FileUnlinked):
    """I can read text files of up to 64 kB here"""


class StorageUnavailable(BobbinError):
    """I can't take questions right now: my database is unavailable. Please try again in a minute."""


class CannotBeKept(BobbinError):
    """I couldn't save this. Please rephrase it and try again."""

    may_pass = False

    def __init__(self, detail: str = "") -> None:
        """Keep why, in the database's words, for the log: none of people's."""
        super().__init__()
        self.detail = detail

    def __str__(self) -> str:
        return self.detail or type(self).__name__

    @property
    def facts(self) -> dict[str, object]:
        return {"detail": self.detail}


class Overtaken(BobbinError):
    """Another process has taken this turn over."""


class StopWanted(BobbinError):
    """I was told to stop."""


class TakesProcessesDown(BobbinError):
    """I tried several times but couldn't answer this. Please rephrase it."""

    may_pass = False


class SetupError(BobbinError):
    """Bobbin can't start like this."""


def facts(error: BaseException) -> dict[str, object]:
    """Return what the log may tell of *error*: its kind, the kinds of its causes, codes and ids.

    The texts of errors are left out, since they may quote anything.
    """
    found = {"kind": type(error).__name__, **(error.facts if isinstance(error, BobbinError) else {})}
    causes, cause = [], error.__cause__
    while cause is not None:
        causes.append(type(cause).__name__)
        cause = cause.__cause__
    return {name: value for name, value in {**found, "causes": causes}.items() if value}


def _quoted(name: str) -> str:
    """Return what somebody wrote in place of a name, as one line of code."""
    return f"`{' '.join(name.split()).replace('`', 'ˋ')}`"


def referring(problem: str, reference: str, contact: str = "") -> str:
    """Return the *problem* that people are told, with what they need if they ask about it, and whom they may ask."""
    if contact:
        return say(
            "{problem} (Contact: {contact}. Reference: `{reference}`)",
            problem=problem,
            contact=contact,
            reference=reference,
        )
    return say("{problem} (Reference: `{reference}`)", problem=problem, reference=reference)


def reason(error: OSError) -> str:
    """Say in the system's words why something like opening a port failed; asyncio words some of these itself."""
    if isinstance(error, socket.gaierror) or not error.errno:
        return error.strerror or str(error)
    return os.strerror(error.errno)
