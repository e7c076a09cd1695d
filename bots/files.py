"""The door through which the AI service fetches people's files: each by a link of its own that is good for an hour.

Nothing is kept: a file is fetched from its platform while it is passed on. A link says nothing to anybody, and can be
made by nobody but us; whatever is wrong with one, the door says the same as for an address that there isn't.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
import unicodedata
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import structlog
from aiohttp import web

from core.attachment import LARGEST, Attachment, Kind
from core.chat import Files
from core.errors import FileBusy, FileError, FileFalse, facts
from core.files import beginning
from core.genuine import HEAD, image_type, is_genuine
from core.thread import PlaceId

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from core.chat import Chat, Opened
    from core.secret_box import SecretBox
    from core.thread import Thread

NO_PUBLIC_URL = (
    "web.public_url is not set, so that the AI service can't fetch images and documents from here: only text files of up "
    "to 64 kB are read. Set BOBBIN_WEB__PUBLIC_URL to where the world reaches this web server, such as "
    "https://bobbin.example.com."
)
PATH = "/files/{token}/{name}"
LASTS = 3600.0  # seconds that a link is good for
MOST_AT_ONCE = 32
LONGEST = 150.0  # seconds for one file to be passed on
LONGEST_LINK = 4096  # characters; servers take twice as many
_PLAIN = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST_STEM, _LONGEST_SUFFIX = 40, 10
_IN_FULL = "application/octet-stream"
_HEADERS = {
    "Cache-Control": "private, no-store",
    # Opened by a person after all, it is nothing but a file to save.
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Sealed:
    """What a link says to us."""

    chat: str
    workspace: PlaceId
    attachment: Attachment


class FileDoor:
    """Makes the links, and answers whoever comes with one."""

    def __init__(
        self,
        public_url: Callable[[], str],
        secret_box: SecretBox,
        chats: Callable[[], Mapping[str, Chat]],
        *,
        now: Callable[[], float] = time.time,
        longest: float = LONGEST,
        most_at_once: int = MOST_AT_ONCE,
    ) -> None:
        """*public_url*: where the web server is for the AI service; empty if that can't reach it. *now* in seconds.

        *longest* in seconds, for one file to be passed on.
        """
        self._public_url = public_url
        self._secret_box = secret_box
        self._chats = chats
        self._now = now
        self._longest = longest
        self._most_at_once = most_at_once
        self._at_once = 0

    # Links

    def link(self, thread: Thread, attachment: Attachment) -> str:
        """Return a link to *attachment*, which was sent in *thread*; empty if there can be none."""
        base = self._public_url()
        if not base:
            return ""
        sealed = [
            int(self._now() + LASTS),
            thread.chat,
            thread.workspace,
            attachment.kind,
            attachment.name,
            attachment.size,
            # By the one or the other its adapter finds it.
            "" if attachment.ref else attachment.url,
            attachment.ref,
            attachment.media_type,
        ]
        token = self._secret_box.close(json.dumps(sealed, ensure_ascii=False, separators=(",", ":"))).rstrip("=")
        link = f"{base}/files/{token}/{plain_name(attachment)}"
        return link if len(link) <= LONGEST_LINK else ""

    def _opened(self, token: str, name: str) -> _Sealed | None:
        """Return what a link says, None if it is none of ours, as we have made it, and still good."""
        opened = self._secret_box.open_exactly(token)
        if opened is None:
            return None
        until, chat, workspace, kind, named, size, url, ref, media_type = json.loads(opened)
        attachment = Attachment(Kind(kind), named, size, url, ref, media_type)
        if self._now() > until or name != plain_name(attachment):
            return None
        return _Sealed(chat, PlaceId(workspace), attachment)

    # The door

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Pass a file on to whoever has its link."""
        # As it was sent: what stands for the same sign in another spelling was not made by us.
        *_, token, name = request.raw_path.partition("?")[0].split("/")
        sealed = self._opened(token, name)
        if sealed is None or sealed.chat not in self._chats():
            raise web.HTTPNotFound
        chat = self._chats()[sealed.chat]
        if not isinstance(chat, Files):
            raise web.HTTPNotFound
        if self._at_once >= self._most_at_once:
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "5"})
        self._at_once += 1
        try:
            async with asyncio.timeout(self._longest):
                return await _pass_on(request, chat, sealed, name)
        except TimeoutError:
            log.warning("a file takes too long to be passed on to the AI service")
            return _cut_off(request)
        finally:
            self._at_once -= 1


async def _pass_on(request: web.Request, chat: Files, sealed: _Sealed, name: str) -> web.StreamResponse:
    response: web.StreamResponse | None = None
    try:
        async with _opened_well(chat, sealed) as (opened, head), aclosing(opened.chunks) as chunks:
            response = _response(opened, head, name)
            await response.prepare(request)
            if request.method == "HEAD":
                return response
            await response.write(head)
            async for chunk in chunks:
                await response.write(chunk)
            await response.write_eof()
    except FileError as error:
        log.warning("a file can't be passed on to the AI service", **facts(error))
        if response is not None and response.prepared:
            return _cut_off(request)
        raise (web.HTTPServiceUnavailable if isinstance(error, FileBusy) else web.HTTPNotFound) from None
    return response


@asynccontextmanager
async def _opened_well(chat: Files, sealed: _Sealed) -> AsyncIterator[tuple[Opened, bytes]]:
    """Open a file and give it with its beginning. Raises a FileError, also if it isn't what it was when it was sent."""
    async with chat.open_file(sealed.attachment, sealed.workspace) as opened:
        head = await beginning(opened.chunks, HEAD)
        if not is_genuine(opened.attachment, opened.media_type, head):
            raise FileFalse(code=opened.media_type)
        yield opened, head


def _response(opened: Opened, head: bytes, name: str) -> web.StreamResponse:
    attachment = opened.attachment
    media_type = (attachment.kind is Kind.IMAGE and image_type(head)) or attachment.media_type or _IN_FULL
    if attachment.kind is Kind.TEXT:
        media_type = "text/plain"
    headers = {**_HEADERS, "Content-Type": media_type, "Content-Disposition": f'attachment; filename="{name}"'}
    response = web.StreamResponse(headers=headers)
    if opened.size is not None and opened.size <= LARGEST:
        response.content_length = opened.size
    return response


def _cut_off(request: web.Request) -> web.StreamResponse:
    """Have whoever fetches see that this is not all of it."""
    if request.transport:
        request.transport.abort()
    return web.StreamResponse()


def plain_name(attachment: Attachment) -> str:
    """Return a name for a link: plain letters alone, with the file's own suffix, by which the service decides what it is."""
    name = unicodedata.normalize("NFKD", attachment.name).encode("ascii", "ignore").decode()
    stem, dot, suffix = name.rpartition(".")
    if not dot:
        stem, suffix = suffix, ""
    if not suffix and attachment.kind is Kind.IMAGE:
        suffix = attachment.media_type.partition("/")[2].partition("+")[0]
    stem = _PLAIN.sub("_", stem).strip("_-")[:_LONGEST_STEM].rstrip("_-") or "file"
    suffix = "".join(filter(str.isalnum, suffix)).lower()[:_LONGEST_SUFFIX]
    return f"{stem}.{suffix}" if suffix else stem


def with_port(public_url: str, port: int) -> str:
    """Return *public_url* with *port* where it says 0, which stands for the port that the web server got."""
    parts = urlsplit(public_url)
    if parts.port != 0:
        return public_url
    return urlunsplit(parts._replace(netloc=f"{parts.netloc.removesuffix(':0')}:{port}"))
