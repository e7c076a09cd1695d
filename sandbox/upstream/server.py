"""The emulator as a server: the documented contract, what it remembers, and a control endpoint for faults."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections import deque
from collections.abc import Collection, Mapping
from contextlib import nullcontext
from types import TracebackType
from typing import Self

from aiohttp import web

from sandbox.upstream.answer import Answer, Request, answer_text, hang_up, instead_of_answer, silence
from sandbox.upstream.asked import Asked, Refusal, admit, read
from sandbox.upstream.faults import FAULTS, Faults, UnknownFault
from sandbox.upstream.looking import look
from sandbox.upstream.memory import Conversation, Memory
from sandbox.upstream.mind import Turn
from sandbox.upstream.models import MODELS

PATH = "/aichat/conversations"
BODY_BYTES = 8 * 1024 * 1024
BACKLOG = 4096  # connections not yet accepted: of a thousand at once the usual 128 would reset some
REQUESTS = 10_000  # remembered


class Emulator:
    """A stand-in for the AI service, on a port of this machine."""

    def __init__(
        self,
        *,
        pace: float = 0.0,
        first_delay: float = 0.0,
        token: str | None = None,
        faults: str = "",
        seed: int = 0,
        models: Collection[str] | None = MODELS,
    ) -> None:
        """Prepare an emulator. *pace* is the seconds between two pieces of an answer, *first_delay* those before the first.

        Any bearer token is good if *token* is None. *faults* as on the command line; *seed* makes their chance repeat.
        Other *models* are refused; None: any will do.
        """
        self.pace = pace
        self.first_delay = first_delay
        self.faults = Faults(faults, seed=seed)
        self.requests: deque[Request] = deque(maxlen=REQUESTS)
        self._token = token
        self._models = models
        self._memory = Memory()
        self._runner: web.AppRunner | None = None
        self._address = ""

    @property
    def url(self) -> str:
        """The base URL, once it is started."""
        return self._address

    @property
    def conversations(self) -> Mapping[str, Conversation]:
        """The stateful conversations by id, least recently used first."""
        return self._memory.conversations

    def forget(self) -> None:
        """Forget all conversations and requests."""
        self._memory.conversations.clear()
        self.requests.clear()

    async def start(self, port: int = 0, host: str = "127.0.0.1") -> None:
        """Listen; port 0 takes a free one."""
        app = web.Application(client_max_size=BODY_BYTES)
        app.router.add_get("/_emulator/conversations", self._show_conversations)
        app.router.add_get("/_emulator/requests", self._show_requests)
        app.router.add_get("/_emulator/faults", self._show_faults)
        app.router.add_put("/_emulator/faults", self._set_faults)
        app.router.add_delete("/_emulator/faults", self._clear_faults)
        app.router.add_route("*", "/{path:.*}", self._receive)
        # A handler whose client has left is cancelled, so that even a silent answer learns of it.
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        self._runner = runner
        site = web.TCPSite(runner, host, port, reuse_address=True, backlog=BACKLOG)
        await site.start()
        bound = runner.addresses[0][1]
        self._address = f"http://{f'[{host}]' if ':' in host else host}:{bound}"

    async def stop(self) -> None:
        """Close the port; answers on their way break off."""
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        seen = Request(None, {k.lower(): v for k, v in request.headers.items() if k.lower() != "authorization"})
        self.requests.append(seen)
        try:
            return await self._converse(request, seen)
        except Refusal as refusal:
            seen.ended = f"{refusal.status} {refusal.code}"
            return web.json_response(refusal.as_json(), status=refusal.status, headers=refusal.headers)
        except web.HTTPException as other:
            seen.ended = str(other.status)
            raise
        except (asyncio.CancelledError, ConnectionError):
            seen.ended = seen.ended or "client left"
            raise

    async def _converse(self, request: web.Request, seen: Request) -> web.StreamResponse:
        body = await self._body(request, seen)
        if re.sub("/+", "/", request.path) != PATH or request.method != "POST":
            raise Refusal("no_api")
        admit(request.headers.get("Authorization", ""), self._token)
        asked = read(body)
        faults = self.faults.draw()
        if asked.model == faults.get("retired") or (self._models is not None and asked.model not in self._models):
            raise Refusal("bad_request", f"The model {asked.model!r} is not supported.")
        if instead := instead_of_answer(faults):
            seen.ended = str(instead.status)
            return instead
        turn = Turn(asked.question, asked.model, asked.preset, await look(asked.references))
        conversation = self._conversation(asked, faults)
        earlier = list(conversation.turns) if conversation else []
        with conversation.turn(turn) if conversation else nullcontext():
            if "hang_up" in faults:
                return hang_up(request, web.Response(), seen)
            await asyncio.sleep(silence(faults, "silent_before") or self.first_delay)
            answer = Answer(answer_text(turn, earlier, faults), turn, faults, pace=self.pace, seen=seen)
            return await answer.send(request, conversation.id if conversation else None)

    async def _body(self, request: web.Request, seen: Request) -> bytes:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            raise Refusal("request_entity_too_large") from None
        try:
            seen.body = json.loads(body)
        except (ValueError, RecursionError):
            seen.body = body
        return body

    def _conversation(self, asked: Asked, faults: Mapping[str, str]) -> Conversation | None:
        """Return the conversation that goes on. An id without `stateful` is documented nowhere, and means nothing here."""
        if not asked.stateful:
            return None
        if asked.id is None:
            return self._memory.open(_odd_id(faults["odd_id"]) if "odd_id" in faults else None)
        if "expired" in faults:
            self._memory.forget(asked.id)
        found = self._memory.find(asked.id)
        if "other_id" in faults:
            return self._memory.open()
        if found:
            return found
        flavour = faults.get("unknown_id") or "404"
        if flavour == "404":
            raise Refusal("not_found", "The conversation was not found.")
        return self._memory.open(asked.id if flavour == "same" else None)

    async def _show_conversations(self, _: web.Request) -> web.Response:
        return web.json_response([each.as_json() for each in self._memory.conversations.values()])

    async def _show_requests(self, _: web.Request) -> web.Response:
        return web.json_response([each.as_json() for each in self.requests])

    async def _show_faults(self, _: web.Request) -> web.Response:
        return web.json_response({"faults": self.faults.as_json(), "known": FAULTS})

    async def _set_faults(self, request: web.Request) -> web.Response:
        try:
            wanted = await request.json()
            if not isinstance(wanted, dict):
                raise UnknownFault("Send a JSON object: the name of each fault, and its value or true.")
            self.faults.replace(wanted)
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({"faults": self.faults.as_json()})

    async def _clear_faults(self, _: web.Request) -> web.Response:
        self.faults.clear()
        return web.json_response({"faults": {}})


def _odd_id(kind: str) -> str:
    """A new id, and in it what its *kind* says: too much, a NUL, or half of a surrogate pair."""
    return str(uuid.uuid4()) + {"nul": "\0", "half": "\ud800"}.get(kind, "x" * 264)
