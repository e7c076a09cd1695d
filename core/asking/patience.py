"""Decides how long one question goes on asking a model (after a 429, for instance), and how it pauses in between."""

from __future__ import annotations

from core.backoff import Backoff, Pauses
from core.upstream.errors import CircuitOpen, UpstreamError
from core.upstream.refusals import STREAMING

TRIES = 4
SECONDS = 45.0  # of pauses in all; who is told to wait longer than what is left of them gives up at once
BACKOFF = Backoff(first=0.5, longest=SECONDS, jitter=0.25)


class Patience:
    """Decides after each failure whether to ask again, and when. One for each question and model."""

    def __init__(self, tries: int = TRIES, backoff: Backoff = BACKOFF, *, rests: bool = True) -> None:
        """*rests*: waits for a service that is away for a moment?"""
        self._tries_left = tries - 1
        self._seconds_left = SECONDS
        self._rests = rests
        self._pauses = Pauses(backoff)

    def after(self, error: Exception) -> float | None:
        """Return the seconds to wait before asking again, None to give up.

        Asked again is only what was refused as a whole: from the first byte of an answer on, the question may be in
        the conversation's history, and would be there twice. To wait for a service that is away is no try: nothing
        was asked.
        """
        if isinstance(error, CircuitOpen):
            return error.seconds if error.passes and self._rests else None
        if not isinstance(error, UpstreamError) or not error.retryable or error.status == STREAMING:
            return None
        seconds = self._pauses.next(error.retry_after)
        if self._tries_left <= 0 or seconds > self._seconds_left:
            return None
        self._tries_left -= 1
        self._seconds_left -= seconds
        return seconds
