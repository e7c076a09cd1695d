"""The door to people's files: who has a link gets the file, and nobody else learns anything."""

from __future__ import annotations

import asyncio
import json
import re
from base64 import urlsafe_b64decode
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from bots.files import LASTS, LONGEST_LINK, PATH, FileDoor, plain_name, with_port
from bots.web import Web
from core.attachment import Attachment, Kind, file
from core.chat import Opened
from core.errors import FileBusy, FileError, FileGone
from core.secret_box import SecretBox
from core.thread import PlaceId, Thread, ThreadId
from core.vitals import Vitals

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100_000)
THREAD = Thread(ThreadId("t"), "chat", (PlaceId("chat:T1"), PlaceId("chat:T1/C1")))
PICTURE = file("pump.png", "image/png", len(PNG), ref="F1 https://platform.example/pump.png")


@dataclass
class Keeper:
    """A chat that has one file, in one workspace."""

    name: str = "chat"
    content: bytes = PNG
    media_type: str = "image/png"
    error: FileError | None = None
    breaks: FileError | None = None  # in the middle
    tells_size: bool = True
    gate: asyncio.Event | None = None  # to be waited for in the middle
    asked: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def open_file(self, attachment: Attachment, workspace: PlaceId) -> AsyncIterator[Opened]:
        self.asked.append(attachment.ref)
        if self.error:
            raise self.error
        if workspace != "chat:T1":
            raise FileGone

        async def chunks() -> AsyncGenerator[bytes, None]:
            for at in range(0, len(self.content), 1 << 14):
                yield self.content[at : at + (1 << 14)]
                if self.gate:
                    await self.gate.wait()
                if at and self.breaks:
                    raise self.breaks

        yield Opened(attachment, self.media_type, len(self.content) if self.tells_size else None, chunks())

    async def public_link(self, attachment: Attachment) -> str:
        raise NotImplementedError

    async def listen(self, relay: Any) -> None:
        raise NotImplementedError

    async def show(self, turn: Any) -> Any:
        raise NotImplementedError


@dataclass
class House:
    keeper: Keeper
    door: FileDoor
    client: aiohttp.ClientSession
    url: str
    clock: list[float]

    def link(self, attachment: Attachment = PICTURE, thread: Thread = THREAD) -> str:
        return self.door.link(thread, attachment)

    async def get(self, link: str, method: str = "GET") -> tuple[int, bytes]:
        async with self.client.request(method, link) as response:
            return response.status, await response.read()


@asynccontextmanager
async def opened(**bounds: Any) -> AsyncIterator[House]:
    web, clock, keeper = Web(Vitals()), [1_000_000.0], Keeper()
    door = FileDoor(
        lambda: f"http://127.0.0.1:{web.port}", SecretBox([]), lambda: {"chat": keeper}, now=lambda: clock[0], **bounds
    )
    web.get(PATH, door.answer)
    async with web.open("127.0.0.1", 0), aiohttp.ClientSession() as client:
        yield House(keeper, door, client, f"http://127.0.0.1:{web.port}", clock)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with opened() as house:
        yield house


async def test_who_has_the_link_gets_the_file_and_nothing_that_a_browser_would_run(house: House) -> None:
    async with house.client.get(house.link()) as response:
        assert await response.read() == PNG
        headers = response.headers
    assert headers["Content-Type"] == "image/png"
    assert headers["Content-Length"] == str(len(PNG))
    assert headers["Content-Disposition"] == 'attachment; filename="pump.png"'
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in headers["Cache-Control"]
    assert "sandbox" in headers["Content-Security-Policy"]
    assert "Server" not in headers


async def test_who_asks_only_how_large_it_is_is_told(house: House) -> None:
    async with house.client.head(house.link()) as response:
        assert (response.status, response.headers["Content-Length"]) == (200, str(len(PNG)))
        assert await response.read() == b""
    assert (await house.get(house.link()))[0] == 200  # the connection is still good


async def test_a_file_without_a_told_size_is_passed_on_whole(house: House) -> None:
    house.keeper.tells_size = False
    assert await house.get(house.link()) == (200, PNG)


async def test_text_is_served_as_plain_text(house: House) -> None:
    house.keeper.content = b"<script>alert(1)</script>"
    page = file("page.html", "text/html", None, ref="F1")
    async with house.client.get(house.link(page)) as response:
        assert response.content_type == "text/plain"


async def test_a_link_says_nothing_of_the_file_but_its_name(house: House) -> None:
    link = house.link()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/files/[A-Za-z0-9_-]+/pump\.png", link)
    assert house.link() != link  # a new one each time
    assert b"platform" not in urlsafe_b64decode(urlsplit(link).path.split("/")[2] + "===")


async def test_whatever_is_wrong_with_a_link_it_is_as_if_there_was_nothing(house: House) -> None:
    """No byte of the answers tells one from another, nor from an address that never was one."""
    nothing = await house.get(f"{house.url}/nothing")
    assert nothing[0] == 404
    link = house.link()
    base, token, name = link.rsplit("/", 2)
    wrong = [
        f"{base}/{token}",
        f"{base}/{token}/",
        f"{base}/{token}/other.png",
        f"{base}/{token}/pump.jpg",
        f"{base}/{token}/{name}/more",
        f"{base}/{token}=/{name}",
        f"{base}/{token}./{name}",
        f"{base}/x{token}/{name}",
        f"{base}/{token[:-1]}/{name}",
        f"{base}//{name}",
        f"{base}/../{token}/{name}",
        f"{base}/{'A' * 1000}/{name}",
        FileDoor(lambda: house.url, SecretBox([]), dict).link(THREAD, PICTURE),  # another deployment's
        house.link(thread=replace(THREAD, within=(PlaceId("chat:T2"), PlaceId("chat:T2/C1")))),
        house.link(thread=replace(THREAD, chat="other")),
    ]
    for one in wrong:
        async with house.client.get(URL(one, encoded=True)) as response:
            assert (response.status, await response.read()) == nothing, one
    house.clock[0] += LASTS + 1
    assert await house.get(link) == nothing
    house.clock[0] -= 2
    assert (await house.get(link))[0] == 200


