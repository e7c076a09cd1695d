from __future__ import annotations

from contextlib import suppress

import pytest

from core.asking.breaker import Breaker
from core.backoff import Backoff
from core.upstream.errors import (
    BadRequest,
    CircuitOpen,
    EmptyAnswer,
    TokenRefused,
    UpstreamBusy,
    UpstreamCut,
    UpstreamError,
    UpstreamFailed,
    UpstreamUnreachable,
)
from tests.clock import Clock


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(failures=3, backoff=Backoff(10, 60), clock=clock, chance=lambda: 0.5)


def call(breaker: Breaker, error: UpstreamError | None = None, *, answered: bool = False) -> None:
    """One call: it fails with *error*, or is answered. Raises CircuitOpen when it may not pass."""
    breaker.check()
    with suppress(UpstreamError), breaker.watching() as answers:
        if answered or error is None:
            answers()
        if error:
            raise error


def fail(breaker: Breaker, times: int = 3) -> None:
    for _ in range(times):
        call(breaker, UpstreamFailed(status=500))


def is_told(breaker: Breaker) -> str:
    with pytest.raises(CircuitOpen) as told:
        call(breaker)
    return told.value.sentence


@pytest.mark.parametrize(
    "error", [UpstreamFailed(status=500), UpstreamUnreachable(), UpstreamCut(), UpstreamBusy(code="busy", status=503)]
)
def test_a_service_that_fails_again_and_again_is_left_alone(breaker: Breaker, error: UpstreamError) -> None:
    for _ in range(3):
        call(breaker, error)
    assert "about 10 seconds" in is_told(breaker)


@pytest.mark.parametrize(
    "error", [BadRequest(status=400), TokenRefused(status=401), UpstreamBusy(status=429), EmptyAnswer(status=200)]
)
def test_a_refusal_comes_from_somebody_who_is_there(breaker: Breaker, error: UpstreamError) -> None:
    for _ in range(30):
        fail(breaker, 2)
        call(breaker, error)
    assert not breaker.is_open


def test_one_answer_between_failures_is_enough(breaker: Breaker) -> None:
    for _ in range(30):
        fail(breaker, 2)
        call(breaker)
    assert not breaker.is_open


def test_what_breaks_off_after_its_first_byte_is_no_sign_of_a_service_that_is_down(breaker: Breaker) -> None:
    for _ in range(30):
        call(breaker, UpstreamCut(), answered=True)
    assert not breaker.is_open


def test_one_call_at_a_time_finds_out_whether_it_is_back(breaker: Breaker, clock: Clock) -> None:
    fail(breaker)
    clock.now += 10.1
    with breaker.watching() as answers:
        is_told(breaker)
        answers()
        call(breaker)  # answered: from its first byte on, everybody may ask again
    assert not breaker.is_open


def test_the_pauses_grow_and_end_growing(breaker: Breaker, clock: Clock) -> None:
    fail(breaker)
    pauses = []
    for _ in range(8):
        began = clock.now
        while True:
            try:
                breaker.check()
                break
            except CircuitOpen:
                clock.now += 1
        pauses.append(clock.now - began)
        fail(breaker, 1)
    assert pauses == [10, 20, 40, 60, 60, 60, 60, 60]


def test_it_may_be_a_moment_at_first_and_is_none_later(clock: Clock) -> None:
    breaker = Breaker(failures=1, backoff=Backoff(1, 60), clock=clock, chance=lambda: 0.5)
    opened, passes = clock.now, {}
    while clock.now < opened + 30:
        try:
            call(breaker, UpstreamFailed(status=500))
        except CircuitOpen as open_circuit:
            passes[clock.now - opened] = open_circuit.passes
            clock.now += 0.5
    assert {after for after, moment in passes.items() if moment} == {after for after in passes if after < 7}


def test_a_probe_that_hangs_keeps_nobody_waiting_for_long(breaker: Breaker, clock: Clock) -> None:
    fail(breaker)
    clock.now += 10.1
    with breaker.watching(), pytest.raises(CircuitOpen) as told:
        breaker.check()
    assert not told.value.passes


def test_a_probe_is_over_when_it_is_answered_however_long_the_answer_goes_on(breaker: Breaker, clock: Clock) -> None:
    fail(breaker)
    clock.now += 10.1
    with breaker.watching() as answers:
        answers()
        fail(breaker)
        clock.now += 10.1
        call(breaker)
        assert not breaker.is_open


def test_it_goes_on_trying_for_weeks(breaker: Breaker, clock: Clock) -> None:
    fail(breaker)
    for _ in range(2000):
        clock.now += 60.1
        call(breaker, UpstreamFailed(status=500))
    assert is_told(breaker)


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 8), (1.0, 12)])
def test_processes_do_not_try_at_the_same_moment(clock: Clock, chance: float, seconds: float) -> None:
    breaker = Breaker(failures=1, backoff=Backoff(10, 60), clock=clock, chance=lambda: chance)
    fail(breaker, 1)
    clock.now += seconds - 0.1
    is_told(breaker)
    clock.now += 0.2
    call(breaker)


def test_a_probe_that_nobody_waits_for_any_more_makes_room_for_another(breaker: Breaker, clock: Clock) -> None:
    fail(breaker)
    clock.now += 10.1
    with suppress(KeyboardInterrupt), breaker.watching():
        raise KeyboardInterrupt
    call(breaker)
    assert not breaker.is_open


def test_calls_that_were_under_way_when_it_opened_do_not_prolong_the_pause(breaker: Breaker, clock: Clock) -> None:
    with suppress(UpstreamFailed), breaker.watching():
        fail(breaker)
        raise UpstreamFailed(status=500)
    clock.now += 10.1
    call(breaker)
    assert not breaker.is_open


def test_a_long_pause_is_told_in_minutes() -> None:
    assert "about 4 minutes" in CircuitOpen(seconds=200).sentence
