"""Caps what Discord's answers say about rate limits (429 among them), before discord.py believes it.

discord.py sleeps for as long as an answer says, keeps a channel closed until a time that it says, and stumbles over
what is no number, also when the answer is to something that was done.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import aiohttp
import discord

from bots.discord.errors import LONGEST_WAIT
from core.waits import seconds_from

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from types import SimpleNamespace

# https://discord.com/developers/docs/topics/rate-limits#header-format
LIMIT, REMAINING, RESET, RESET_AFTER = (
    f"X-RateLimit-{name}" for name in ("Limit", "Remaining", "Reset", "Reset-After")
)
MOST_CALLS = 10_000  # that a limit may allow; no window is known with more than some dozens
# That a call may sleep inside discord.py, the least that it takes; who is told longer (minutes after a renaming) comes
# again.
LONGEST_SLEEP = 30.0  # seconds


def tracing(longest_wait: float) -> aiohttp.TraceConfig:
    """Return what lets us see each answer before discord.py does; no wait that it asks for is longer, in seconds."""

    async def bound_it(_session: aiohttp.ClientSession, _: SimpleNamespace, end: aiohttp.TraceRequestEndParams) -> None:
        await _bound(end.response, longest_wait)

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(bound_it)
    return trace


async def _bound(answer: aiohttp.ClientResponse, longest_wait: float) -> None:
    headers = answer.headers.copy()
    bound(headers, longest_wait)
    # aiohttp offers no other way; and it remembers what it was asked for.
    answer._headers = type(answer.headers)(headers)  # noqa: SLF001
    answer._cache.pop("headers", None)  # noqa: SLF001
    if answer.status == 429:
        wait = _told(await answer.read())
        if wait is not None and not 0 <= wait <= LONGEST_SLEEP:
            answer.close()
            raise discord.RateLimited(seconds_from(wait, longest_wait) or 1.0)


def bound(headers: MutableMapping[str, str], longest_wait: float = LONGEST_WAIT) -> None:
    """Leave in *headers* a limit that discord.py can keep, or none."""
    limit, remaining = _number(headers.get(LIMIT)), _number(headers.get(REMAINING))
    wait = seconds_from(headers.get(RESET_AFTER), longest_wait)
    for name in (LIMIT, REMAINING, RESET, RESET_AFTER):
        if name in headers:
            del headers[name]
    if limit and remaining is not None and wait is not None:
        headers[LIMIT], headers[REMAINING], headers[RESET_AFTER] = str(limit), str(min(remaining, limit)), str(wait)


def _number(text: str | None) -> int | None:
    return min(int(text), MOST_CALLS) if text and text.isascii() and text.isdigit() and len(text) < 20 else None


def _told(body: bytes) -> float | None:
    """Return the wait that a refusal names, in seconds: below 0 for what is no wait; None if discord.py sees for itself."""
    try:
        wait = json.loads(body)["retry_after"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    is_number = isinstance(wait, int | float) and not isinstance(wait, bool) and wait == wait  # noqa: PLR0124  # NaN
    return wait if is_number else -1.0
