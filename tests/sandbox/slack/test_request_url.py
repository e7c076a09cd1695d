"""The true Bolt app behind a request URL."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack import LocalSlack, shown
from sandbox.slack.request_url import signature

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass
class Door:
    """The app's web server; it may be told to answer badly first."""

    app: AsyncApp | None = None
    stuck: asyncio.Event | None = None
    bad_answers: list[web.Response] = field(default_factory=list)
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def listen_to_messages(self) -> None:
        async def listen() -> None:
            """Bolt answers 404 where nobody listens."""

        assert self.app
        self.app.event("message")(listen)

    async def open(self, request: web.Request) -> web.Response:
        self.requests.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        if self.stuck:
            await self.stuck.wait()
        if self.bad_answers:
            return self.bad_answers.pop(0)
        assert self.app
        return await to_aiohttp_response(await self.app.async_dispatch(await to_bolt_request(request)))


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
async def slack(door: Door, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LocalSlack]:
    for name in ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    application = web.Application()
    application.router.add_post("/slack/events", door.open)
    async with TestServer(application, host="127.0.0.1") as server:
        url = str(server.make_url("/slack/events"))
        async with LocalSlack(request_url=url, ack_seconds=0.5, retry_seconds=(0.0, 0.01, 0.01)) as slack:
            client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
            door.app = AsyncApp(client=client, signing_secret=slack.signing_secret)
            yield slack


async def test_bolt_answers_the_challenge(slack: LocalSlack) -> None:
    assert await slack.verify_request_url()


async def test_a_mention_is_signed_delivered_and_answered(slack: LocalSlack, door: Door) -> None:
    async def answer(event: dict[str, Any], client: AsyncWebClient) -> None:
        await client.chat_postMessage(channel=event["channel"], thread_ts=event["ts"], text="Yes")

    slack.installation.events = {"app_mention"}
    assert door.app
    door.app.event("app_mention")(answer)
    said = await slack.say("ada", "general", "@bobbin hello")

    await slack.wait_for(lambda: len(slack.messages("general", said.ts)) == 2)
    headers, body = door.requests[0]
    verifier = SignatureVerifier(slack.signing_secret)
    assert verifier.is_valid_request(body, headers)
    assert not verifier.is_valid_request(body.replace(b"hello", b"adieu"), headers)
    assert "x-slack-retry-num" not in headers


async def test_bolt_refuses_another_secret_and_slack_tries_again(slack: LocalSlack, door: Door) -> None:
    door.listen_to_messages()
    slack.installation.signing_secret = "not the one that Bolt has"
    await slack.say("ada", "general", "hello")

    await slack.wait_for(lambda: len(slack.deliveries) == 4)
    assert [headers.get("x-slack-retry-num") for headers, _ in door.requests] == [None, "1", "2", "3"]
    assert door.requests[-1][0]["x-slack-retry-reason"] == "http_error"


async def test_no_retry_is_honoured(slack: LocalSlack, door: Door) -> None:
    door.bad_answers = [web.Response(status=500, headers={"X-Slack-No-Retry": "1"})]
    await slack.say("ada", "general", "hello")
    await slack.wait_for(lambda: slack.deliveries)
    await slack.wait_for(lambda: not slack.under_way)
    assert len(door.requests) == 1


async def test_a_slow_app_is_asked_again_and_told_why(slack: LocalSlack, door: Door) -> None:
    door.listen_to_messages()
    door.stuck = asyncio.Event()
    await slack.say("ada", "general", "hello")
    await slack.wait_for(lambda: slack.deliveries)
    door.stuck.set()
    await slack.wait_for(lambda: not slack.under_way)
    assert [each.acknowledged for each in slack.deliveries] == [False, True]
    assert door.requests[1][0]["x-slack-retry-reason"] == "http_timeout"


async def test_a_dead_address_fails_the_challenge_and_commands() -> None:
    async with LocalSlack(request_url="http://127.0.0.1:9/slack/events") as slack:
        assert not await slack.verify_request_url()
        assert (await slack.command("ada", "general", "/bobbin")).problem == "dispatch_failed"


async def test_commands_and_clicks_come_as_forms(slack: LocalSlack, door: Door) -> None:
    async def show(ack: Any, command: dict[str, Any]) -> None:
        blocks = [
            {
                "type": "actions",
                "elements": [
                    {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": command["text"]}}
                ],
            }
        ]
        await ack(text="Choose", blocks=blocks, response_type="in_channel")

    async def go(ack: Any, respond: Any) -> None:
        await ack()
        await respond("Gone", replace_original=True)

    slack.installation.events = set()
    assert door.app
    door.app.command("/bobbin")(show)
    door.app.action("go")(go)
    result = await slack.command("ada", "general", "/bobbin", "Go & see")
    assert shown(result.messages[0]) == "[Go & see]"
    await slack.click("ada", result.messages[0], "go")
    await slack.wait_for(lambda: slack.messages("general")[-1].text == "Gone")
    assert {headers["content-type"] for headers, _ in door.requests} == {"application/x-www-form-urlencoded"}


def test_signatures_are_those_that_the_sdk_computes() -> None:
    now = str(int(time.time()))
    assert signature("secret", now, b"a=b") == SignatureVerifier("secret").generate_signature(timestamp=now, body="a=b")
