from __future__ import annotations

import pytest

from core.asking.patience import SECONDS, Patience
from core.backoff import Backoff
from core.upstream.errors import (
    BadRequest,
    CircuitOpen,
    UpstreamBusy,
    UpstreamCut,
    UpstreamError,
    UpstreamFailed,
    UpstreamUnreachable,
)


@pytest.mark.parametrize("error", [UpstreamFailed(status=500), UpstreamBusy(status=429), UpstreamUnreachable()])
def test_what_was_refused_as_a_whole_is_asked_again_with_growing_pauses(error: UpstreamError) -> None:
    patience = Patience(tries=4, backoff=Backoff(first=1, longest=10, jitter=0.25))
    pauses = [patience.after(error) for _ in range(4)]
    assert pauses[3] is None
    for pause, mean in zip(pauses, [1, 2, 4], strict=False):
        assert pause is not None
        assert mean * 0.75 <= pause <= mean * 1.25


@pytest.mark.parametrize(
    "error", [UpstreamCut(), UpstreamFailed(status=200), UpstreamBusy(status=200), BadRequest(status=400), OSError()]
)
def test_what_may_have_been_heard_is_not(error: Exception) -> None:
    assert Patience().after(error) is None


def test_it_is_never_earlier_than_the_service_wishes() -> None:
    pause = Patience().after(UpstreamBusy(status=429, retry_after=7))
    assert pause is not None
    assert 7 <= pause < 8


def test_a_wish_beyond_all_patience_is_not_waited_for() -> None:
    assert Patience().after(UpstreamBusy(status=429, retry_after=SECONDS + 1)) is None


def test_the_pauses_are_bounded_in_all() -> None:
    patience, busy = Patience(tries=100), UpstreamBusy(status=429, retry_after=10)
    pauses = []
    while (pause := patience.after(busy)) is not None:
        pauses.append(pause)
    assert 0 < sum(pauses) <= SECONDS


def test_what_is_away_for_a_moment_is_waited_for_without_spending_a_try() -> None:
    patience = Patience(tries=2)
    assert [patience.after(CircuitOpen(seconds=2, passes=True)) for _ in range(2)] == [2, 2]
    assert patience.after(UpstreamFailed(status=500)) is not None


def test_what_is_down_is_told_at_once() -> None:
    assert Patience().after(CircuitOpen(seconds=2)) is None


def test_nobody_waits_where_another_can_step_in() -> None:
    assert Patience(rests=False).after(CircuitOpen(seconds=2, passes=True)) is None
