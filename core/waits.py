"""Parses how long a server asks us to wait, in a Retry-After header or in JSON; capped at a sensible maximum."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def seconds_from(told: object, longest: float) -> float | None:
    """Return the seconds that *told* asks to wait, between 0 and *longest*; None if it can't be understood.

    It is what came in a header or in JSON: a number, its digits, or an HTTP date (RFC 9110, section 10.2.3).
    """
    if isinstance(told, bool) or not isinstance(told, int | float | str):
        return None
    try:
        seconds = float(told)
    except OverflowError:  # an integer beyond all floats
        seconds = math.inf
    except ValueError:
        seconds = _until(str(told))
    if math.isnan(seconds) or (isinstance(told, str) and math.isinf(seconds) and not any(map(str.isdigit, told))):
        return None
    return min(max(0.0, seconds), longest)


def _until(date: str) -> float:
    """NaN for what is no date."""
    try:
        until = parsedate_to_datetime(date)
        return (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    except (ValueError, OverflowError):
        return math.nan
