"""The upstream as everybody may use it: in turn, within its limits, patiently, and not at all while it is down."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Self

import structlog

from core.asking.breaker import BACKOFF as REST
from core.asking.breaker import Breaker
from core.asking.limits import ASIDE, TOLD_AFTER, Limits, Token, refuses_token
from core.asking.patience import BACKOFF, TRIES, Patience
from core.bounded import Bounded
from core.errors import facts
from core.metrics import Metrics
from core.upstream.errors import UpstreamError
from core.upstream.refusals import CODES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Sequence

    from core.backoff import Backoff
    from core.thread import Thread
    from core.upstream.client import Stream, Upstream
    from core.upstream.prompt import AnswerSoFar, Prompt

log = structlog.get_logger(__name__)

OTHER = "other"  # the label of every model that the operator did not name
MOST_BREAKERS = 1_000  # of models that people name; the operator's own are asked all the time, and so are kept


class Answering:
    """An answer on its way, like `Stream`, that says when its first bytes came."""

    def __init__(self, stream: Stream, began: Callable[[], None]) -> None:
        self._stream = stream
        self._steps = aiter(stream)
        self._began = began
        self._has_begun = False

    def said(self) -> AnswerSoFar:
        """Return the answer so far."""
        return self._stream.said()

    @property
    def most(self) -> int:
        """At most so many characters the answer has so far. Costs nothing."""
        return self._stream.most

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> None:
        await anext(self._steps)
        if not self._has_begun:
            self._has_begun = True
            self._began()


class Service:
    """The upstream, reached with all the tokens there are, by everybody at once."""

    def __init__(
        self,
        upstreams: Sequence[Upstream],
        *,
        in_flight: int = 20,
        per_second: int = 60,
        models: Collection[str] = (),
        metrics: Metrics | None = None,
        backoff: Backoff = BACKOFF,
        rest: Backoff = REST,
        told_after: float = TOLD_AFTER,
        aside: float = ASIDE,
        most_breakers: int = MOST_BREAKERS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take one upstream for each token, the limits of one token, and where to count.

        *models* are those that the operator named, each counted by itself: people may name any, and all other ones are
        counted as one.
        *backoff* is between two tries of a question, *rest* before a service that is down is tried again.
        *told_after* in seconds, of waiting in silence; *aside* in seconds, for a token that is refused.
        """
        tokens = [
            Token(number, upstream, in_flight=in_flight, per_second=per_second, aside=aside)
            for number, upstream in enumerate(upstreams, 1)
        ]
        self._limits = Limits(tokens, clock=clock, told_after=told_after)
        self._metrics = metrics or Metrics()
        self._backoff = backoff
        self._rest = rest
        self._clock = clock
        # One model may be down while others answer, and then only these can step in: each has a breaker of its own.
        self._breakers: Bounded[str, Breaker] = Bounded(most_breakers)
        self._models = frozenset(models)
        self._metrics.waiting.set_function(lambda: self._limits.waiting)
        self._metrics.in_flight.set_function(lambda: self._limits.in_flight)
        self._metrics.tokens_aside.set_function(lambda: self._limits.aside)
        for label in (*self._models, OTHER):
            self._metrics.down.labels(label).set_function(partial(self._is_down, label))

    async def aclose(self) -> None:
        """Close every connection. Answers still on their way break off."""
        for token in self._limits.tokens:
            await token.upstream.aclose()

    @property
    def refuses_tokens(self) -> bool:
        """Does the service refuse every token that there is? Then nobody gets an answer."""
        return self._limits.aside == len(self._limits.tokens)

    def trust_tokens(self) -> None:
        """Use every token again at once: the service has just accepted one."""
        for token in self._limits.tokens:
            token.trust()

    @asynccontextmanager
    async def ask(
        self,
        prompt: Prompt,
        *,
        thread: Thread,
        asker: str,
        told: Callable[[int | None], None],
        tries: int = TRIES,
        rests: bool = True,
    ) -> AsyncIterator[Answering]:
        """Ask for *asker* in *thread* when their turn comes, up to so many *tries*, and have the answer streamed.

        *rests*: wait for a model that is away for a moment?

        *told* is called with how many questions are before it, when the wait is long, and with None
        when it is over. Raises an UpstreamError, which
        is CircuitOpen if the model is not asked at all since it is down. No slot is held between two tries.
        """
        patience = Patience(tries, self._backoff, rests=rests)

        def again(error: UpstreamError) -> float | None:
            if refuses_token(error) and self._limits.aside < len(self._limits.tokens):
                return 0.0  # another token may be good, and one less is left each time
            pause = patience.after(error)
            if pause is not None:
                log.warning("asking the AI service again", model=prompt.model, seconds=round(pause, 2), **facts(error))
            return pause

        async with AsyncExitStack() as call:
            while True:
                try:
                    answering = await call.enter_async_context(self._try(prompt, thread, asker, told))
                    break
                except UpstreamError as error:
                    if (pause := again(error)) is None:
                        raise
                await asyncio.sleep(pause)
            yield answering

    @asynccontextmanager
    async def _try(
        self, prompt: Prompt, thread: Thread, asker: str, told: Callable[[int | None], None]
    ) -> AsyncIterator[Answering]:
        breaker = self._breaker(prompt.model)
        breaker.check()  # before waiting for nothing
        async with self._limits.slot(thread, asker, told) as token:
            with breaker.watching() as answered:
                try:
                    async with self._counted(prompt, token, answered) as answering:
                        yield answering
                except UpstreamError as error:
                    if refuses_token(error):
                        self._set_aside(token, error)
                    raise

    @asynccontextmanager
    async def _counted(self, prompt: Prompt, token: Token, answered: Callable[[], None]) -> AsyncIterator[Answering]:
        started, outcome = self._clock(), "left"

        def began() -> None:
            answered()
            token.answered(self._clock())
            self._metrics.first_byte.observe(self._clock() - started)

        try:
            async with token.upstream.ask(prompt) as stream:
                yield Answering(stream, began)
            outcome = "ok"
            self._metrics.whole.observe(self._clock() - started)
        except UpstreamError as error:
            outcome = error.code if error.code in CODES else type(error).__name__
            raise
        finally:
            self._metrics.calls.labels(self._label(prompt.model), outcome).inc()

    def _breaker(self, model: str) -> Breaker:
        breaker = self._breakers.get(model) or Breaker(backoff=self._rest, clock=self._clock)
        self._breakers[model] = breaker  # as the newest
        return breaker

    def _label(self, model: str) -> str:
        return model if model in self._models else OTHER

    def _is_down(self, label: str) -> bool:
        return any(breaker.is_open for model, breaker in self._breakers.items() if self._label(model) == label)

    def _set_aside(self, token: Token, error: UpstreamError) -> None:
        """Say so once and loudly, not with every question nor whenever it is tried again in vain."""
        if token.refusal(self._clock()) is not None:
            return
        tell = log.warning if token.was_refused else log.error
        self._limits.set_aside(token, error)
        left = len(self._limits.tokens) - self._limits.aside
        then = "the others are used" if left else "there is no other, so nobody gets an answer"
        tell("the AI service refuses a token", token=token.number, then=then, **facts(error))
