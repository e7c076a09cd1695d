"""The HTTP server: liveness, readiness, metrics, and whatever adapters receive over HTTP."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, cast

from aiohttp import web
from aiohttp.http import HttpProcessingError

from bots.guard import Guard, Limits
from core.errors import SetupError, reason

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp.typedefs import Handler

    from bots.kit import Route
    from core.vitals import Vitals

_READ_AHEAD = 1 << 14  # bytes of a body that nobody has asked for yet
_LONGEST_FIELD, _MOST_FIELDS = 1 << 12, 64  # bytes of one header, and how many: a quarter of a MiB a connection
_LINGER = 1.0  # seconds in which the rest of a refused body is read, for its sender to see the refusal
_LEFT = 3.0  # seconds that requests get to end when the door closes: as long as Slack waits, a file may take longer
_BACKLOG = 128  # connections that the kernel holds until they are accepted


class Web:
    """Serves `/healthz`, `/readyz`, `/metrics`, and the routes that adapters add before it opens."""

    def __init__(self, vitals: Vitals, limits: Limits | None = None) -> None:
        self._vitals = vitals
        self._limits = limits or Limits()
        self._health = [
            web.get("/healthz", self._alive),
            web.get("/readyz", self._ready),
            web.get("/metrics", self._measured),
        ]
        self._routes: list[web.RouteDef] = []
        self.port = 0  # where it listens, once open
        self.health_port = 0  # where it answers how it is

    def post(self, path: str, answer: Route) -> None:
        """Have *answer* take POST requests to *path*."""
        self._routes.append(web.post(path, answer))

    def get(self, path: str, answer: Route) -> None:
        """Have *answer* take GET requests to *path*, which may end in parts that vary, each as `{name}`."""
        self._routes.append(web.get(path, answer))

    @asynccontextmanager
    async def open(self, host: str, port: int, health_port: int | None = None) -> AsyncIterator[None]:
        """Listen while the context lasts. Raises SetupError when a port is taken.

        With a *health_port*, what is asked about health is answered there, and only there.
        """
        async with AsyncExitStack() as doors:
            if health_port is None:
                self.port = self.health_port = await self._listen(
                    doors, self._health + self._routes, host, port, "PORT"
                )
            else:
                self.port = await self._listen(doors, self._routes, host, port, "PORT")
                self.health_port = await self._listen(doors, self._health, host, health_port, "HEALTH_PORT")
            yield

    async def _listen(
        self, doors: AsyncExitStack, routes: list[web.RouteDef], host: str, port: int, setting: str
    ) -> int:
        """Open a door with a guard of its own until *doors* close; return its port."""
        refused = self._vitals.metrics.refused
        guard = Guard(self._limits, self._vitals.metrics)
        known = frozenset(route.path for route in routes if "{" not in route.path)
        beginnings = tuple(route.path.partition("{")[0] for route in routes if "{" in route.path)

        @web.middleware
        async def whole(request: web.Request, handler: Handler) -> web.StreamResponse:
            """Have the whole request before anybody looks at it."""
            transport = request.transport
            try:
                # As it was sent: no second spelling of a path passes by what is in front of this door.
                path = request.raw_path.partition("?")[0]
                if path not in known and not path.startswith(beginnings):
                    raise web.HTTPNotFound
                if not await self._is_read(request, guard):
                    raise web.HTTPBadRequest
                guard.body_is_whole(transport)
                return await handler(request)
            except web.HTTPRequestEntityTooLarge:
                refused.labels("too_large").inc()
                raise
            finally:
                guard.answered(transport)

        app = web.Application(middlewares=[whole], client_max_size=self._limits.body_size)
        app.add_routes(routes)
        app.on_response_prepare.append(_anonymous)
        # Nobody sends what is compressed, and what is signed is what was sent.
        runner = web.AppRunner(
            app,
            access_log=None,
            logger=self._logger(),
            keepalive_timeout=self._limits.idle,
            lingering_time=min(_LINGER, self._limits.body),
            read_bufsize=_READ_AHEAD,
            max_field_size=_LONGEST_FIELD,
            max_headers=_MOST_FIELDS,
            auto_decompress=False,
            shutdown_timeout=_LEFT,
        )
        await runner.setup()
        doors.push_async_callback(runner.cleanup)
        handlers = cast("web.Server", runner.server)  # there, once set up
        try:
            server = await asyncio.get_running_loop().create_server(
                lambda: guard.protocol(handlers()), host, port, backlog=_BACKLOG
            )
        except OSError as error:
            raise SetupError(
                f"Can't listen on {host}:{port} ({reason(error)}). Check BOBBIN_WEB__HOST and BOBBIN_WEB__{setting}."
            ) from error
        doors.callback(server.close)
        return int(server.sockets[0].getsockname()[1])

    async def _is_read(self, request: web.Request, guard: Guard) -> bool:
        """Read the body; what reads it later finds it there. Raises HTTPRequestEntityTooLarge."""
        if not request.body_exists:
            return True
        most = self._limits.body_size
        size = request.content_length
        if size is not None and size > most:
            raise web.HTTPRequestEntityTooLarge(max_size=most, actual_size=size)
        guard.head_is_whole(request.transport, most if size is None else size)
        try:
            await request.read()
        except web.RequestPayloadError:
            self._vitals.metrics.refused.labels("malformed").inc()
            return False
        except (ConnectionError, RuntimeError) as error:  # the latter when it was closed before that was waited for
            if request.transport:
                raise
            # The body keeps the error, whose traceback keeps the body: in a flood these pile up.
            error.__traceback__ = None
            return False
        return True

    def _logger(self) -> logging.Logger:
        """Say what aiohttp says, but for requests that can't be read: each is a traceback with what was sent."""
        logger = logging.Logger("aiohttp.server", logging.DEBUG)  # noqa: LOG001  # each door counts for itself
        logger.parent = logging.getLogger("aiohttp.server")
        logger.addFilter(self._is_to_be_said)
        return logger

    def _is_to_be_said(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError | web.RequestPayloadError):
            self._vitals.metrics.refused.labels("malformed").inc()
            return False
        return logging.getLogger("aiohttp.server").isEnabledFor(record.levelno)

    async def _alive(self, _request: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def _ready(self, _request: web.Request) -> web.Response:
        troubles = self._vitals.troubles
        return web.json_response({"ready": not troubles, "troubles": troubles}, status=503 if troubles else 200)

    async def _measured(self, _request: web.Request) -> web.Response:
        metrics = self._vitals.metrics
        return web.Response(body=metrics.page(), headers={"Content-Type": metrics.content_type})


async def _anonymous(_request: web.Request, response: web.StreamResponse) -> None:
    """Leave out the header that names the versions of Python and aiohttp."""
    response.headers.popall("Server", None)
