"""Limits how much is asked at once: the slots and the rate of each token, and the line of those who wait for one."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from core.asking.waiting import Place, Waiting
from core.upstream.errors import TokenRefused, UpstreamError, UsedUp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from core.thread import Thread
    from core.upstream.client import Upstream

TOLD_AFTER = 3.0  # seconds of waiting before somebody is told how many are before them
_OF_THE_TOKEN = frozenset({"no_token", "invalid_token", "token_expired", "token_mismatched", "disabled"})
LOOK_LATER = 0.005  # seconds for each who waits
ASIDE = 60.0  # seconds that a token is left alone which the service refuses; by then somebody may have topped it up


class Token:
    """One token of the operator's: the door that it opens, and how much of it is in use."""

    def __init__(
        self, number: int, upstream: Upstream, *, in_flight: int, per_second: int, aside: float = ASIDE
    ) -> None:
        """*number* is how the log names it: 1 for the first of the settings; *aside* in seconds, when it is refused."""
        self._aside = aside
        self.number = number
        self.upstream = upstream
        self.in_flight = 0
        self._most_in_flight = in_flight
        self._starts: deque[float] = deque(maxlen=per_second)
        self._refusal: UpstreamError | None = None
        self._aside_until = 0.0

    def free_in(self, now: float) -> float:
        """Seconds until one more may be asked with it; infinite while all its slots are taken."""
        if self.in_flight >= self._most_in_flight:
            return math.inf
        if len(self._starts) < (self._starts.maxlen or 0):
            return 0.0
        return max(0.0, self._starts[0] + 1.0 - now)

    def take(self, now: float) -> None:
        self.in_flight += 1
        self._starts.append(now)

    def give_back(self) -> None:
        self.in_flight -= 1

    def set_aside(self, refusal: UpstreamError, now: float) -> None:
        """Leave it alone for a while: the service refuses it."""
        self._refusal, self._aside_until = refusal, now + self._aside

    def answered(self, now: float) -> None:
        """Take note that it is good again. Who was asked before it was set aside says nothing of that."""
        if now >= self._aside_until:
            self._refusal = None

    def trust(self) -> None:
        """Use it again at once."""
        self._refusal, self._aside_until = None, 0.0

    @property
    def was_refused(self) -> bool:
        """Has it been refused, and not been good since?"""
        return self._refusal is not None

    def refusal(self, now: float) -> UpstreamError | None:
        """Return why it is set aside, None while it is good."""
        return self._refusal if now < self._aside_until else None


class Limits:
    """Lets questions through to the tokens, as many at once and as fast as each allows, and fairly."""

    def __init__(
        self, tokens: Sequence[Token], *, clock: Callable[[], float] = time.monotonic, told_after: float = TOLD_AFTER
    ) -> None:
        """*told_after*: the seconds that somebody waits in silence."""
        self.tokens = tokens
        self._clock = clock
        self._told_after = told_after
        self._waiting: Waiting[asyncio.Future[Token]] = Waiting()
        self._later: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many wait for a slot."""
        return len(self._waiting)

    @property
    def in_flight(self) -> int:
        """How many have one."""
        return sum(token.in_flight for token in self.tokens)

    @asynccontextmanager
    async def slot(self, thread: Thread, asker: str, told: Callable[[int | None], None]) -> AsyncIterator[Token]:
        """Wait for the turn of *asker* in *thread*; what it yields may be asked with for as long as the body runs.

        *told* is called with how many are before it when the wait is long, whenever that has changed, and with None
        when such a wait is over. Raises what the service said of the tokens when there is none left to ask with.
        """
        granted: asyncio.Future[Token] = asyncio.get_running_loop().create_future()
        place = Place(thread.workspace, asker, thread.id)
        self._waiting.join(place, granted)
        try:
            self._admit()
            yield await self._turn(place, granted, told)
        finally:
            if not granted.done():
                self._waiting.leave(place, granted)
            elif granted.exception() is None:
                granted.result().give_back()
            self._admit()

    def set_aside(self, token: Token, refusal: UpstreamError) -> None:
        """Ask with the other tokens for a while."""
        token.set_aside(refusal, self._clock())
        self._admit()

    @property
    def aside(self) -> int:
        """How many tokens are set aside."""
        now = self._clock()
        return sum(token.refusal(now) is not None for token in self.tokens)

    async def _turn(self, place: Place, granted: asyncio.Future[Token], told: Callable[[int | None], None]) -> Token:
        patience, last = self._told_after, None
        while not granted.done():
            await asyncio.wait({granted}, timeout=patience)  # unlike wait_for, it leaves the future as it is
            if not granted.done() and (before := self._waiting.before(place, granted)) != last:
                told(before)
                last = before
            # To look costs in proportion to how many wait, and all of them look: so the more wait, the less often.
            patience = self._told_after / 2 + len(self._waiting) * LOOK_LATER
        if last is not None:
            told(None)
        return granted.result()

    def _admit(self) -> None:
        """Give out what is free, to whose turn it is."""
        now = self._clock()
        while self._waiting:
            usable = [token for token in self.tokens if token.refusal(now) is None]
            if not usable:
                self._waiting.next().set_exception(_anew(self.tokens[0].refusal(now)))
                continue
            token = min(usable, key=lambda token: (token.free_in(now), token.in_flight))
            if pause := token.free_in(now):
                self._admit_in(pause)
                return
            token.take(now)
            self._waiting.next().set_result(token)

    def _admit_in(self, seconds: float) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if math.isfinite(seconds):  # else whoever gives a slot back sees to it
            self._later = asyncio.get_running_loop().call_later(seconds, self._admit)


def refuses_token(error: Exception) -> bool:
    """Is it the token that is refused, whatever it asks for? Lacking a permission may concern one model only."""
    return isinstance(error, UsedUp) or (
        isinstance(error, TokenRefused) and (error.code in _OF_THE_TOKEN or error.status == 401)
    )


def _anew(error: UpstreamError | None) -> UpstreamError:
    """An exception gathers a traceback wherever it is raised: each who waits gets one of their own."""
    if error is None:
        raise ValueError("a token was good and set aside at once")
    return type(error)(error.detail, code=error.code, status=error.status, trace_id=error.trace_id)
