"""A clock for what takes one, so that no test waits."""

from __future__ import annotations


class Clock:
    """Time that passes when told."""

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