async def test_no_sign_of_a_link_can_be_changed(house: House) -> None:
    link = house.link()
    start = len(f"{house.url}/files/")
    for at in [*range(start, len(link), 7), *range(len(link) - 14, len(link))]:
        changed = link[:at] + ("A" if link[at] != "A" else "B") + link[at + 1 :]
        assert (await house.get(changed))[0] == 404, at
    assert house.keeper.asked == []


async def test_what_is_not_what_it_says_is_not_passed_on(house: House) -> None:
    house.keeper.content, house.keeper.media_type = b"<!DOCTYPE html><title>Sign in</title>", "text/html"
    assert (await house.get(house.link()))[0] == 404


async def test_what_is_away_for_a_moment_may_be_asked_for_again(house: House) -> None:
    house.keeper.error = FileBusy()
    assert (await house.get(house.link()))[0] == 503


async def test_a_file_that_breaks_off_is_not_taken_for_whole(house: House) -> None:
    house.keeper.breaks = FileBusy()
    for house.keeper.tells_size in (True, False):
        with pytest.raises(aiohttp.ClientError):
            await house.get(house.link())


async def test_a_file_that_never_ends_is_cut_off() -> None:
    async with opened(longest=0.05) as house:
        house.keeper.gate = asyncio.Event()
        with pytest.raises(aiohttp.ClientError):
            await house.get(house.link())
        house.keeper.gate.set()
        assert (await house.get(house.link()))[0] == 200


async def test_only_so_many_are_passed_on_at_once() -> None:
    async with opened(most_at_once=1) as house:
        house.keeper.gate = asyncio.Event()
        first = asyncio.ensure_future(house.get(house.link()))
        while not house.keeper.asked:
            await asyncio.sleep(0.01)
        async with house.client.get(house.link()) as second:
            assert (second.status, second.headers["Retry-After"]) == (503, "5")
        house.keeper.gate.set()
        assert await first == (200, PNG)


def test_without_an_address_there_are_no_links() -> None:
    assert FileDoor(lambda: "", SecretBox([]), dict).link(THREAD, PICTURE) == ""


def test_no_link_is_longer_than_servers_take() -> None:
    door = FileDoor(lambda: "https://bobbin.example", SecretBox([]), dict)
    longest = replace(PICTURE, name="x" * 80, ref="F1 https://files.example/" + "a" * 1_900)
    assert 0 < len(door.link(THREAD, longest)) < LONGEST_LINK
    assert door.link(THREAD, replace(PICTURE, ref="F" * 10_000)) == ""


@pytest.mark.parametrize(
    ("name", "media_type", "plain"),
    [
        ("pump.png", "image/png", "pump.png"),
        ("Screenshot 2026-11-26 at 10.00.00\u202fAM.PNG", "image/png", "Screenshot_2026-11-26_at_10_00_00_AM.png"),
        ("../../etc/passwd.png", "image/png", "etc_passwd.png"),
        ("..", "image/png", "file.png"),
        ("gpj.\u202egnp.exe", "application/octet-stream", "gpj_gnp.exe"),
        ("报告.pdf", "application/pdf", "file.pdf"),
        ("Übersicht.docx", "", "Ubersicht.docx"),
        ("photo", "image/jpeg", "photo.jpeg"),
        ("", "image/svg+xml", "file.svg"),
        ("Makefile", "text/plain", "Makefile"),
        ("a.tar.gz", "", "a_tar.gz"),
        ("x.png?.png%2f", "", "x_png.png2f"),
    ],
)
def test_a_link_ends_in_the_files_own_suffix(name: str, media_type: str, plain: str) -> None:
    assert plain_name(file(name, media_type, None)) == plain


@given(st.text(max_size=300), st.text(max_size=30))
def test_the_end_of_a_link_is_tame_whatever_a_file_is_called(name: str, media_type: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,40}(\.[a-z0-9]{1,10})?", plain_name(file(name, media_type, None)))


def test_a_port_that_is_to_be_got_is_filled_in() -> None:
    assert with_port("http://127.0.0.1:0", 8123) == "http://127.0.0.1:8123"
    assert with_port("http://[::1]:0/x", 8123) == "http://[::1]:8123/x"
    assert with_port("https://bobbin.example/x", 8123) == "https://bobbin.example/x"
    assert with_port("", 8123) == ""


def test_what_is_sealed_opens_in_one_spelling_only() -> None:
    box = SecretBox([])
    sealed = box.close(json.dumps(["x"])).rstrip("=")
    assert box.open_exactly(sealed) == '["x"]'
    for other in (sealed + "=", sealed + "A", f"{sealed[:9]}.{sealed[9:]}", sealed.replace("-", "+"), "", "é", "A"):
        assert other == sealed or box.open_exactly(other) is None


def test_kinds_are_told_by_a_link_made_before_an_upgrade() -> None:
    """What a later version adds to the kinds is no reason to fall over a link."""
    assert Kind("hologram") is Kind.OTHER
