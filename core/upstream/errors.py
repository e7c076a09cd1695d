"""Everything that can go wrong with the AI service, each with the sentence that people read in the thread.

UpstreamError
├── UpstreamBusy           retry, after `retry_after` if it names one
├── UpstreamFailed         retry
│   └── NotTheService      something in between answered: retry, and the operator should know
├── UpstreamUnreachable    retry
├── CircuitOpen            not asked at all, since it is down: another model
├── UpstreamCut            it began and broke off: may be in its history, so not asked again in the same conversation
├── EmptyAnswer
├── UnknownConversation    the id is gone: rebuild
├── ConversationTooLarge   rebuild, with less
├── ModerationRefused      the asker must rephrase
├── BadRequest             the request itself is wrong
│   └── ModelRefused       there is no such model, or it can't do what is asked
├── TokenRefused           the operator must act
├── WrongAddress           the operator must act
└── UsedUp                 the operator must act
"""

from __future__ import annotations

import math
import re
from typing import ClassVar

from core.errors import BobbinError
from core.language import say, say_n

_TRACE_ID = re.compile(r"[\w.:/+=-]{1,100}", re.ASCII)


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

    @property
    def helps_in(self) -> float:
        """Seconds until it may help to ask again; 0 where that isn't known."""
        return self.retry_after or 0.0

    def __str__(self) -> str:
        """For whoever runs the bot: what the service said, and its reference."""
        where = f"HTTP {self.status} " if self.status else ""
        trace = f" (trace {self.trace_id})" if self.trace_id else ""
        return f"{where}{self.code}: {self.detail or type(self).__name__}{trace}"

    @property
    def facts(self) -> dict[str, object]:
        trace = self.trace_id or ""
        return {"status": self.status, "code": self.code, "trace": trace if _TRACE_ID.fullmatch(trace) else ""}


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
        self.sentence = say("The AI service is down right now. Please try again in about {time}.", time=_about(seconds))

    @property
    def helps_in(self) -> float:
        return self.seconds


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


def _about(seconds: float) -> str:
    if seconds > 90:
        return say_n("{n} minute", "{n} minutes", math.ceil(seconds / 60))
    return say_n("{n} second", "{n} seconds", max(5, math.ceil(seconds / 5) * 5))
