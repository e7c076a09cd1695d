"""How long one question goes on asking a model, and how it pauses in between."""

from __future__ import annotations

import random

from core.errors import Resting, UpstreamError
from core.upstream.errors import STREAMING

TRIES = 4
SECONDS = 45.0  # of pauses in all; who is told to wait longer than what is left of them gives up at once
FIRST_PAUSE = 0.5  # seconds
REST = 8.0  # seconds that a service which is down is waited for in all: it may have been a moment only


class Patience:
    """Decides after each failure whether to ask again, and when. One for each question and model."""

    def __init__(self, tries: int = TRIES, first_pause: float = FIRST_PAUSE) -> None:
        """*first_pause* in seconds; every further one is twice as long."""
        self._tries_left = tries - 1
        self._seconds_left = SECONDS
        self._rest_left = REST
        self._pause = first_pause

    def after(self, error: Exception) -> float | None:
        """Return the seconds to wait before asking again, None to give up.

        Asked again is only what was refused as a whole: from the first byte of an answer on, the question may be in
        the conversation's history, and would be there twice. To wait for a service that is down to be tried again is
        no try: nothing was asked.
        """
        if isinstance(error, Resting):
            return self._resting(error.seconds)
        if not isinstance(error, UpstreamError) or not error.retryable or error.status == STREAMING:
            return None
        # Never earlier than the service wishes, and not all at the same moment.
        seconds = max(error.retry_after or 0.0, self._pause) + self._pause * random.random() / 2  # noqa: S311
        if self._tries_left <= 0 or seconds > self._seconds_left:
            return None
        self._tries_left -= 1
        self._seconds_left -= seconds
        self._pause *= 2
        return seconds

    def _resting(self, seconds: float) -> float | None:
        if seconds > self._rest_left:
            return None
        self._rest_left -= seconds
        return seconds
