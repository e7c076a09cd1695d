from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.waits import seconds_from

LONGEST = 60.0


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("3", 3.0),
        (" 3 ", 3.0),
        ("0.5", 0.5),
        (2, 2.0),
        (2.5, 2.5),
        ("-4", 0.0),
        (-math.inf, 0.0),
        ("86400", LONGEST),
        ("9" * 5_000, LONGEST),
        (10**400, LONGEST),
        ("1e400", LONGEST),
        (math.inf, LONGEST),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST),
        *((nothing, None) for nothing in ("", "soon", "inf", "nan", math.nan, None, True, [3], {"seconds": 3})),
        *(
            (odd, None)
            for odd in ("Wed, 21 Oct 99999999999999999999 07:28:00 GMT", "1 Jan 10000 0:0:0", "٣ days", "3s")
        ),
    ],
)
def test_what_a_server_may_say(told: object, seconds: float | None) -> None:
    assert seconds_from(told, LONGEST) == seconds


@pytest.mark.parametrize("more", [timedelta(seconds=30), timedelta(days=2)])
def test_a_date_is_waited_for_within_bounds(more: timedelta) -> None:
    wait = seconds_from(format_datetime(datetime.now(UTC) + more, usegmt=True), LONGEST)
    assert wait is not None
    assert 25 < wait <= LONGEST


@given(st.text() | st.floats() | st.integers() | st.binary() | st.datetimes().map(format_datetime))
def test_nothing_is_too_odd(told: object) -> None:
    wait = seconds_from(told, LONGEST)
    assert wait is None or 0 <= wait <= LONGEST
