"""Files are fetched from their platform alone, no more than is wanted, and with nothing that leads elsewhere."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from yarl import URL

from bots.fetch import MOST_REDIRECTS, fetched, is_among, origin_of
from core.attachment import LARGEST, Attachment, Kind
from core.errors import (
    FileBusy,
    FileElsewhere,
    FileError,
    FileFalse,
    FileForbidden,
    FileGone,
    FileTooLarge,
)

PICTURE = Attachment(Kind.IMAGE, "a.png")
HEADERS = {"Authorization": "Bearer xoxb-secret"}
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Platform:
    """A server that keeps files, and who came to it with what."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.seen: list[tuple[str, str]] = []
        self.url = ""

    async def _take(self, request: web.Request) -> web.StreamResponse:
        self.seen.append((request.path, request.headers.get("Authorization", "")))
        return await self._answer(request)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Platform]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()


async def fetch(platform: Platform, path: str = "/a.png", silence: float = 10.0) -> bytes:
    """What is in the file. Raises what `fetched` raises."""
    own = origin_of(f"{platform.url}/api/")
    found = fetched(
        PICTURE, platform.url + path, allows=lambda at: is_among(at, (), own), headers=HEADERS, silence=silence
    )
    async with found as opened:
        return b"".join([chunk async for chunk in opened.chunks])


def always(response: Callable[[], web.Response]) -> Answer:
    async def answer(_request: web.Request) -> web.Response:
        return response()

    return answer


HOSTS = ("files.slack.com", ".slack.com")


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("https://files.slack.com/files-pri/T0-F0/a.png", True),
        ("https://acme.slack.com/files-pri/T0-F0/a.png", True),
        ("https://files.slack.com:443/a.png", True),
        ("http://files.slack.com/a.png", False),  # anybody on the way could read the token
        ("https://files.slack.com:8443/a.png", False),
        ("https://files.slack.com.evil.example/a.png", False),
        ("https://evilslack.com/a.png", False),
        ("https://files.slack.com@evil.example/a.png", False),
        ("https://evil.example@files.slack.com/a.png", False),
        ("https://evil.example/files.slack.com", False),
        ("https://169.254.169.254/latest/meta-data/", False),
        ("http://127.0.0.1:9999/a.png", True),  # where the API is, as with the stand-ins
        ("http://127.0.0.1:9998/a.png", False),
        ("https://127.0.0.1:9999/a.png", False),
        ("http://[::1]:9999/a.png", False),
        ("http://localhost:9999/a.png", False),
        ("ftp://files.slack.com/a.png", False),
        ("https://files.slack.com./a.png", False),
    ],
)
def test_only_the_platforms_own_hosts_are_asked(url: str, is_allowed: bool) -> None:  # noqa: FBT001
    assert is_among(URL(url, encoded=True), HOSTS, origin_of("http://127.0.0.1:9999/api/")) is is_allowed


@pytest.mark.parametrize(
    "url", ["", "x", "/a.png", "file:///etc/passwd", "data:text/plain,x", "https://[", "https:///a"]
)
async def test_what_is_no_address_is_no_file(url: str) -> None:
    with pytest.raises(FileError):
        async with fetched(PICTURE, url, allows=lambda at: is_among(at, HOSTS, origin_of("https://slack.com/api/"))):
            pass


async def test_a_file_is_passed_on_as_it_is() -> None:
    async with Platform(always(lambda: web.Response(body=b"abc" * 50_000))).running() as platform:
        assert await fetch(platform, "/a%2Fb.png?hm=1%2b") == b"abc" * 50_000
    assert platform.seen == [("/a/b.png", "Bearer xoxb-secret")]


async def test_a_redirect_among_the_platforms_own_is_followed() -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path == "/a.png":
            return web.Response(status=302, headers={"Location": "/elsewhere.png"})
        return web.Response(body=b"abc")

    async with Platform(answer).running() as platform:
        assert await fetch(platform) == b"abc"


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "https://evil.example/a.png",
        "//evil.example/a",
        "file:///etc/passwd",
    ],
)
async def test_a_redirect_to_anywhere_else_is_not(location: str) -> None:
    redirect = always(lambda: web.Response(status=302, headers={"Location": location}))
    async with Platform(redirect).running() as platform:
        with pytest.raises(FileElsewhere):
            await fetch(platform)
    assert len(platform.seen) == 1


async def test_no_token_reaches_another_server_of_this_machine() -> None:
    async with Platform(always(lambda: web.Response(body=b"x"))).running() as other:
        redirect = always(lambda: web.Response(status=307, headers={"Location": f"{other.url}/a.png"}))
        async with Platform(redirect).running() as platform:
            with pytest.raises(FileElsewhere):
                await fetch(platform)
    assert other.seen == []


async def test_a_circle_of_redirects_has_an_end() -> None:
    async with Platform(always(lambda: web.Response(status=302, headers={"Location": "/a.png"}))).running() as platform:
        with pytest.raises(FileElsewhere):
            await fetch(platform)
    assert len(platform.seen) == MOST_REDIRECTS + 1


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, FileGone),
        (403, FileGone),
        (410, FileGone),
        (401, FileForbidden),
        (429, FileBusy),
        (503, FileBusy),
        (418, FileError),
    ],
)
async def test_a_refusal_says_what_it_means(status: int, error: type[FileError]) -> None:
    async with Platform(always(lambda: web.Response(status=status))).running() as platform:
        with pytest.raises(error) as refused:
            await fetch(platform)
    assert type(refused.value) is error
    assert str(refused.value) == f"http_{status}"


async def test_what_is_told_to_be_too_large_is_not_read() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "300000000"})
        await response.prepare(request)
        return response

    async with Platform(answer).running() as platform:
        with pytest.raises(FileTooLarge):
            await fetch(platform)


async def test_what_turns_out_to_be_too_large_is_read_no_further() -> None:
    piece = bytes(1_000_000)
    sent = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        while sent < 10 * LARGEST:
            await response.write(piece)
            sent += len(piece)
        return response

    async with Platform(answer).running() as platform:
        with pytest.raises(FileTooLarge):
            await fetch(platform)
    assert sent < 2 * LARGEST


async def test_what_is_packed_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(10_000_000))
    packed = always(lambda: web.Response(body=bomb, headers={"Content-Encoding": "gzip"}))
    async with Platform(packed).running() as platform:
        with pytest.raises(FileFalse):
            await fetch(platform)


@pytest.mark.parametrize("after", ["nothing", "the head", "half"])
async def test_a_server_that_falls_silent_is_left(after: str) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "10"})
        if after != "nothing":
            await response.prepare(request)
        if after == "half":
            await response.write(b"12345")
        await asyncio.Event().wait()
        return response

    async with Platform(answer).running() as platform:
        with pytest.raises(FileBusy):
            await fetch(platform, silence=0.05)


async def test_a_file_that_breaks_off_is_not_taken_for_whole() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "10"})
        await response.prepare(request)
        await response.write(b"12345")
        assert request.transport
        request.transport.close()
        return response

    async with Platform(answer).running() as platform:
        with pytest.raises(FileBusy):
            await fetch(platform)


async def test_an_error_names_neither_address_nor_token() -> None:
    platform = Platform(always(web.Response))
    async with platform.running():
        pass
    with pytest.raises(FileBusy) as refused:  # nobody listens there any more
        await fetch(platform)
    assert refused.value.__cause__ is None
    assert "127.0.0.1" not in f"{refused.value}{refused.value.args}{refused.value.code}"
