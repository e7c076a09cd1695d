"""What a page elsewhere may not ask of the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from sandbox.discord import LocalDiscord
from sandbox.slack import LocalSlack

LISTS = {"slack": "/_sandbox/state", "discord": "/_sandbox"}
SAID = {"user": "ada", "channel": "general", "text": "hello", "content": "hello"}


@pytest.fixture(params=["slack", "discord"])
async def surface(request: pytest.FixtureRequest) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    """The control surface of a stand-in, and the path that lists what is there."""
    async with LocalSlack() if request.param == "slack" else LocalDiscord() as local:
        origin = local.api_url.split("/api/")[0]
        async with aiohttp.ClientSession(origin) as session:
            yield session, LISTS[request.param]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:1"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Host": ""}, 403),
        ({"Host": "[::"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
    ids=str,
)
async def test_what_is_there_is_told_to_this_machine_alone(
    surface: tuple[aiohttp.ClientSession, str], headers: dict[str, str], status: int
) -> None:
    session, path = surface
    async with session.get(path, headers=headers) as answer:
        assert answer.status == status
        assert ("general" in await answer.text()) is (status == 200)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/json"}, 200),
        ({"Content-Type": "text/plain"}, 400),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 400),
        ({"Content-Type": "application/json", "Origin": "http://evil.example"}, 403),
    ],
    ids=str,
)
async def test_nobody_is_acted_as_by_a_page_elsewhere(
    surface: tuple[aiohttp.ClientSession, str], headers: dict[str, str], status: int
) -> None:
    session, _ = surface
    async with session.post("/_sandbox/say", json=None, data=str(SAID).replace("'", '"'), headers=headers) as answer:
        assert answer.status == status
    async with session.get("/_sandbox/messages", params={"channel": "general"}) as answer:
        assert ("hello" in await answer.text()) is (status == 200)
