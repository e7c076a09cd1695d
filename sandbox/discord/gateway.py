"""The WebSocket over which Discord tells a bot what happens (version 10, JSON).

https://discord.com/developers/docs/events/gateway
"""

import asyncio
import json
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from sandbox.discord import payloads
from sandbox.discord.intents import KNOWN_BITS, PRIVILEGED, Intent
from sandbox.discord.model import User
from sandbox.discord.sessions import Connection, Goodbye, Session
from sandbox.discord.world import Event, World

Json = dict[str, Any]
VERSION = "10"
HEARTBEAT, IDENTIFY, PRESENCE, RESUME, RECONNECT, MEMBERS, INVALID, HELLO, ACK = 1, 2, 3, 6, 7, 8, 9, 10, 11
IGNORED = (PRESENCE, 4, 31)  # voice states and soundboards: there is no voice here
MOST_BYTES = 4_096  # of one payload to the gateway
MOST_SENDS = 120  # payloads to the gateway …
SENDS_WINDOW = 60.0  # … in so many seconds
MISSED_BEATS = 2.0  # heartbeat intervals of silence that end a connection; unpublished
UNKNOWN_OPCODE, BAD_PAYLOAD, NOT_IDENTIFIED = Goodbye(4001), Goodbye(4002), Goodbye(4003)
BAD_TOKEN, IDENTIFIED_TWICE, TOO_MANY = Goodbye(4004), Goodbye(4005), Goodbye(4008)
TIMED_OUT, BAD_SHARD, BAD_VERSION = Goodbye(4009), Goodbye(4010), Goodbye(4012)
BAD_INTENTS, DISALLOWED_INTENTS = Goodbye(4013), Goodbye(4014)


