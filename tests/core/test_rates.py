"""When a rate is exceeded, and what is told then."""

from __future__ import annotations

import pytest

from core.rates import DAY, Over, Rate, Rates, Spent
from core.thread import PlaceId, Thread, ThreadId

RATES = Rates(person_minute=3, person_day=10, channel_minute=5, channel_day=20)
HERE = Thread(ThreadId("chat:work/1"), "chat", (PlaceId("chat:work"), PlaceId("chat:work/general")))
NOW = 1_000_000.0


def spent(in_minute: int, in_day: int) -> Spent:
    return Spent(in_minute, NOW + 30, in_day, NOW + 7_000)


@pytest.mark.parametrize(
    ("person", "channel", "rate"),
    [
        ((3, 3), (5, 5), None),
        ((4, 4), (4, 4), "person_minute"),
        ((1, 11), (1, 11), "person_day"),
        ((4, 11), (4, 11), "person_day"),
        ((1, 1), (6, 6), "channel_minute"),
        ((1, 1), (1, 21), "channel_day"),
    ],
)
def test_a_limit_is_exceeded_by_one_more(person: tuple[int, int], channel: tuple[int, int], rate: Rate | None) -> None:
    over = RATES.over(spent(*person), spent(*channel))
    assert (over and over.rate) == rate
    assert Rates().over(spent(*person), spent(*channel)) is None


def test_a_person_is_counted_on_a_whole_platform_and_what_has_no_limit_is_not() -> None:
    assert RATES.subjects("ada", HERE) == ("chat/ada", "chat:work/general")
    assert Rates(channel_day=1).subjects("ada", HERE) == ("", "chat:work/general")
    assert Rates(person_minute=1).subjects("ada", HERE) == ("chat/ada", "")


@pytest.mark.parametrize(
    ("rate", "ends", "told"),
    [
        ("person_minute", 0.2, "You've asked me 3 questions within a minute, and that is my limit. * in 1 second."),
        ("person_minute", 59.1, "* in 60 seconds."),
        ("person_day", 61, "You've asked me 10 questions within a day, and that is my limit. * in 2 minutes."),
        ("channel_minute", 12, "I've been asked 5 questions in this channel within a minute, * in 12 seconds."),
        ("channel_day", DAY, "I've been asked 20 questions in this channel within a day, * in 24 hours."),
        ("channel_day", -1, "* in 1 second."),
    ],
)
def test_what_is_told_says_when_it_ends(rate: Rate, ends: float, told: str) -> None:
    first, last = told.split("*")
    sentence = RATES.refusal(Over(rate, NOW + ends), NOW).sentence
    assert sentence.startswith(first)
    assert sentence.endswith(last)


def test_one_question_is_one() -> None:
    over = Over("person_day", NOW + 1)
    assert "asked me a question within a day" in Rates(person_day=1).refusal(over, NOW).sentence
