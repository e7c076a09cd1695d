"""Serves the page on this machine alone: its files, what people sent, and one WebSocket for the feed and their acts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aiohttp import WSMessage, WSMsgType, web

from sandbox import guard
from sandbox.page import acts
from sandbox.page.discord import DiscordView
from sandbox.page.faults import Faults
from sandbox.page.feed import Feed, State
from sandbox.page.inside import Inside
from sandbox.page.slack import SlackView
from sandbox.recording import Recording

if TYPE_CHECKING:
    from sandbox.stage import Stage

HOST = "127.0.0.1"
PORT = 8080
PORTS_TRIED = 20  # from that one on; then any free one
STATIC = Path(__file__).parent / "static"
MESSAGE_BYTES = 40 * 1024 * 1024  # of an act, with its files: ten of two megabytes or so
HEARTBEAT_SECONDS = 20.0
REFRESH_SECONDS = 0.3
ACTS_AT_ONCE = 20  # of one tab
# Shown in the page where people sent them; everything else is to be saved.
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
MOST = {"message": 4_000, "turn": 60, "log": 300, "notice": 50, "status": 200}
HEADERS = {
    # Nothing from elsewhere, and no way for a text to become markup: lit-html alone may make templates of constants.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types lit-html",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


class Page:
    """The page of one stage."""

    def __init__(self, stage: Stage, recording: Recording, version: str = "") -> None:
        self._stage, self._recording = stage, recording
        self.feed = Feed(MOST)
        self.feed.put(
            {
                "type": "stage",
                "key": "stage",
                "emulated": stage.is_emulated,
                "upstream": stage.upstream,
                "version": version,
                "models": sorted({one.model for one in stage.presets.values() if one.model}),
            }
        )
        inside = Inside(stage, self.feed)
        slack = SlackView(stage.slack, self.feed, stage.shortcuts, inside.wrote)
        discord = DiscordView(stage.discord, self.feed, inside.wrote)
        faults = Faults(stage, self.feed)
        self._watchers = (slack.watch, discord.watch, inside.watch, faults.watch, partial(_refresh, slack, discord))
        on_discord = acts.OnDiscord(stage.discord, discord).acts
        self._acts: dict[str, acts.Act] = {
            **acts.OnSlack(stage.slack, slack).acts,
            **{name: partial(_doubled, faults, act) for name, act in on_discord.items()},
            **faults.acts,
        }

    @property
    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self._index),
            web.get("/feed", self._converse),
            web.get("/script", self._script),
            web.get("/file/{platform:slack|discord}/{id}", self._file),
            web.get("/static/{path:[a-z-]+(?:/[a-z-]+)*\\.(?:js|css|svg)}", self._static),
        ]

    async def watch(self) -> None:
        """Keep the feed up to date, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for watch in self._watchers:
                tasks.create_task(watch())

    async def _index(self, _: web.Request) -> web.StreamResponse:
        return web.FileResponse(STATIC / "index.html")

    async def _static(self, request: web.Request) -> web.StreamResponse:
        file = STATIC / request.match_info["path"]
        if not file.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(file)

    async def _script(self, _: web.Request) -> web.Response:
        """What was done so far, to be saved and played again."""
        saved = 'attachment; filename="bobbin-sandbox.txt"'
        return web.Response(text=self._recording.text, headers={"Content-Disposition": saved})

    async def _file(self, request: web.Request) -> web.Response:
        """What somebody sent along: pictures to be looked at, everything else to be saved."""
        found = self._found(request.match_info["platform"], request.match_info["id"])
        if found is None:
            raise web.HTTPNotFound
        name, content, kind = found
        if kind in PICTURES:
            return web.Response(body=content, content_type=kind)
        saved = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
        return web.Response(
            body=content, content_type="application/octet-stream", headers={"Content-Disposition": saved}
        )

    def _found(self, platform: str, name: str) -> tuple[str, bytes, str] | None:
        if platform == "slack":
            shared = self._stage.slack.file(name)
            return (shared.name, shared.content, shared.mimetype) if shared else None
        attached = self._stage.discord.world.uploads.get(int(name)) if name.isdecimal() else None
        return (attached.file.name, attached.file.content, attached.file.content_type) if attached else None

    async def _converse(self, request: web.Request) -> web.StreamResponse:
        guard.check(request, own_page=True)
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS, max_msg_size=MESSAGE_BYTES)
        await socket.prepare(request)
        ahead = asyncio.Semaphore(ACTS_AT_ONCE)

        async def send(states: list[State]) -> None:
            await socket.send_str(json.dumps({"states": states}, ensure_ascii=True))

        async with self.feed.reading(send) as read, asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(_until_gone(read))
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await ahead.acquire()
                    doing = tasks.create_task(self._do(socket, message))
                    doing.add_done_callback(lambda _: ahead.release())
            reading.cancel()
        return socket

    async def _do(self, socket: web.WebSocketResponse, message: WSMessage) -> None:
        answer: dict[str, Any] = {"done": None}
        try:
            fields = json.loads(message.data)
            if not isinstance(fields, dict):
                raise acts.CantBeDone("Acts are JSON objects.")  # noqa: TRY301  # told as every refusal
            answer["done"] = fields.get("id")
            with self._recording.of(fields):
                answer["result"] = await acts.perform(self._acts, fields)
        except acts.CantBeDone as refusal:
            answer["error"] = str(refusal)
        except (ValueError, RecursionError):
            answer["error"] = "That can't be read."
        await _until_gone(lambda: socket.send_str(json.dumps(answer)))


@dataclass(frozen=True, slots=True)
class Served:
    """*watching* never ends by itself: if it does, the page is out of date, and it says why."""

    address: str
    watching: asyncio.Task[None]


@asynccontextmanager
async def served(
    stage: Stage, recording: Recording | None = None, *, port: int = PORT, version: str = ""
) -> AsyncIterator[Served]:
    """Serve the page of *stage*, while the context lasts, on *port* or one of the next; port 0 takes any free one."""
    page = Page(stage, recording or Recording(stage), version)
    app = web.Application(middlewares=[_guarded])
    app.add_routes(page.routes)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    try:
        await _listen(runner, port)
        watching = asyncio.create_task(page.watch())
        try:
            yield Served(f"http://{HOST}:{runner.addresses[0][1]}/", watching)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, port: int) -> None:
    for number in (*range(port, port + PORTS_TRIED if port else 0), 0):
        try:
            await web.TCPSite(runner, HOST, number).start()
        except OSError:
            if not number:
                raise
        else:
            return


@web.middleware
async def _guarded(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        guard.check(request)
        response = await handler(request)
    except guard.NotLetIn as refusal:
        response = web.Response(status=refusal.status, text=str(refusal))
    except web.HTTPException as other:
        response = web.Response(status=other.status, text=other.reason)
    if not response.prepared:
        response.headers.update(HEADERS)
    return response


async def _refresh(*views: SlackView | DiscordView) -> None:
    """Have what nobody tells of be shown as well, until cancelled."""
    while True:
        for view in views:
            view.refresh()
        await asyncio.sleep(REFRESH_SECONDS)


async def _doubled(faults: Faults, act: acts.Act, fields: acts.Fields) -> object:
    with faults.doubling():
        return await act(fields)


async def _until_gone(send: Callable[[], Awaitable[object]]) -> None:
    """A reader who has left misses nothing."""
    try:
        await send()
    except ConnectionError:
        return
