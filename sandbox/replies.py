"""Replies that no platform means to send: from a proxy in between, from a load balancer, or from a bad day."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

HTML = "<html><head><title>Maintenance</title></head><body><h1>Be right back</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent, as it is. The default is a proxy's page with status 200."""

    status: int = 200
    body: str | bytes = HTML
    content_type: str = "text/html"  # empty: none is sent
    headers: Mapping[str, str] = field(default_factory=dict)
    after: float = 0.0  # seconds of silence before it

    async def send(self) -> web.Response:
        await asyncio.sleep(self.after)
        body = self.body.encode() if isinstance(self.body, str) else self.body
        kind = {"Content-Type": self.content_type} if self.content_type else {}
        return web.Response(status=self.status, body=body, headers={**kind, **self.headers})


@dataclass(slots=True)
class OddReplies:
    """Which of the next calls are answered oddly, and whether what they ask for is done all the same."""

    _waiting: dict[str, list[tuple[Reply, bool]]] = field(default_factory=dict)
    _lasting: dict[str, tuple[Reply, bool]] = field(default_factory=dict)

    def add(self, where: str, reply: Reply, times: int | None, *, done: bool) -> None:
        """*where* is a method or route, `*` any; *times* None: until `clear`."""
        if times is None:
            self._lasting[where] = (reply, done)
        else:
            self._waiting.setdefault(where, []).extend([(reply, done)] * times)

    def next(self, where: str) -> tuple[Reply, bool] | None:
        """The reply that this call gets, and whether it is done; it counts as given."""
        for key in (where, "*"):
            if waiting := self._waiting.get(key):
                return waiting.pop(0)
        return self._lasting.get(where) or self._lasting.get("*")

    @property
    def is_waiting(self) -> bool:
        """Are there any that were not given yet?"""
        return any(self._waiting.values()) or bool(self._lasting)

    def clear(self) -> None:
        self._waiting.clear()
        self._lasting.clear()
