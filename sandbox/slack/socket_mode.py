"""Socket Mode: hands out addresses for sockets, and carries envelopes over those that are open.

https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import WSCloseCode, WSMsgType, web

from sandbox.slack.delivery import Kind, Parcel, Retry, UndeliveredError

if TYPE_CHECKING:
    from sandbox.slack.faults import Faults
    from sandbox.slack.nouns import JsonObject

MOST_SOCKETS = 10  # https://docs.slack.dev/apis/events-api/using-socket-mode#multiple-connections
TICKET_SECONDS = 30.0  # the address of a socket is for now, not for later
CONNECTION_SECONDS = 3_600  # what `hello` announces; nothing is cut after it here
PING_SECONDS = 10.0
CLOSE_SECONDS = 1.0  # how long a peer may take to say goodbye in turn
_HOST = "local"


@dataclass(eq=False, slots=True)
class Connection:
    socket: web.WebSocketResponse
    request: web.Request
    gone: asyncio.Event = field(default_factory=asyncio.Event)


class Sockets:
    """The open connections of one app; each envelope goes to one of them, in turn."""

    late = "timeout"

    def __init__(self, app_id: str, ack_seconds: float, faults: Faults) -> None:
        self._app_id = app_id
        self._ack_seconds = ack_seconds
        self._faults = faults
        self._tickets: dict[str, float] = {}
        self._open: list[Connection] = []
        self._some_open = asyncio.Event()
        self._awaited: dict[str, tuple[Connection, asyncio.Future[JsonObject | None]]] = {}

    @property
    def count(self) -> int:
        return len(self._open)

    def ticket(self) -> str:
        """The query of a socket's address; good once, and soon."""
        ticket = secrets.token_urlsafe(16)
        self._tickets[ticket] = time.monotonic() + TICKET_SECONDS
        return f"ticket={ticket}&app_id={self._app_id}"

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """The route of the sockets."""
        if self._tickets.pop(request.query.get("ticket", ""), 0.0) < time.monotonic():
            return web.Response(status=403, text="This address was used already or is too old; ask for a new one.")
        socket = web.WebSocketResponse(heartbeat=PING_SECONDS, timeout=CLOSE_SECONDS)
        await socket.prepare(request)
        if len(self._open) >= MOST_SOCKETS:
            await socket.send_json(_goodbye("too_many_websockets"))
            await socket.close()
            return socket
        connection = Connection(socket, request)
        self._open.append(connection)
        try:
            await socket.send_json(self._hello())
            self._some_open.set()
            await self._listen(socket)
        except ConnectionError:  # the peer went while we greeted it
            await socket.close()
        finally:
            self._forget(connection)
        return socket

    async def ready(self) -> None:
        await self._some_open.wait()

    async def carry(self, parcel: Parcel, retry: Retry) -> JsonObject | None:
        if not self._open:
            raise UndeliveredError("connection_failed")
        self._open.append(self._open.pop(0))
        connection = self._open[-1]
        envelope_id = str(uuid.uuid4())
        answer: asyncio.Future[JsonObject | None] = asyncio.get_running_loop().create_future()
        self._awaited[envelope_id] = (connection, answer)
        try:
            await connection.socket.send_json(_envelope(envelope_id, parcel, retry))
            if not self._faults.expect_acks:
                return None
            return await asyncio.wait_for(answer, self._ack_seconds)
        except (TimeoutError, ConnectionError) as error:
            raise UndeliveredError(self.late) from error
        finally:
            del self._awaited[envelope_id]
            answer.cancel()

    async def disconnect(self, reason: str) -> None:
        """Announce the end to every socket; after a `warning` they stay, else they get nothing new and are closed."""
        leaving = list(self._open)
        if reason != "warning":
            for connection in leaving:
                self._retire(connection)
        for connection in leaving:
            await connection.socket.send_json(_goodbye(reason))
        if reason == "warning":
            return
        for connection in leaving:
            with contextlib.suppress(TimeoutError):  # a peer that doesn't leave by itself is shown out
                await asyncio.wait_for(connection.gone.wait(), CLOSE_SECONDS)
            await connection.socket.close()

    def drop(self) -> None:
        """Cut every connection without a word, as a network does."""
        for connection in list(self._open):
            self._forget(connection)
            if transport := connection.request.transport:
                transport.abort()

    async def close(self) -> None:
        for connection in list(self._open):
            await connection.socket.close(code=WSCloseCode.GOING_AWAY)

    async def _listen(self, socket: web.WebSocketResponse) -> None:
        async for frame in socket:
            if frame.type is not WSMsgType.TEXT:
                continue
            with contextlib.suppress(ValueError):  # Slack ignores what it can't read
                answer = json.loads(frame.data)
                self._acknowledge(answer if isinstance(answer, dict) else {})

    def _acknowledge(self, answer: JsonObject) -> None:
        _, awaited = self._awaited.get(str(answer.get("envelope_id")), (None, None))
        if awaited and not awaited.done():
            payload = answer.get("payload")
            awaited.set_result(payload if isinstance(payload, dict) and payload else None)

    def _retire(self, connection: Connection) -> None:
        if connection in self._open:
            self._open.remove(connection)
        if not self._open:
            self._some_open.clear()

    def _forget(self, connection: Connection) -> None:
        self._retire(connection)
        connection.gone.set()
        for where, awaited in self._awaited.values():
            if where is connection and not awaited.done():
                awaited.set_exception(ConnectionResetError("The socket closed before the acknowledgement came."))

    def _hello(self) -> JsonObject:
        return {
            "type": "hello",
            "num_connections": len(self._open),
            "connection_info": {"app_id": self._app_id},
            "debug_info": {
                "host": _HOST,
                "started": time.strftime("%Y-%m-%d %H:%M:%S.000", time.gmtime()),
                "build_number": 1,
                "approximate_connection_time": CONNECTION_SECONDS,
            },
        }


def _goodbye(reason: str) -> JsonObject:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": _HOST}}


def _envelope(envelope_id: str, parcel: Parcel, retry: Retry) -> JsonObject:
    envelope: JsonObject = {
        "envelope_id": envelope_id,
        "type": parcel.kind.value,
        "payload": parcel.payload,
        "accepts_response_payload": parcel.accepts_response,
    }
    if parcel.kind is Kind.EVENT:
        envelope |= {"retry_attempt": retry.number, "retry_reason": retry.reason}
    return envelope
