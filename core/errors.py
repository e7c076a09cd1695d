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
├── UpstreamError              the service did not answer
│   ├── UpstreamBusy           retry, after `retry_after` if it names one
│   ├── UpstreamFailed         retry
│   │   └── NotTheService      something in between answered: retry, and the operator should know
│   ├── UpstreamUnreachable    retry
│   ├── CircuitOpen                not asked at all, since it is down: another model
│   ├── UpstreamCut            it began and broke off: may be in its history, so not asked again in the same conversation
│   ├── EmptyAnswer
│   ├── UnknownConversation    the id is gone: rebuild
│   ├── ConversationTooLarge   rebuild, with less
│   ├── ModerationRefused      the asker must rephrase
│   ├── BadRequest             the request itself is wrong
│   │   └── ModelRefused       there is no such model, or it can't do what is asked
│   ├── TokenRefused           the operator must act
│   ├── WrongAddress           the operator must act
│   └── UsedUp                 the operator must act
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

import math
import os
import re
import socket
from typing import ClassVar

_TRACE_ID = re.compile(r"[\w.:/+=-]{1,100}", re.ASCII)


class BobbinError(Exception):
    """Something went wrong. Please try again."""

    may_pass: ClassVar[bool] = True  # may the same question be answered later on? Else it must be asked in another way
    sends_on: ClassVar[bool] = False  # does the sentence send people to whoever runs the bot?

    def __init__(self, sentence: str | None = None) -> None:
        """Take the sentence that people read; by default the docstring of the class."""
        self.sentence = sentence or (type(self).__doc__ or "").strip()
        super().__init__(self.sentence)


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
            f"That's too long for me: {length:,} characters, and my limit is {limit:,}. Please shorten or split it."
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
        super().__init__(f"There's no preset of that name. Available: {listed}.")
        self.name = name


class UnknownModel(Refused):
    """The AI service has no such model."""

    def __init__(self, name: str, near: list[str]) -> None:
        *others, last = [f"`{one}`" for one in near] or [""]
        meant = f"{', '.join(others)} or {last}" if others else last
        listed = f" Did you mean {meant}?" if meant else ""
        super().__init__(f"The AI service has no model {_quoted(name)}, or doesn't let me use it.{listed}")


