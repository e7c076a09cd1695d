"""Lets in what this machine's own pages and programs ask, and nothing that a page elsewhere could send.

A page of any site can send requests to 127.0.0.1 and, if its name points there (DNS rebinding), read the answers. What
it can't choose are the headers `Host` and `Origin`, nor send JSON as such unasked:
https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CORS#simple_requests
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web

_LOCAL = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?", re.IGNORECASE)
_READS = ("GET", "HEAD")


class NotLetIn(Exception):
    """The request comes from elsewhere, or may do so; the text says to people what to do."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


def check(request: web.Request, *, own_page: bool = False) -> None:
    """Raises NotLetIn unless *request* was sent to this machine by its name, by our own page or by no page at all.

    With *own_page* it has to be our page: programs are not let in.
    """
    if not _LOCAL.fullmatch(request.host):
        raise NotLetIn("Ask by 127.0.0.1 or localhost.", 403)
    origin = request.headers.get("Origin")
    if (own_page or origin is not None) and origin != f"http://{request.host}":
        raise NotLetIn("No other page may ask.", 403)
    if request.method not in _READS and request.content_type != "application/json":
        raise NotLetIn("Send JSON, with Content-Type: application/json.", 400)
