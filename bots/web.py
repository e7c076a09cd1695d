"""The HTTP door: is it alive, is it ready, how does it do, and what adapters take over HTTP."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web

from core.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bots.kit import Route
    from core.vitals import Vitals


class Web:
    """Serves `/healthz`, `/readyz`, `/metrics`, and the routes that adapters add before it opens."""

    def __init__(self, vitals: Vitals) -> None:
        self._vitals = vitals
        self._app = web.Application()
        self._app.router.add_get("/healthz", self._alive)
        self._app.router.add_get("/readyz", self._ready)
        self._app.router.add_get("/metrics", self._measured)
        self.port = 0  # where it listens, once open

    def post(self, path: str, answer: Route) -> None:
        """Have *answer* take POST requests to *path*."""
        self._app.router.add_post(path, answer)

    @asynccontextmanager
    async def open(self, host: str, port: int) -> AsyncIterator[None]:
        """Listen while the context lasts. Raises SetupError when the port is taken."""
        runner = web.AppRunner(self._app, access_log=None)
        await runner.setup()
        try:
            await self._start(runner, host, port)
            yield
        finally:
            await runner.cleanup()

    async def _start(self, runner: web.AppRunner, host: str, port: int) -> None:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise SetupError(
                f"Port {port} can't be opened ({os.strerror(error.errno or 0)}); set BOBBIN_WEB__PORT to a free one."
            ) from error
        self.port = runner.addresses[0][1]

    async def _alive(self, _request: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def _ready(self, _request: web.Request) -> web.Response:
        troubles = self._vitals.troubles
        return web.json_response({"ready": not troubles, "troubles": troubles}, status=503 if troubles else 200)

    async def _measured(self, _request: web.Request) -> web.Response:
        metrics = self._vitals.metrics
        return web.Response(body=metrics.page(), headers={"Content-Type": metrics.content_type})