class ModelUntried(Refused):
    """I couldn't find out whether the AI service has that model. Please try again in a minute."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"I couldn't find out in time whether the AI service has a model {_quoted(name)}, so nothing has changed. "
            "Please try again in a minute."
        )


class UpstreamError(BobbinError):
    """The AI service didn't answer. Please try again in a moment."""

    retryable: ClassVar[bool] = False  # may the same request be sent again, no byte of an answer having come?
    for_operator: ClassVar[bool] = False  # can only whoever runs the bot mend it?
    bare: ClassVar[str] = ""  # what people read where the docstring names what this question doesn't have

    def __init__(
        self,
        detail: str = "",
        *,
        code: str = "unknown",
        status: int | None = None,
        trace_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        """Keep what the service said, for whoever runs the bot.

        *detail* and *code* are the service's own words and never shown to people; *detail* may quote what somebody
        asked, and is never logged. *status* is the HTTP status, None when none came; *trace_id* is the service's own
        reference; *retry_after* in seconds.
        """
        super().__init__()
        self.detail = detail
        self.code = code
        self.status = status
        self.trace_id = trace_id
        self.retry_after = retry_after

    def __str__(self) -> str:
        """For whoever runs the bot: what the service said, and its reference."""
        where = f"HTTP {self.status} " if self.status else ""
        trace = f" (trace {self.trace_id})" if self.trace_id else ""
        return f"{where}{self.code}: {self.detail or type(self).__name__}{trace}"


class UpstreamBusy(UpstreamError):
    """The AI service is busy right now. Please try again in a minute."""

    retryable = True


class UpstreamFailed(UpstreamError):
    """Something went wrong at the AI service. Please try again in a moment."""

    retryable = True


class NotTheService(UpstreamFailed):
    """Something else answers in place of the AI service, such as a proxy or a login page. Please try again in a few minutes. If it stays like this, tell the person who runs me."""

    for_operator = True
    sends_on = True


class UpstreamUnreachable(UpstreamError):
    """The AI service can't be reached right now. Please try again in a few minutes."""

    retryable = True


class CircuitOpen(UpstreamError):
    """The AI service is down right now. Please try again in a few minutes."""

    def __init__(
        self, detail: str = "", *, seconds: float = 0.0, passes: bool = False, code: str = "circuit_open"
    ) -> None:
        """*seconds* until it is tried again; *passes*: may it have been a moment only, worth waiting for?"""
        super().__init__(detail, code=code)
        self.seconds = seconds
        self.passes = passes
        self.sentence = f"The AI service is down right now. Please try again in about {_about(seconds)}."


class UpstreamCut(UpstreamError):
    """The answer was cut off; what came of it, if anything, is above. Please try again."""

    bare = "The AI service broke off before it answered. Please try again."


class EmptyAnswer(UpstreamError):
    """The AI service returned an empty answer. Please try again or rephrase."""


class UnknownConversation(UpstreamError):
    """The AI service no longer remembers this conversation. Please ask again."""


class ConversationTooLarge(UpstreamError):
    """This conversation or attachment is too big for the AI service. Please start a new thread."""

    may_pass = False

    bare = "Your message is too long for the AI service. Please shorten it."


class ModerationRefused(UpstreamError):
    """The AI service won't answer this. Try asking differently."""

    may_pass = False


class BadRequest(UpstreamError):
    """The AI service didn't accept this question. Please rephrase it, or leave out the attachments. If that doesn't help, tell the person who runs me."""

    may_pass = False
    sends_on = True
    bare = "The AI service didn't accept this question. Please rephrase it. If that doesn't help, tell the person who runs me."


class ModelRefused(BadRequest):
    """The AI service rejected this model. Maybe it doesn't exist, or can't do this: see `preset show`."""

    may_pass = True  # with another model
    sends_on = False


class TokenRefused(UpstreamError):
    """I can't use the AI service because my access to it isn't working. Please tell the person who runs me."""

    for_operator = True
    sends_on = True


class WrongAddress(UpstreamError):
    """I can't use the AI service because its address is set up wrong. Please tell the person who runs me."""

    for_operator = True
    sends_on = True


class UsedUp(UpstreamError):
    """The AI budget is used up. Please tell the person who runs me."""

    for_operator = True
    sends_on = True


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
    found: dict[str, object] = {"kind": type(error).__name__}
    match error:
        case UpstreamError():
            trace = error.trace_id or ""
            found |= {"status": error.status, "code": error.code, "trace": trace if _TRACE_ID.fullmatch(trace) else ""}
        case ChatError():
            found |= {"code": error.code, "detail": error.detail}
        case FileError():
            found |= {"code": error.code}
        case CannotBeKept():
            found |= {"detail": error.detail}
    causes, cause = [], error.__cause__
    while cause is not None:
        causes.append(type(cause).__name__)
        cause = cause.__cause__
    return {name: value for name, value in {**found, "causes": causes}.items() if value}


def _quoted(name: str) -> str:
    """Return what somebody wrote in place of a name, as one line of code."""
    return f"`{' '.join(name.split()).replace('`', 'ˋ')}`"


def _about(seconds: float) -> str:
    if seconds > 90:
        return f"{math.ceil(seconds / 60)} minutes"
    return f"{max(5, math.ceil(seconds / 5) * 5)} seconds"


def reason(error: OSError) -> str:
    """Say in the system's words why something like opening a port failed; asyncio words some of these itself."""
    if isinstance(error, socket.gaierror) or not error.errno:
        return error.strerror or str(error)
    return os.strerror(error.errno)
