"""What can go wrong, each with the sentence that the person in the thread reads.

BobbinError
├── Refused                    a question or command that can't be taken as it is
│   ├── NothingAsked
│   ├── TooLong
│   ├── NotAllowed
│   └── UnknownPreset
├── UpstreamError              the service did not answer
│   ├── UpstreamBusy           retry, after `retry_after` if it names one
│   ├── UpstreamFailed         retry
│   │   └── NotTheService      something in between answered: retry, and the operator should know
│   ├── UpstreamUnreachable    retry
│   ├── Resting                not asked at all, since it is down: another model
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
│   ├── ChatForbidden          somebody must grant something: say so once, stop
│   ├── ChatBusy               later
│   │   ├── ChatLimited        too much at once: it was surely not done
│   │   └── ChatUnclear        nobody can say what its reply means: later, and perhaps it was done
│   │       └── RefusalUnclear it refuses, for a reason that isn't known here
│   ├── ChatClosed             the token is refused: the operator must act
│   └── ChatRejected           the payload is wrong: ours to mend
│       └── PayloadRefused     the same words may pass if they are dressed more plainly
├── StorageUnavailable         the database can't be reached
├── CannotBeKept               the database is there, and refuses what it is given: trying again would not help
├── Overtaken                  another process took this turn over
├── TakesProcessesDown         a turn that was cut off so often that it is failed instead
└── SetupError                 Bobbin can't start like this
"""

from __future__ import annotations

import math
from typing import ClassVar


class BobbinError(Exception):
    """Something went wrong. Please try again."""

    def __init__(self, sentence: str | None = None) -> None:
        """Take the sentence that people read; by default the docstring of the class."""
        self.sentence = sentence or (type(self).__doc__ or "").strip()
        super().__init__(self.sentence)


class Refused(BobbinError):
    """I can't take this as it is."""


class NothingAsked(Refused):
    """Hi! Ask me something in the same message, and I'll answer in this thread."""


class TooLong(Refused):
    """That is longer than I can take."""

    def __init__(self, length: int, limit: int) -> None:
        super().__init__(
            f"That is {length:,} characters long, and I can take {limit:,}. Please shorten it, or ask in several messages."
        )


class NotAllowed(Refused):
    """You may not change this here."""


class UnknownPreset(Refused):
    """There is no such preset."""

    def __init__(self, name: str, known: list[str]) -> None:
        listed = ", ".join(f"`{one}`" for one in known)
        super().__init__(f"I don't know a preset of that name. These exist: {listed}.")
        self.name = name


class UpstreamError(BobbinError):
    """The AI service did not answer. Please try again in a little while."""

    retryable: ClassVar[bool] = False  # may the same request be sent again, no byte of an answer having come?
    for_operator: ClassVar[bool] = False  # can only whoever runs the bot mend it?

    def __init__(
        self,
        detail: str = "",
        *,
        code: str = "unknown",
        status: int | None = None,
        trace_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        """Keep what the service said, for the log.

        *detail* and *code* are the service's own words and never shown to people; *status* is the HTTP
        status, None when none came; *trace_id* is the service's own reference; *retry_after* in seconds.
        """
        super().__init__()
        self.detail = detail
        self.code = code
        self.status = status
        self.trace_id = trace_id
        self.retry_after = retry_after

    def __str__(self) -> str:
        """For the log: what the service said, and its reference."""
        where = f"HTTP {self.status} " if self.status else ""
        trace = f" (trace {self.trace_id})" if self.trace_id else ""
        return f"{where}{self.code}: {self.detail or type(self).__name__}{trace}"


class UpstreamBusy(UpstreamError):
    """The AI service is busy right now. Please try again in a minute."""

    retryable = True


class UpstreamFailed(UpstreamError):
    """The AI service had a problem and did not answer. Please try again in a little while."""

    retryable = True


class NotTheService(UpstreamFailed):
    """Something else answers in the AI service's place, such as a proxy or a login page. Please try again in a few minutes; if it stays like this, tell whoever runs me."""

    for_operator = True


class UpstreamUnreachable(UpstreamError):
    """The AI service can't be reached right now. Please try again in a few minutes."""

    retryable = True


class Resting(UpstreamError):
    """The AI service is down at the moment. Please try again in a few minutes."""

    def __init__(self, detail: str = "", *, seconds: float = 0.0, passes: bool = False, code: str = "resting") -> None:
        """*seconds* until it is tried again; *passes*: may it have been a moment only, worth waiting for?"""
        super().__init__(detail, code=code)
        self.seconds = seconds
        self.passes = passes
        self.sentence = f"The AI service is down at the moment. It is tried again in about {_about(seconds)}; please ask again then."


class UpstreamCut(UpstreamError):
    """The AI service broke off before its answer was whole. Please ask again; what came so far, if anything did, is above."""


class EmptyAnswer(UpstreamError):
    """The AI service sent an empty answer. Please ask again, perhaps in other words."""


class UnknownConversation(UpstreamError):
    """The AI service has lost the memory of this thread. Please ask again."""


class ConversationTooLarge(UpstreamError):
    """This thread, or what was sent along, has become too large for the AI service. Please shorten it or start a new thread."""


class ModerationRefused(UpstreamError):
    """The AI service declines to answer this. Please put it in other words."""


class BadRequest(UpstreamError):
    """The AI service didn't accept this question. Please ask in other words, or without attachments; if that doesn't help, tell the person who runs me."""


class ModelRefused(BadRequest):
    """The AI service can't use this model here: it may not exist, or not be able to do this. `preset show` says which one it is."""


class TokenRefused(UpstreamError):
    """I'm not set up correctly to reach the AI service. Whoever runs me has to look at my token; please tell them."""

    for_operator = True


class WrongAddress(UpstreamError):
    """I'm not set up correctly to reach the AI service. Whoever runs me has to look at its address; please tell them."""

    for_operator = True


class UsedUp(UpstreamError):
    """The budget for the AI service is used up. Whoever runs me has to top it up; please tell them."""

    for_operator = True


class ChatError(BobbinError):
    """The chat platform did not take the message."""

    def __init__(self, detail: str = "", *, code: str = "unknown", retry_after: float | None = None) -> None:
        """Keep the platform's *code* and *detail* for the log; *retry_after* in seconds."""
        super().__init__()
        self.detail = detail
        self.code = code
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.code}: {self.detail or type(self).__name__}"


class ThreadGone(ChatError):
    """The thread, or the message with the answer, is gone."""


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


class StorageUnavailable(BobbinError):
    """I can't take questions right now, since my database can't be reached. Please try again in a minute."""


class CannotBeKept(BobbinError):
    """I couldn't save this. Please ask again in other words."""

    def __init__(self, detail: str = "") -> None:
        """Keep why, in the database's words, for the log: none of people's."""
        super().__init__()
        self.detail = detail

    def __str__(self) -> str:
        return self.detail or type(self).__name__


class Overtaken(BobbinError):
    """Another process has taken this turn over."""


class TakesProcessesDown(BobbinError):
    """I tried to answer this several times and failed each time. Please ask in another way."""


class SetupError(BobbinError):
    """Bobbin can't start like this."""


def _about(seconds: float) -> str:
    if seconds > 90:
        return f"{math.ceil(seconds / 60)} minutes"
    return f"{max(5, math.ceil(seconds / 5) * 5)} seconds"
