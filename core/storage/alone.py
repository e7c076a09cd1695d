"""Waits to be the only process at a database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from core.backoff import Backoff, Pauses
from core.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LOOKS = Backoff(first=0.5, longest=0.5)  # while an earlier process ends
OTHER = "Another Bobbin is running on this database. Stop it first, or give this one a database of its own."

log = structlog.get_logger(__name__)


async def patiently(take: Callable[[], Awaitable[bool]], patience: float, problem: str) -> None:
    """Try to *take* for so many seconds. Raises SetupError, which says *problem*, when that was in vain."""
    pauses, is_told = Pauses(replace(LOOKS, give_up_after=patience)), False
    while not await take():
        if pauses.are_over:
            raise SetupError(problem)
        if not is_told:
            log.info("waiting for another Bobbin on this database to end", seconds=patience)
        is_told = True
        await asyncio.sleep(pauses.next())
