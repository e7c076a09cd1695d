from __future__ import annotations

import pytest

from bots.discord.bounds import MOST_CALLS, bound
from bots.discord.errors import LONGEST_WAIT

GOOD = {"X-RateLimit-Limit": "5", "X-RateLimit-Remaining": "4", "X-RateLimit-Reset-After": "1.5"}


def kept(**changes: str) -> list[str]:
    headers = GOOD | {f"X-RateLimit-{name.replace('_', '-')}": value for name, value in changes.items()} | {"Via": "1"}
    bound(headers)
    assert headers["Via"] == "1"
    return [headers[name] for name in GOOD if name in headers]


def test_what_discord_says_is_left() -> None:
    assert kept() == ["5", "4", "1.5"]
    assert kept(Reset="1795688988.9") == ["5", "4", "1.5"]


@pytest.mark.parametrize("told", ["1e9", "9" * 400, "86400"])
def test_a_window_ends_within_bounds(told: str) -> None:
    assert kept(Reset_After=told) == ["5", "4", str(LONGEST_WAIT)]


def test_a_limit_is_none_that_allows_more_calls_than_anybody_makes() -> None:
    assert kept(Limit="1" * 15, Remaining="1" * 15) == [str(MOST_CALLS), str(MOST_CALLS), "1.5"]
    assert kept(Remaining="7") == ["5", "5", "1.5"]


@pytest.mark.parametrize("name", ["Limit", "Remaining", "Reset_After"])
@pytest.mark.parametrize("told", ["", "many", "nan", "³", "1_0 0"])
def test_what_is_no_limit_is_not_kept(name: str, told: str) -> None:
    assert kept(**{name: told}) == []


@pytest.mark.parametrize("limit", ["0", "-1", "1.5", "9" * 5_000])
def test_a_limit_that_lets_nothing_through_is_not_kept(limit: str) -> None:
    assert kept(Limit=limit) == []
