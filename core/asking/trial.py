"""Finds out whether the AI service has a model that nobody has heard of, by asking it something."""

from __future__ import annotations

import asyncio
import time
from enum import Enum, auto
from typing import TYPE_CHECKING

import structlog

from core.bounded import Bounded
from core.errors import ModelUntried, UnknownModel, facts
from core.upstream.errors import BadRequest, EmptyAnswer, ModerationRefused, UpstreamError
from core.upstream.prompt import Prompt

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from core.asking.service import Service
    from core.models import Models
    from core.thread import Thread

QUESTION = "Say OK."
LONGEST = 30.0  # seconds; models that reason are silent for a while before the first word
BELIEVED_FOR = 600.0  # seconds in which a model is not asked again whether it is there
MOST_REMEMBERED = 1_000  # models that people name
MOST_AT_ONCE = 4  # of such questions, since it is people who make us ask them

log = structlog.get_logger(__name__)


class _Verdict(Enum):
    THERE = auto()
    REFUSED = auto()
    UNSURE = auto()


class Trial:
    """What it finds out is remembered for a while in this process, and only there: asked again, the service says the same."""

    def __init__(
        self,
        service: Service,
        models: Models,
        *,
        longest: float = LONGEST,
        believed_for: float = BELIEVED_FOR,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """*longest* in seconds, for one question; a verdict is believed for so many seconds."""
        self._service = service
        self._models = models
        self._longest = longest
        self._believed_for = believed_for
        self._clock = clock
        self._at_once = asyncio.Semaphore(MOST_AT_ONCE)
        # A task of its own for each model: whoever waits for it may have no more time, and come again.
        self._trying: Bounded[str, asyncio.Task[_Verdict]] = Bounded(MOST_REMEMBERED)
        self._since: Bounded[str, float] = Bounded(MOST_REMEMBERED)
        self._running: set[asyncio.Task[_Verdict]] = set()

    async def check(
        self,
        name: str,
        *,
        thread: Thread,
        asker: str,
        within: float,
        count: Callable[[], Awaitable[None]],
    ) -> None:
        """Return if the service answers as the model *name*, of which *asker* speaks in *thread*.

        *count* is awaited before the service is asked, and not where the answer is known; it may raise what it likes.
        Raises UnknownModel with what the name may have meant, and ModelUntried if that can't be told *within* so many
        seconds: asked again later, it may be known.
        """
        trying = self._trying.get(name)
        if trying is None or self._is_stale(name, trying):
            await count()
            trying = self._try(name, thread, asker)
        try:
            verdict = await asyncio.wait_for(asyncio.shield(trying), within)
        except TimeoutError:
            verdict = _Verdict.UNSURE
        if verdict is _Verdict.REFUSED:
            raise UnknownModel(name, self._models.nearest(name))
        if verdict is _Verdict.UNSURE:
            raise ModelUntried(name)

    async def aclose(self) -> None:
        """End what is under way."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _is_stale(self, name: str, trying: asyncio.Task[_Verdict]) -> bool:
        if not trying.done():
            return False
        is_old = self._clock() - self._since.get(name, 0.0) > self._believed_for
        if is_old or trying.cancelled() or trying.exception():
            return True
        return trying.result() is _Verdict.UNSURE

    def _try(self, name: str, thread: Thread, asker: str) -> asyncio.Task[_Verdict]:
        trying = self._trying[name] = asyncio.create_task(self._verdict(name, thread, asker))
        self._since[name] = self._clock()
        self._running.add(trying)
        trying.add_done_callback(self._running.discard)
        return trying

    async def _verdict(self, name: str, thread: Thread, asker: str) -> _Verdict:
        try:
            async with asyncio.timeout(self._longest), self._at_once:
                return await self._ask(name, thread, asker)
        except ModerationRefused:
            return _Verdict.THERE  # it is the words that were refused
        except (BadRequest, EmptyAnswer) as error:
            # There is nothing in the request that others don't have, but the model.
            log.info("the service refuses a model that somebody names", **facts(error))
            return _Verdict.REFUSED
        except UpstreamError as error:
            log.warning("can't find out whether the service has a model that somebody names", **facts(error))
        except TimeoutError:
            log.warning("a model that somebody names does not answer in time")
        return _Verdict.UNSURE

    async def _ask(self, name: str, thread: Thread, asker: str) -> _Verdict:
        """Ask, and hang up at the first words."""
        prompt = Prompt(model=name, question=QUESTION, stateful=False)
        asking = self._service.ask(prompt, thread=thread, asker=asker, told=lambda _: None, tries=1, rests=False)
        async with asking as answering:
            async for _ in answering:
                if answering.said().text.strip():
                    break
        return _Verdict.THERE
