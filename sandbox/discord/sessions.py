"""A gateway session: what its bot asked for, what it was sent, and what it missed while away.

https://discord.com/developers/docs/events/gateway#resuming
"""

import asyncio
import json
import secrets
import time
import zlib
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from sandbox.discord.intents import Intent
from sandbox.discord.world import Event, World

Json = dict[str, Any]
KEPT_EVENTS = 1_000  # for replay; Discord publishes no number
KEPT_SECONDS = 180.0  # for which a dropped session can be resumed; unpublished too


@dataclass(frozen=True, slots=True)
class Goodbye:
    code: int
    reason: str = ""
    rudely: bool = False  # cut the wire instead of closing


class Connection:
    """One WebSocket; what is sent is queued, so that nobody who causes an event has to wait."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request, *, compressed: bool) -> None:
        self.socket = socket
        self.session: Session | None = None
        self.is_parting = False
        self._request = request
        self._outbox: asyncio.Queue[str | Goodbye] = asyncio.Queue()
        self._squeeze = zlib.compressobj() if compressed else None

    def send(self, payload: Json) -> None:
        self.send_text(json.dumps(payload, separators=(",", ":")))

    def send_text(self, text: str) -> None:
        self._outbox.put_nowait(text)

    def close(self, goodbye: Goodbye) -> None:
        self._outbox.put_nowait(goodbye)

    async def write(self) -> None:
        """Send what is queued, until a goodbye."""
        while True:
            item = await self._outbox.get()
            if isinstance(item, Goodbye):
                self.is_parting = True
                await self._end(item)
                return
            try:
                await self._write(item)
            except ConnectionError:
                return  # the bot is gone; the reading side notices too

    async def _end(self, goodbye: Goodbye) -> None:
        transport = self._request.transport
        if goodbye.rudely and transport is not None:
            transport.abort()
            return
        await self.socket.close(code=goodbye.code, message=goodbye.reason.encode())

    async def _write(self, text: str) -> None:
        if self.socket.closed:
            return
        if self._squeeze is None:
            await self.socket.send_str(text)
            return
        # zlib-stream: one shared context, each message ends with a sync flush (00 00 FF FF).
        data = self._squeeze.compress(text.encode()) + self._squeeze.flush(zlib.Z_SYNC_FLUSH)
        await self.socket.send_bytes(data)


@dataclass(eq=False)
class Session:
    intents: Intent
    shard: tuple[int, int] = (0, 1)
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    sequence: int = 0
    connection: Connection | None = None
    left_at: float | None = None  # monotonic; None while connected
    _sent: deque[Json] = field(default_factory=lambda: deque(maxlen=KEPT_EVENTS))

    def dispatch(self, name: str, data: Any) -> None:
        self.sequence += 1
        payload: Json = {"op": 0, "t": name, "s": self.sequence, "d": data}
        self._sent.append(payload)
        if self.connection:
            self.connection.send(payload)

    def hears(self, event: Event, world: World) -> bool:
        if event.intents and not event.intents & self.intents:
            return False
        number, of = self.shard
        return number == ((world.guild_id >> 22) % of if event.in_guild else 0)

    def hear(self, event: Event) -> None:
        blind = not self.intents & Intent.MESSAGE_CONTENT
        bare = event.without_content if blind else None
        self.dispatch(event.name, bare if bare is not None else event.data)

    def can_resume(self, sequence: int) -> bool:
        oldest = self._sent[0]["s"] if self._sent else 1
        return not self.is_over and oldest - 1 <= sequence <= self.sequence

    @property
    def is_over(self) -> bool:
        return self.left_at is not None and time.monotonic() - self.left_at > KEPT_SECONDS

    def replay(self, connection: Connection, sequence: int) -> None:
        self.connection, self.left_at = connection, None
        for payload in self._sent:
            if payload["s"] > sequence:
                connection.send(payload)
        self.dispatch("RESUMED", {})
