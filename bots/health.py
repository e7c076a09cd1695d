"""Asks a running Bobbin whether it is alive, as a container's health check does."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.sections import WebSection

ALIVE = "alive\n"  # what it says
TIMEOUT = 2.0  # seconds
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104  # how to reach who listens there


def alive(web: WebSection) -> tuple[str, bool]:
    """Return where was asked, and whether it answered well."""
    port = web.port if web.health_port is None else web.health_port
    return f"{EVERYWHERE.get(web.host, web.host)}:{port}", says_alive(web.host, port)


def says_alive(host: str, port: int) -> bool:
    """Does a Bobbin answer there? No proxy is used, whatever the environment names."""
    connection = HTTPConnection(EVERYWHERE.get(host, host), port, timeout=TIMEOUT)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        return answer.status == 200 and answer.read(len(ALIVE) + 1) == ALIVE.encode()
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
