"""Runs the parts of a process side by side; a chat that breaks is restarted, and nothing else is affected."""

from __future__ import annotations

import asyncio
import secrets
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from core.backoff import Backoff, Pauses
from core.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator

    from core.vitals import Vitals

BACKOFF = Backoff(first=1.0, longest=60.0, well_after=60.0)  # until it is begun again
MOST_FRAMES = 8  # of a traceback

log = structlog.get_logger(__name__)


async def keep_up(name: str, listen: Callable[[], Awaitable[None]], vitals: Vitals, backoff: Backoff = BACKOFF) -> None:
    """Have the chat *name* listen until cancelled, however often that breaks or ends.

    Raises SetupError when it can never work like this. Once it has worked, the same is trouble that may be mended: its
    token was revoked, say, and once it is valid again, nothing has to be restarted.
    """
    pauses = Pauses(backoff)
    while True:
        error: Exception | None = None
        try:
            await listen()
        except Exception as broken:  # noqa: BLE001  # the one place where anything at all is survived
            error = broken
        refusal = next((cause for cause in _causes(error) if isinstance(cause, SetupError)), None)
        if refusal and not vitals.has_been_up(name):
            raise refusal
        pause = pauses.next()
        if refusal:
            _tell_refusal(name, refusal, vitals)
        else:
            _tell(name, error, vitals, pause)
        await asyncio.sleep(pause)


def _tell_refusal(name: str, refusal: SetupError, vitals: Vitals) -> None:
    """Say once, with what to do, that the platform does not take the bot any more."""
    if vitals.troubles.get(name) != refusal.sentence:
        log.error("a chat can't be listened to any more", chat=name, why=refusal.sentence)
    vitals.down(name, refusal.sentence)


async def run_until(stop: asyncio.Event, *parts: Coroutine[Any, Any, None]) -> None:
    """Run *parts* side by side until *stop* is set, or one of them ends: with what that raised, if it did."""
    tasks: list[asyncio.Task[Any]] = [asyncio.create_task(stop.wait()), *map(asyncio.create_task, parts)]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in ended:
        task.result()  # one that came to an end by itself says why


def _tell(name: str, error: Exception | None, vitals: Vitals, pause: float) -> None:
    """Log where it broke; the errors' own texts are left out, since they may quote what people wrote."""
    vitals.metrics.restarts.labels(name).inc()
    vitals.down(name, "Listening broke off unexpectedly; beginning again.")
    causes = list(_causes(error))
    log.error(
        "listening to a chat stops unexpectedly; starting again",
        chat=name,
        reference=secrets.token_hex(4),
        errors=[type(cause).__name__ for cause in causes] or ["none: it just ended"],
        where=[_where(cause) for cause in causes],
        pause=pause,
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Of a group all that is in it: Slack's tasks may break together."""
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _causes(one)
    elif error:
        yield error


def _where(error: BaseException) -> str:
    """Return the innermost frames, the outer ones first."""
    frames = traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]
    return " > ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
