from __future__ import annotations

import asyncio
import logging
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp.web import Request, Response

from bots.guard import Limits
from bots.web import Web
from core.vitals import Vitals

TOLD = Path(__file__).parents[2] / "docs" / "metrics.md"


async def page(vitals: Vitals) -> str:
    web = Web(vitals)
    async with web.open("127.0.0.1", 0), aiohttp.ClientSession() as client:
        answer = await client.get(f"http://127.0.0.1:{web.port}/metrics")
        assert answer.content_type == "text/plain"
        return await answer.text()


async def test_what_was_counted_is_served() -> None:
    vitals = Vitals()
    vitals.metrics.turns.labels("answered").inc(3)
    assert 'bobbin_turns_total{status="answered"} 3.0' in (await page(vitals)).splitlines()


async def test_two_bots_in_a_process_count_apart() -> None:
    vitals, other = Vitals(), Vitals()
    vitals.metrics.given_up.inc()
    assert "bobbin_shows_given_up_total 0.0" in (await page(other)).splitlines()


async def test_each_metric_is_explained() -> None:
    served = set(re.findall(r"^# TYPE (bobbin_\w+) (?:counter|gauge|histogram)$", await page(Vitals()), re.MULTILINE))
    served = {name for name in served if not name.endswith("_created")}  # the library's own
    assert served == set(re.findall(r"^\| `(bobbin_\w+)", TOLD.read_text(), re.MULTILINE))


# What keeps the door open


STALLED = b"POST /taken HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf"