class Gateway:
    def __init__(self, world: World, *, heartbeat_seconds: float) -> None:
        self._world = world
        self._heartbeat_seconds = heartbeat_seconds
        self._sessions: dict[str, Session] = {}
        self._connections: set[Connection] = set()
        self.greeted = self.identified = 0  # how many connections were, and sessions began
        self._held: list[Event] | None = None
        world.outlets.append(self._hear)

    @property
    def is_connected(self) -> bool:
        """Whether some bot is identified and listening."""
        return any(session.connection for session in self._sessions.values())

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        # zstd-stream is not spoken here; such a client gets plain text, which is what no compression means.
        compressed = request.query.get("compress") == "zlib-stream"
        connection = Connection(socket, request, compressed=compressed)
        self._connections.add(connection)
        try:
            async with asyncio.TaskGroup() as tasks:
                writing = tasks.create_task(connection.write())
                await self._converse(connection, request)
                # After a goodbye the writer ends by itself; when the bot left first, there is nothing to write.
                if not connection.is_parting:
                    writing.cancel()
        finally:
            self._connections.discard(connection)
            self._leave(connection)
        return socket

    async def close(self) -> None:
        for connection in self._connections:
            connection.close(Goodbye(WSCloseCode.GOING_AWAY, "The local Discord stops."))

    # Faults: what the real gateway does now and then.

    def drop(self, *, resumable: bool = True) -> None:
        """Cut every connection without a goodbye."""
        if not resumable:
            self._sessions_away()
        self._part_all(Goodbye(1006, rudely=True))

    def ask_to_reconnect(self) -> None:
        for connection in self._connections:
            connection.send({"op": RECONNECT, "d": None})

    def invalidate(self, *, resumable: bool = False) -> None:
        for connection in self._connections:
            connection.send({"op": INVALID, "d": resumable})
        if not resumable:
            self._sessions_away()

    @contextmanager
    def holding_events(self) -> Iterator[list[Event]]:
        """Keep what happens meanwhile; it is told at the end, as it then stands in the list.

        Discord promises no order between events, and may tell one more than once:
        https://discord.com/developers/docs/events/gateway#sending-events
        """
        before, self._held = self._held, []
        try:
            yield self._held
        finally:
            held, self._held = self._held, before
            for event in held:
                self._hear(event)

    def send_raw(self, event: str, data: Any) -> None:
        for session in self._sessions.values():
            session.dispatch(event, data)

    def send_frame(self, text: str) -> None:
        for connection in self._connections:
            connection.send_text(text)

    def _sessions_away(self) -> None:
        for session in self._sessions.values():
            session.connection = None
        self._sessions.clear()

    def _part_all(self, goodbye: Goodbye) -> None:
        for connection in self._connections:
            connection.close(goodbye)

    def _hear(self, event: Event) -> None:
        if self._held is not None:
            self._held.append(event)
            return
        for key, session in list(self._sessions.items()):
            if session.is_over:
                del self._sessions[key]
            elif session.hears(event, self._world):
                session.hear(event)

    def _leave(self, connection: Connection) -> None:
        session = connection.session
        if session is None or session.connection is not connection:
            return
        session.connection, session.left_at = None, time.monotonic()
        # A bot that closes with 1000 or 1001 says that it will not resume.
        if connection.socket.close_code in (WSCloseCode.OK, WSCloseCode.GOING_AWAY):
            self._sessions.pop(session.id, None)
        self._world.changes.tell("gateway", "left")

    async def _converse(self, connection: Connection, request: web.Request) -> None:
        if request.query.get("v", VERSION) != VERSION:
            connection.close(BAD_VERSION)
        elif request.query.get("encoding", "json") != "json":
            connection.close(BAD_PAYLOAD)
        else:
            beat = {"heartbeat_interval": int(self._heartbeat_seconds * 1000), "_trace": ["local"]}
            self.greeted += 1
            hello = self._world.faults.hello
            connection.send({"op": HELLO, "d": beat if hello is None else hello, "s": None, "t": None})
        sent: deque[float] = deque(maxlen=MOST_SENDS)
        while True:
            try:
                message = await connection.socket.receive(timeout=self._heartbeat_seconds * MISSED_BEATS)
            except TimeoutError:
                connection.close(TIMED_OUT)
                continue
            if message.type is not WSMsgType.TEXT:
                return
            self._obey(connection, message.data, sent)

    def _obey(self, connection: Connection, text: str, sent: deque[float]) -> None:
        now = time.monotonic()
        if len(sent) == MOST_SENDS and now - sent[0] < SENDS_WINDOW:
            connection.close(TOO_MANY)
            return
        sent.append(now)
        payload = _decoded(text)
        if payload is None:
            connection.close(BAD_PAYLOAD)
            return
        op, data = payload.get("op"), payload.get("d")
        if op == HEARTBEAT:
            connection.send({"op": ACK, "d": None})
        elif op == IDENTIFY:
            self._identify(connection, data)
        elif op == RESUME:
            self._resume(connection, data)
        elif connection.session is None:
            connection.close(NOT_IDENTIFIED)
        elif op == MEMBERS:
            self._tell_members(connection.session, data)
        elif op not in IGNORED:
            connection.close(UNKNOWN_OPCODE)

    def _identify(self, connection: Connection, data: object) -> None:
        if connection.session:
            connection.close(IDENTIFIED_TWICE)
            return
        refused = self._refusal(data)
        if refused or not isinstance(data, dict):
            connection.close(refused or BAD_PAYLOAD)
            return
        shard = data.get("shard") or [0, 1]
        session = Session(Intent(data["intents"] & KNOWN_BITS), (shard[0], shard[1]), connection=connection)
        connection.session = session
        self._sessions[session.id] = session
        self.identified += 1
        self._welcome(session)
        self._world.changes.tell("gateway", "identified")

    def _refusal(self, data: object) -> Goodbye | None:
        if not isinstance(data, dict) or "properties" not in data:
            return BAD_PAYLOAD
        if data.get("token") not in (self._world.token, f"Bot {self._world.token}"):
            return BAD_TOKEN
        intents, shard = data.get("intents"), data.get("shard") or [0, 1]
        if not isinstance(intents, int) or intents & ~KNOWN_BITS:
            return BAD_INTENTS
        if any(intents & one and not self._world.portal.allowed & one for one in PRIVILEGED):
            return DISALLOWED_INTENTS
        if not (len(shard) == 2 and 0 <= shard[0] < shard[1]):
            return BAD_SHARD
        return None

    def _welcome(self, session: Session) -> None:
        world = self._world
        number, of = session.shard
        has_guild = number == (world.guild_id >> 22) % of
        ready: Json = {
            "v": int(VERSION),
            "user": payloads.user_json(world.bot) | {"email": None, "mfa_enabled": True, "verified": True},
            "guilds": [{"id": str(world.guild_id), "unavailable": True}] if has_guild else [],
            "session_id": session.id,
            "resume_gateway_url": world.gateway_url,
            "shard": list(session.shard),
            "application": {"id": str(world.application_id), "flags": world.portal.application_flags},
            "private_channels": [],
            "presences": [],
            "relationships": [],
            "user_settings": {},
        }
        session.dispatch("READY", ready)
        if has_guild and session.intents & Intent.GUILDS:
            session.dispatch("GUILD_CREATE", payloads.guild_create_json(world))

    def _resume(self, connection: Connection, data: object) -> None:
        if not isinstance(data, dict) or not isinstance(data.get("seq"), int):
            connection.close(BAD_PAYLOAD)
            return
        if data.get("token") not in (self._world.token, f"Bot {self._world.token}"):
            connection.close(BAD_TOKEN)
            return
        session = self._sessions.get(str(data.get("session_id")))
        if session is None or not session.can_resume(data["seq"]):
            connection.send({"op": INVALID, "d": False})
            return
        connection.session = session
        session.replay(connection, data["seq"])
        self._world.changes.tell("gateway", "resumed")

    def _tell_members(self, session: Session, data: object) -> None:
        """https://discord.com/developers/docs/events/gateway-events#request-guild-members"""
        if not isinstance(data, dict):
            return
        ids = data.get("user_ids") or []
        wanted = {int(one) for one in (ids if isinstance(ids, list) else [ids])}
        query = data.get("query")
        everybody = query == "" and not data.get("limit")
        if everybody and not session.intents & Intent.GUILD_MEMBERS:
            return
        users = [user for user in self._world.users.values() if _is_wanted(user, wanted, query)]
        limited = users[: data.get("limit") or None]
        chunk: Json = {
            "guild_id": str(self._world.guild_id),
            "members": [payloads.member_json(user) for user in limited],
            "chunk_index": 0,
            "chunk_count": 1,
            "not_found": [str(one) for one in wanted - set(self._world.users)],
        }
        if data.get("nonce"):
            chunk["nonce"] = data["nonce"]
        session.dispatch("GUILD_MEMBERS_CHUNK", chunk)


def _is_wanted(user: User, wanted: set[int], query: object) -> bool:
    return user.id in wanted or (isinstance(query, str) and user.name.startswith(query.lower()))


def _decoded(text: str) -> Json | None:
    if len(text.encode()) > MOST_BYTES:
        return None
    try:
        payload = json.loads(text)
    except ValueError:
        return None
    return payload if isinstance(payload, dict) else None
