"""Can the web door be opened?"""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import TYPE_CHECKING

from bots import platforms
from bots.files import NO_PUBLIC_URL
from bots.finding import Finding, Verdict
from bots.health import says_alive
from core.errors import reason

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from core.settings import Settings


async def check(settings: Settings) -> AsyncGenerator[Finding, None]:
    """Each port is opened and closed at once."""
    web = settings.web
    doors = {"BOBBIN_WEB__PORT": web.port}
    if web.health_port is not None:
        doors["BOBBIN_WEB__HEALTH_PORT"] = web.health_port
    for variable, port in doors.items():
        yield await _try(web.host, port, variable, doors.get("BOBBIN_WEB__HEALTH_PORT", web.port))
    if settings.hiding(platforms.configured(settings)):
        yield Finding(NO_PUBLIC_URL, Verdict.ADVICE)


async def _try(host: str, port: int, variable: str, health_port: int) -> Finding:
    try:
        server = await asyncio.get_running_loop().create_server(asyncio.Protocol, host, port, start_serving=False)
    except OSError as error:
        if error.errno == errno.EADDRINUSE and await asyncio.to_thread(says_alive, host, health_port):
            return Finding(
                f"a Bobbin listens on {host}:{port} already; stop it before you start another", Verdict.ADVICE
            )
        return Finding(_todo(host, port, variable, error), Verdict.WRONG)
    server.close()
    return Finding(f"{host}:{port} is free")


def _todo(host: str, port: int, variable: str, error: OSError) -> str:
    what = f"can't listen on {host}:{port} ({reason(error)})."
    if error.errno == errno.EADDRINUSE:
        return f"{what} Another program has that port: stop it, or set {variable} to a free one."
    if error.errno == errno.EACCES:
        return f"{what} Ports below 1024 need special rights: set {variable} to a higher one, such as 8080."
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"{what} {host} is no address of this machine: set BOBBIN_WEB__HOST to 0.0.0.0 or 127.0.0.1."
    return f"{what} Check BOBBIN_WEB__HOST and {variable}."
