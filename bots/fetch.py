"""Fetches a file from a platform: only from its own hosts, no more than was asked for, and never to disk."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

from core.attachment import LARGEST, bare_type
from core.chat import Opened
from core.errors import FileBusy, FileElsewhere, FileError, FileFalse, FileForbidden, FileGone, FileTooLarge, SetupError
from core.settings import proxy_for

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping

    from core.attachment import Attachment

MOST_REDIRECTS = 3
LONGEST_SILENCE = 10.0  # seconds without a byte
LONGEST_IN_ALL = 120.0  # seconds for one file
_CHUNK = 1 << 16  # bytes
_REDIRECTS = (301, 302, 303, 307, 308)
_GONE = (403, 404, 410)


def origin_of(api_url: str) -> URL:
    """Return where a platform's API is; what it serves from there is its own as well."""
    return URL(api_url).origin()


def is_among(url: URL, hosts: tuple[str, ...], own: URL) -> bool:
    """Is *url* at one of *hosts* over https, or at the platform's *own* place? A host that begins with a dot is any below it."""
    host = url.host or ""
    if not host or url.user is not None or url.password is not None:
        return False
    is_there = any(host == one.removeprefix(".") or (one[0] == "." and host.endswith(one)) for one in hosts)
    return (url.scheme == "https" and url.is_default_port() and is_there) or url.origin() == own


@asynccontextmanager
async def fetched(
    attachment: Attachment,
    url: str,
    *,
    allows: Callable[[URL], bool],
    headers: Mapping[str, str] | None = None,
    silence: float = LONGEST_SILENCE,
) -> AsyncIterator[Opened]:
    """Fetch what is at *url*. Raises a FileError, FileElsewhere where it leads to what *allows* doesn't.

    *headers*, such as one with a token, are sent there and to where that redirects, all of which *allows* has allowed.
    """
    timeout = aiohttp.ClientTimeout(total=LONGEST_IN_ALL, sock_connect=silence, sock_read=silence)
    async with aiohttp.ClientSession(
        # What is packed may be a thousand times as much: it isn't unpacked here, and not asked for.
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept-Encoding": "identity", **(headers or {})},
        timeout=timeout,
    ) as session:
        try:
            response = await _found(session, url, allows)
            size = _checked(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:  # each quotes the address
            raise FileBusy(code=type(error).__name__) from None
        try:
            yield Opened(attachment, bare_type(response.headers.get("Content-Type")), size, _chunks(response))
        finally:
            response.close()


async def _found(session: aiohttp.ClientSession, url: str, allows: Callable[[URL], bool]) -> aiohttp.ClientResponse:
    """Return the answer at the end of all redirects. Raises a FileError, and what aiohttp raises."""
    address = _address(url)
    for _ in range(MOST_REDIRECTS + 1):
        if not allows(address):
            raise FileElsewhere(code="host")
        try:
            response = await session.get(address, allow_redirects=False, proxy=proxy_for(str(address)))
        except SetupError:
            raise FileBusy(code="proxy") from None
        if response.status not in _REDIRECTS:
            return response
        location = response.headers.get("Location", "")
        response.close()
        address = address.join(_address(location))
    raise FileElsewhere(code="redirects")


def _address(url: str) -> URL:
    """Read *url* as it is written: another spelling would not be what was signed. Raises FileGone for what is none."""
    try:
        return URL(url, encoded=True)
    except ValueError:
        raise FileGone(code="no address") from None


def _checked(response: aiohttp.ClientResponse) -> int | None:
    """Return how many bytes are to come, None if that isn't told. Raises a FileError."""
    if response.status != 200:
        response.close()
        raise _refusal(response.status)(code=f"http_{response.status}")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        response.close()
        raise FileFalse(code="packed")
    size = response.content_length
    if size is not None and size > LARGEST:
        response.close()
        raise FileTooLarge
    return size


def _refusal(status: int) -> type[FileError]:
    if status in _GONE:
        return FileGone
    if status == 401:
        return FileForbidden
    return FileBusy if status == 429 or status >= 500 else FileError


async def _chunks(response: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
    """Raises a FileError."""
    count = 0
    try:
        async for chunk in response.content.iter_chunked(_CHUNK):
            count += len(chunk)
            if count > LARGEST:
                raise FileTooLarge
            yield chunk
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise FileBusy(code=type(error).__name__) from None