@dataclass
class Door:
    port: int
    vitals: Vitals
    taken: list[bytes] = field(default_factory=list)

    def refused(self, why: str) -> float:
        return float(self.vitals.metrics.refused.labels(why)._value.get())

    async def connect(self, sent: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(sent)
        return reader, writer

    async def status(self, sent: bytes) -> int:
        """Of the only answer to what is sent."""
        reader, writer = await self.connect(sent)
        async with asyncio.timeout(10):
            line = await reader.readline()
        writer.close()
        return int(line.split()[1])

    async def is_alive(self) -> bool:
        return await self.status(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") == 200


@asynccontextmanager
async def opened(limits: Limits) -> AsyncIterator[Door]:
    vitals = Vitals()
    web = Web(vitals, limits)
    door = Door(0, vitals)

    async def take(request: Request) -> Response:
        door.taken.append(await request.read())
        return Response(text="taken")

    web.post("/taken", take)
    async with web.open("127.0.0.1", 0):
        door.port = web.port
        yield door


async def ended(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the other side closes."""
    async with asyncio.timeout(10):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


@pytest.mark.parametrize(
    ("sent", "why"),
    [(b"", "slow_head"), (b"POST /taken HTTP/1.1\r\nHost:", "slow_head"), (STALLED, "slow_body")],
    ids=["nothing", "half a head", "half a body"],
)
async def test_what_does_not_come_whole_in_time_is_closed(
    sent: bytes, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(Limits(head=0.1, body=0.1)) as door:
        reader, writer = await door.connect(sent)
        assert await ended(reader) == b""
        assert await door.is_alive()
        writer.close()
    assert door.refused(why) == 1
    assert not door.taken
    assert not caplog.records


async def test_a_connection_is_kept_for_more_but_not_for_long() -> None:
    async with opened(Limits(idle=0.2)) as door:
        reader, writer = await door.connect()
        for _ in range(2):
            writer.write(b"POST /taken HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")
            async with asyncio.timeout(10):
                await reader.readuntil(b"taken")
        assert await ended(reader) == b""
        writer.close()
    assert door.taken == [b"hi", b"hi"]
    assert door.refused("slow_head") == 0


async def test_a_second_request_has_no_more_time_than_the_first() -> None:
    async with opened(Limits(head=0.1, idle=60)) as door:
        reader, writer = await door.connect(b"POST /taken HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")
        async with asyncio.timeout(10):
            await reader.readuntil(b"taken")
        writer.write(b"POST /ta")
        assert await ended(reader) == b""
        writer.close()
    assert door.refused("slow_head") == 1


@pytest.mark.parametrize("sent", [b"", STALLED], ids=["idle", "stalled"])
async def test_a_crowd_that_says_nothing_makes_room(sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with opened(Limits(connections=8)) as door:
        crowd = [await door.connect(sent) for _ in range(40)]
        assert await door.is_alive()
        assert door.refused("crowded") >= 32
        for reader, _ in crowd[:32]:
            assert await ended(reader) == b""
        for _, writer in crowd:
            writer.close()
    assert not caplog.records


@pytest.mark.parametrize("passes", range(8))
async def test_turned_away_while_its_head_is_read_a_request_is_no_error_of_ours(
    passes: int, caplog: pytest.LogCaptureFixture
) -> None:
    """In one of these passes of the event loop, a body ends between its head and the first look at it."""
    async with opened(Limits(connections=8)) as door:
        crowd = [await door.connect() for _ in range(8)]
        assert await door.is_alive()  # all have been let in
        others = [socket.create_connection(("127.0.0.1", door.port)) for _ in range(8)]
        for _ in range(passes):
            await asyncio.sleep(0)
        for _, writer in crowd:
            writer.write(STALLED)
        for reader, writer in crowd:
            assert await ended(reader) == b""
            writer.close()
        for other in others:
            other.close()
    assert not caplog.records


async def test_all_bodies_together_are_bounded() -> None:
    async with opened(Limits(body_size=1_000, bodies_size=3_000)) as door:
        crowd = [await door.connect(STALLED) for _ in range(6)]
        for reader, _ in crowd[:3]:
            assert await ended(reader) == b""
        for _, writer in crowd[3:]:
            writer.write(b"x" * 996)
        for reader, _ in crowd[3:]:
            async with asyncio.timeout(10):
                assert b" 200 " in await reader.readline()
        for _, writer in crowd:
            writer.close()
    assert door.refused("crowded") == 3


async def test_a_body_is_bounded_with_and_without_a_length() -> None:
    big = b"x" * 2_000
    async with opened(Limits(body_size=1_000)) as door:
        post = b"POST /taken HTTP/1.1\r\nHost: x\r\n"
        assert await door.status(post + b"Content-Length: 2000\r\n\r\n" + big) == 413
        assert await door.status(post + b"Transfer-Encoding: chunked\r\n\r\n7d0\r\n" + big + b"\r\n0\r\n\r\n") == 413
    assert door.refused("too_large") == 2
    assert not door.taken


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello over TLS\r\n\r\n",
        b"POST /taken HTTP/1.1\r\nHost: x\r\nsecret words\r\n\r\n",
        b"POST /taken HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /taken HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nsecret\r\n",
        b"POST /taken HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 5_000 + b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X: x\r\n" * 65 + b"\r\n",
    ],
    ids=["tls", "header", "length", "chunk", "version", "long", "many"],
)
async def test_what_is_not_http_is_refused_without_a_traceback(sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with opened(Limits()) as door:
        assert await door.status(sent) == 400
        assert await door.is_alive()
    assert door.refused("malformed") == 1
    assert not door.taken
    assert not [record for record in caplog.records if record.levelno > logging.DEBUG]


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("POST", "//taken", 404),
        ("POST", "/taken/", 404),
        ("POST", "/taken//", 404),
        ("POST", "/./taken", 404),
        ("POST", "/%74aken", 404),
        ("POST", "/taken;x", 404),
        ("POST", "http://x/taken", 404),
        ("GET", "/taken/../metrics", 404),
        ("GET", "/taken/%2e%2e/metrics", 404),
        ("GET", "/taken/..%2fmetrics", 404),
        ("GET", "/taken%2f..%2fmetrics", 404),
        ("GET", "//x/metrics", 404),
        ("GET", "http://x/metrics", 404),
        ("GET", "/metrics#x", 404),
        ("GET", "/taken", 405),
        ("HEAD", "/taken", 405),
        ("OPTIONS", "/taken", 405),
        ("TRACE", "/taken", 405),
        ("OPTIONS", "*", 404),
        ("POST", "/metrics", 405),
        ("POST", "/taken?x=/metrics", 200),
        ("HEAD", "/healthz", 200),
    ],
)
async def test_a_route_has_one_spelling(method: str, target: str, status: int) -> None:
    async with opened(Limits()) as door:
        told = await door.status(f"{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
    assert told == status
    assert len(door.taken) == (status == 200 and method == "POST")


async def test_health_may_have_a_port_of_its_own() -> None:
    web = Web(Vitals())

    async def take(_request: Request) -> Response:
        return Response(text="taken")

    web.post("/taken", take)
    async with web.open("127.0.0.1", 0, 0), aiohttp.ClientSession() as client:
        assert web.port != web.health_port
        told = {}
        for port in (web.port, web.health_port):
            told[port] = [(await client.post(f"http://127.0.0.1:{port}/taken")).status]
            for path in ("/healthz", "/readyz", "/metrics"):
                told[port].append((await client.get(f"http://127.0.0.1:{port}{path}")).status)
    assert told == {web.port: [200, 404, 404, 404], web.health_port: [404, 200, 200, 200]}
