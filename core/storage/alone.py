"""Waits to be the only process at a database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, LiteralString

import structlog

from core.backoff import Backoff, Pauses
from core.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LOOKS = Backoff(first=0.5, longest=0.5)  # while an earlier process ends
ALONE = 0x626F6263  # the advisory lock of who is alone at a database; who shares the work shares it
# The lock goes with its connection, at once when a process is killed. A machine that is gone without a word is noticed
# by the server, after 25 s: https://www.postgresql.org/docs/current/runtime-config-connection.html
NOTICE_SILENCE: LiteralString = (
    "set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3"
)
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
