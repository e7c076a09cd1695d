"""Acting as a person over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

if TYPE_CHECKING:
    from sandbox.slack import LocalSlack


async def post(slack: LocalSlack, what: str, **body: Any) -> dict[str, Any]:
    async with aiohttp.ClientSession() as session:
        url = slack.api_url.replace("/api/", f"/_sandbox/{what}")
        answer = await session.post(url, json=body)
        read: dict[str, Any] = await answer.json()
        assert answer.ok is read["ok"]
        return read


async def get(slack: LocalSlack, what: str, **query: str) -> dict[str, Any]:
    async with aiohttp.ClientSession() as session:
        answer = await session.get(slack.api_url.replace("/api/", f"/_sandbox/{what}"), params=query)
        read: dict[str, Any] = await answer.json()
        return read


async def test_what_is_said_there_is_said(slack: LocalSlack) -> None:
    said = await post(slack, "say", user="ada", channel="general", text="hello @bobbin")
    assert said["message"]["ts"] == slack.messages("general")[0].ts
    shown = await get(slack, "messages", channel="general", thread_ts=said["message"]["ts"])
    assert [message["user"] for message in shown["messages"]] == [slack.user("ada").id]


async def test_what_hangs_on_a_message_can_be_said_there(slack: LocalSlack) -> None:
    words = {"type": "section", "text": {"type": "mrkdwn", "text": "in blocks"}}
    page = {"title": "A page"}
    said = await post(slack, "say", user="ada", channel="general", text="hello", attachments=[page], blocks=[words])
    assert said["message"]["shown"] == "in blocks\n| A page"


async def test_it_tells_where_to_connect(slack: LocalSlack) -> None:
    state = await get(slack, "state")
    assert (state["api_url"], state["bot_token"]) == (slack.api_url, slack.bot_token)
    assert state["channels"]["general"] == slack.channel("general").id


async def test_commands_tell_what_came_of_them(slack: LocalSlack) -> None:
    result = await post(slack, "command", user="ada", channel="general", command="/bobbin")
    assert result["problem"] == "dispatch_failed"


async def test_faults_are_switched_there(slack: LocalSlack, client: Any) -> None:
    failures = {"chat.postMessage": {"status": 429, "error": "ratelimited", "retry_after": 0, "times": 2}}
    await post(slack, "faults", redeliver=2, failures=failures)
    assert slack.faults.redeliver == 2
    for _ in range(2):
        with pytest.raises(SlackApiError, match="ratelimited"):
            await client.chat_postMessage(channel="general", text="x")
    assert (await client.chat_postMessage(channel="general", text="x"))["ok"]


@pytest.mark.parametrize(
    ("what", "body", "problem"),
    [
        ("say", {"user": "zoe", "channel": "general", "text": "x"}, "user zoe"),
        ("say", {"user": "ada", "channel": "general"}, "text"),
        ("faults", {"redeliver": "often"}, "redeliver is no int"),
        ("faults", {"failures": {"chat.update": {"colour": "red"}}}, "colour"),
    ],
)
async def test_nonsense_is_refused_with_the_reason(
    slack: LocalSlack, what: str, body: dict[str, Any], problem: str
) -> None:
    assert problem in (await post(slack, what, **body))["error"]
