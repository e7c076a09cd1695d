"""Rate limits: per route and channel, global, and the headers that tell of them.

https://discord.com/developers/docs/topics/rate-limits publishes the mechanism and the global number only. The other
numbers here are what people observed; a bot must read the headers.
"""

import hashlib
import math
import time
from dataclasses import dataclass

from sandbox.discord.refusals import TooFast


@dataclass(frozen=True, slots=True)
class Limit:
    calls: int
    seconds: float


GLOBAL = Limit(50, 1.0)  # published
OBSERVED = {
    "POST /channels/{channel_id}/messages": Limit(5, 5.0),
    "PATCH /channels/{channel_id}/messages/{message_id}": Limit(5, 5.0),
    "DELETE /channels/{channel_id}/messages/{message_id}": Limit(5, 1.0),
    "PUT /channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me": Limit(1, 0.25),
    "DELETE /channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me": Limit(1, 0.25),
    "PATCH /channels/{channel_id}": Limit(5, 15.0),
    "POST /webhooks/{application_id}/{token}": Limit(5, 2.0),
    "PATCH /webhooks/{application_id}/{token}/messages/{message_id}": Limit(5, 5.0),
}
RENAME = Limit(2, 600.0)  # hidden behind the limit of PATCH /channels; observed (Rapptz/discord.py#9073)
OTHERWISE = Limit(50, 1.0)  # a guess that stands in nobody's way
SHARED_ROUTES = {  # @original is a message like the others
    "PATCH /webhooks/{application_id}/{token}/messages/@original": (
        "PATCH /webhooks/{application_id}/{token}/messages/{message_id}"
    ),
}
UNLIMITED = "POST /interactions/{interaction_id}/{token}/callback"  # not even by the global limit, as documented


@dataclass(slots=True)
class _Window:
    """Counts calls from the first one on, until its time is over."""

    limit: Limit
    ends: float = 0.0
    used: int = 0

    def spend(self, now: float) -> float:
        """Seconds to wait; 0.0 when the call may pass."""
        if now >= self.ends:
            self.ends, self.used = now + self.limit.seconds, 0
        if self.used >= self.limit.calls:
            return self.ends - now
        self.used += 1
        return 0.0


class Limits:
    def __init__(self, *, on: bool = True) -> None:
        self.on = on
        self._windows: dict[tuple[str, str], _Window] = {}

    def spend(self, route: str, resource: str) -> dict[str, str]:
        """Count a call and return its headers; *resource* is the channel, guild or webhook in its path.

        Raises TooFast, with the headers as `headers`.
        """
        if not self.on or route == UNLIMITED:
            return {}
        route = SHARED_ROUTES.get(route, route)
        now = time.monotonic()
        wait = self._window("global", "", GLOBAL).spend(now)
        if wait:
            raise TooFast(wait, scope="global")
        window = self._window(route, resource, OBSERVED.get(route, OTHERWISE))
        wait = window.spend(now)
        headers = _headers(route, window, now)
        if wait:
            raise LimitedTooFast(wait, headers)
        return headers

    def spend_rename(self, channel_id: int) -> None:
        """The hidden one: the headers keep saying that calls remain."""
        if not self.on:
            return
        wait = self._window("rename", str(channel_id), RENAME).spend(time.monotonic())
        if wait:
            raise TooFast(wait)

    def _window(self, route: str, resource: str, limit: Limit) -> _Window:
        return self._windows.setdefault((route, resource), _Window(limit))


class LimitedTooFast(TooFast):
    def __init__(self, retry_after: float, headers: dict[str, str]) -> None:
        super().__init__(retry_after)
        self.headers = headers


def _headers(route: str, window: _Window, now: float) -> dict[str, str]:
    left = max(window.ends - now, 0.0)
    return {
        "X-RateLimit-Limit": str(window.limit.calls),
        "X-RateLimit-Remaining": str(max(window.limit.calls - window.used, 0)),
        "X-RateLimit-Reset": f"{time.time() + left:.3f}",
        "X-RateLimit-Reset-After": f"{left:.3f}",
        "X-RateLimit-Bucket": hashlib.sha256(route.encode()).hexdigest()[:32],
    }


def refusal_headers(error: TooFast) -> dict[str, str]:
    headers = {"Retry-After": str(math.ceil(error.retry_after)), "X-RateLimit-Scope": error.scope}
    if error.is_global:
        headers["X-RateLimit-Global"] = "true"
    return headers | getattr(error, "headers", {})
