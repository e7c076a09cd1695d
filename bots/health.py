"""Asks a running Bobbin whether it is alive, as a container's health check does."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.settings import WebSection

TIMEOUT = 2.0  # seconds
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104  # how to reach who listens there


def alive(web: WebSection) -> tuple[str, bool]:
    """Return where was asked, and whether it answered well. No proxy is used, whatever the environment names."""
    host, port = EVERYWHERE.get(web.host, web.host), web.port if web.health_port is None else web.health_port
    connection = HTTPConnection(host, port, timeout=TIMEOUT)
    try:
        connection.request("GET", "/healthz")
        is_alive = connection.getresponse().status == 200
    except (OSError, HTTPException):
        is_alive = False
    finally:
        connection.close()
    return f"{host}:{port}", is_alive
