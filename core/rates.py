"""Limits how much may be asked in a minute and in a day, so that nobody uses up what is for everybody."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from core.errors import TooMany
from core.language import say_n

if TYPE_CHECKING:
    from core.thread import Thread

Rate = Literal["person_minute", "person_day", "channel_minute", "channel_day"]
MINUTE, DAY = 60, 86_400  # seconds


@dataclass(frozen=True, slots=True)
class Spent:
    """The number of questions of a person, or a channel, in a minute and a day that began with a question.

    The times at which these end are seconds since 1970.
    """

    in_minute: int
    minute_ends: float
    in_day: int
    day_ends: float


@dataclass(frozen=True, slots=True)
class Over:
    """The limit that a question goes beyond, and when that ends."""

    rate: Rate
    ends: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """The number of questions for one person on a platform, and in one channel; 0: any number."""

    person_minute: int = 0
    person_day: int = 0
    channel_minute: int = 0
    channel_day: int = 0

    def subjects(self, asker: str, thread: Thread) -> tuple[str, str]:
        """Return the names under which is counted what *asker* asks, and what is asked in the channel of *thread*.

        Empty for what is not limited.
        """
        person = f"{thread.chat}/{asker}" if self.person_minute or self.person_day else ""
        return person, thread.channel if self.channel_minute or self.channel_day else ""

    def over(self, person: Spent | None, channel: Spent | None) -> Over | None:
        """Return the limit that what was *spent*, the newest question included, goes beyond; a day's before a minute's."""
        checked: tuple[tuple[Rate, int, Spent | None], ...] = (
            ("person_day", self.person_day, person),
            ("channel_day", self.channel_day, channel),
            ("person_minute", self.person_minute, person),
            ("channel_minute", self.channel_minute, channel),
        )
        for rate, limit, spent in checked:
            if limit and spent:
                is_day = rate.endswith("day")
                asked, ends = (spent.in_day, spent.day_ends) if is_day else (spent.in_minute, spent.minute_ends)
                if asked > limit:
                    return Over(rate, ends)
        return None

    def refusal(self, over: Over, now: float) -> TooMany:
        """Return what to tell *now*."""
        limit, when = getattr(self, over.rate), _in(over.ends - now)
        match over.rate:
            case "person_minute":
                sentence = say_n(
                    "You've asked me a question within a minute, and that is my limit. Please ask this one again {when}.",
                    "You've asked me {n} questions within a minute, and that is my limit. Please ask this one again {when}.",
                    limit,
                    when=when,
                )
            case "person_day":
                sentence = say_n(
                    "You've asked me a question within a day, and that is my limit. Please ask this one again {when}.",
                    "You've asked me {n} questions within a day, and that is my limit. Please ask this one again {when}.",
                    limit,
                    when=when,
                )
            case "channel_minute":
                sentence = say_n(
                    "I've been asked a question in this channel within a minute, and that is my limit. Please ask this one again {when}.",
                    "I've been asked {n} questions in this channel within a minute, and that is my limit. Please ask this one again {when}.",
                    limit,
                    when=when,
                )
            case "channel_day":
                sentence = say_n(
                    "I've been asked a question in this channel within a day, and that is my limit. Please ask this one again {when}.",
                    "I've been asked {n} questions in this channel within a day, and that is my limit. Please ask this one again {when}.",
                    limit,
                    when=when,
                )
        return TooMany(sentence)


def _in(seconds: float) -> str:
    """Say when: rounded up, since who comes too early would be refused again."""
    if seconds > 3_600:
        return say_n("in {n} hour", "in {n} hours", math.ceil(seconds / 3_600))
    if seconds > 60:
        return say_n("in {n} minute", "in {n} minutes", math.ceil(seconds / 60))
    return say_n("in {n} second", "in {n} seconds", max(1, math.ceil(seconds)))
