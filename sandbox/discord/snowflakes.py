"""Discord's ids: time based, increasing (https://discord.com/developers/docs/reference#snowflakes)."""

import time
from datetime import UTC, datetime

EPOCH_MILLISECONDS = 1_420_070_400_000  # the first second of 2015, from which Discord counts


class Snowflakes:
    def __init__(self) -> None:
        self._last = 0

    def next(self) -> int:
        fresh = (int(time.time() * 1000) - EPOCH_MILLISECONDS) << 22
        self._last = max(fresh, self._last + 1)
        return self._last


def made_at(snowflake: int) -> datetime:
    return datetime.fromtimestamp(((snowflake >> 22) + EPOCH_MILLISECONDS) / 1000, UTC)


def iso(moment: datetime) -> str:
    """The form in which Discord writes moments: microseconds and a numeric offset, always."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
