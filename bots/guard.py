"""Keeps the web server available to everyone: deadlines per connection, and a cap on all of them together.

aiohttp waits for a request's head and body as long as its sender likes, and accepts connections until no descriptor is
left for anything else in the process.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from core.metrics import Metrics

MiB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a connection may take for what, in seconds, and how much all may hold at once.

    A body may be as large as Slack's: an event carries a message twice, as text and as blocks, an edit both its
    wordings, and all that isn't ASCII as escapes of six bytes. Slack publishes no limit.
    """

    head: float = 5.0  # until a request's head is whole
    body: float = 10.0  # from there until its body is
    idle: float = 15.0  # from an answer to the next request
    connections: int = 128
    body_size: int = MiB  # bytes of one body
    bodies_size: int = 32 * MiB  # bytes of all the bodies that are waited for


class Guard:
    """Closes what takes too long; when there are too many, the one that has waited longest for a whole request."""

    def __init__(self, limits: Limits, metrics: Metrics) -> None:
        self.limits = limits
        self._refused = metrics.refused
        self._all: dict[asyncio.BaseTransport, _Guarded] = {}
        self._waiting: dict[_Guarded, None] = {}  # for a whole request, the longest waiting first
        self._promised = 0  # bytes of the bodies that are waited for

    def protocol(self, handler: asyncio.Protocol) -> asyncio.Protocol:
        """Return what to give the transport in the place of *handler*."""
        return _Guarded(self, handler)

    # A request, as its server sees it

    def head_is_whole(self, transport: asyncio.BaseTransport | None, size: int) -> None:
        """A request has come but for its body, of at most *size* bytes."""
        if connection := self._of(transport):
            connection.due(self.limits.body, "slow_body")
            connection.promised = size
            self._promised += size
            while self._promised > self.limits.bodies_size:
                self._turn_away(next(each for each in self._waiting if each.promised))

    def body_is_whole(self, transport: asyncio.BaseTransport | None) -> None:
        """Nothing is waited for but our own answer."""
        if connection := self._of(transport):
            connection.due(None)
            self._keep_no_longer(connection)

    def answered(self, transport: asyncio.BaseTransport | None) -> None:
        """The next request may come."""
        if connection := self._of(transport):
            self._keep_no_longer(connection)
            self._waiting[connection] = None
            connection.due(self.limits.idle, "idle")

    def _of(self, transport: asyncio.BaseTransport | None) -> _Guarded | None:
        return self._all.get(transport) if transport else None

    # Connections, as they come and go

    def enter(self, connection: _Guarded) -> None:
        if len(self._all) >= self.limits.connections:
            # With every other one at work, there is no room.
            self._turn_away(next(iter(self._waiting), connection))
        if not connection.transport.is_closing():
            self._all[connection.transport] = connection
            self._waiting[connection] = None
            connection.due(self.limits.head, "slow_head")

    def leave(self, connection: _Guarded) -> None:
        connection.due(None)
        self._keep_no_longer(connection)
        self._all.pop(connection.transport, None)

    def is_late(self, connection: _Guarded, why: str) -> None:
        if why != "idle":  # that is how every connection ends that is kept for more
            self._refused.labels(why).inc()
        self._end(connection)

    def _turn_away(self, connection: _Guarded) -> None:
        self._refused.labels("crowded").inc()
        self._end(connection)

    def _end(self, connection: _Guarded) -> None:
        self.leave(connection)
        connection.transport.abort()

    def _keep_no_longer(self, connection: _Guarded) -> None:
        self._waiting.pop(connection, None)
        self._promised -= connection.promised
        connection.promised = 0


class _Guarded(asyncio.Protocol):
    """One connection: all of it goes to the server's own protocol."""

    transport: asyncio.Transport

    def __init__(self, guard: Guard, handler: asyncio.Protocol) -> None:
        self._guard = guard
        self._handler = handler
        self._deadline: asyncio.TimerHandle | None = None
        self._is_idle = False
        self.promised = 0

    def due(self, within: float | None, why: str = "") -> None:
        """Have it closed in so many seconds; None: take its time."""
        if self._deadline:
            self._deadline.cancel()
        self._deadline = None
        self._is_idle = why == "idle"
        if within is not None:
            self._deadline = asyncio.get_running_loop().call_later(within, self._guard.is_late, self, why)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._handler.connection_made(transport)
        self._guard.enter(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._guard.leave(self)
        self._handler.connection_lost(error)

    def data_received(self, data: bytes) -> None:
        if self._is_idle:
            self.due(self._guard.limits.head, "slow_head")
        self._handler.data_received(data)

    def eof_received(self) -> bool | None:
        return self._handler.eof_received()

    def pause_writing(self) -> None:
        self._handler.pause_writing()

    def resume_writing(self) -> None:
        self._handler.resume_writing()
