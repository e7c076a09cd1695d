"""The true Bolt app on a true socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from sandbox.slack import ChangeKind, LocalSlack

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from slack_sdk.web.async_client import AsyncWebClient


async def test_a_mention_comes_as_message_and_as_mention(slack: LocalSlack, bot: Any, connect: Any) -> None:
    await connect()
    said = await slack.say("ada", "general", "@bobbin is 1 < 2 & 3 > 2?")

    await slack.wait_for(lambda: len(slack.deliveries) == 2)
    message, mention = bot.of("message")[0], bot.of("app_mention")[0]
    assert message["text"] == f"<@{slack.bot_user_id}> is 1 &lt; 2 &amp; 3 &gt; 2?"
    assert message["ts"] == mention["ts"] == said.ts
    assert bot.heard[0]["event_id"] != bot.heard[1]["event_id"]
    assert message["channel_type"] == "channel"
    assert "channel_type" not in mention


async def test_the_mention_can_come_first(slack: LocalSlack, bot: Any, connect: Any) -> None:
    await connect()
    slack.faults.mention_first = True
    await slack.say("ada", "general", "@bobbin hello")

    await slack.wait_for(lambda: len(slack.deliveries) == 2)
    assert [each.parcel.payload["event"]["type"] for each in slack.deliveries] == ["app_mention", "message"]


async def test_direct_messages_make_no_mention(slack: LocalSlack, bot: Any, connect: Any) -> None:
    await connect()
    await slack.say("ada", slack.open_dm("ada"), "@bobbin hello")
    await slack.say("ada", "general", "the end")

    await slack.wait_for(lambda: len(bot.of("message")) == 2)
    assert bot.of("app_mention") == []
    assert bot.of("message")[0]["channel_type"] == "im"


async def test_without_a_scope_its_events_stay_away(slack: LocalSlack, bot: Any, connect: Any) -> None:
    await connect()
    slack.installation.scopes.discard("channels:history")
    await slack.say("ada", "general", "@bobbin hello")

    await slack.wait_for(lambda: bot.events)
    assert [event["type"] for event in bot.events] == ["app_mention"]


async def test_the_bot_hears_nothing_where_it_is_no_member(slack: LocalSlack, bot: Any, connect: Any) -> None:
    await connect()
    slack.add_channel("secret", "ada", "ben", private=True)
    await slack.say("ada", "secret", "@bobbin hello")
    await slack.say("ada", "general", "the end")

    await slack.wait_for(lambda: bot.events)
    assert [event["text"] for event in bot.events] == ["the end"]


async def test_a_reply_appears_in_the_thread_and_comes_back_as_the_bots_own(
    slack: LocalSlack, bot: Any, connect: Any
) -> None:
    async def answer(event: dict[str, Any], client: AsyncWebClient) -> None:
        await client.chat_postMessage(channel=event["channel"], thread_ts=event["ts"], text="Yes")

    bot.app.event("app_mention")(answer)
    bot.app._async_listeners.insert(0, bot.app._async_listeners.pop())  # before the listener that only listens
    await connect()
    said = await slack.say("ada", "general", "@bobbin are you there?")

    await slack.wait_for(lambda: len(slack.messages("general", said.ts)) == 2)
    await slack.wait_for(lambda: [event for event in bot.of("message") if event.get("bot_id")])
    own = next(event for event in bot.of("message") if event.get("bot_id"))
    assert own["bot_id"] == slack.bot_id
    assert own["thread_ts"] == said.ts
    assert own["parent_user_id"] == slack.user("ada").id


async def test_what_other_bots_say_has_no_user(slack: LocalSlack, bot: Any, connect: Any) -> None:
    await connect()
    lamp = slack.add_user("lamp", is_bot=True)
    await slack.say(lamp, "general", "Lights are on")

    await slack.wait_for(lambda: bot.events)
    assert bot.events[0]["subtype"] == "bot_message"
    assert bot.events[0]["bot_id"] == lamp.bot_id
    assert "user" not in bot.events[0]


async def test_edits_and_deletions_are_told(slack: LocalSlack, bot: Any, connect: Any) -> None:
    await connect()
    said = await slack.say("ada", "general", "one")
    changed = await slack.edit(said, "two")
    await slack.delete(changed)

    await slack.wait_for(lambda: len(bot.events) == 3)
    edit, deletion = sorted(bot.events, key=lambda event: event["event_ts"])[1:]
    assert (edit["subtype"], edit["previous_message"]["text"], edit["message"]["text"]) == (
        "message_changed",
        "one",
        "two",
    )
    assert (deletion["subtype"], deletion["deleted_ts"]) == ("message_deleted", said.ts)


async def test_events_wait_for_a_socket(slack: LocalSlack, bot: Any, connect: Any) -> None:
    await slack.say("ada", "general", "anybody?")
    assert not slack.deliveries
    await connect()

    await slack.wait_for(lambda: bot.events)
    assert bot.events[0]["text"] == "anybody?"


async def test_what_is_not_acknowledged_comes_again_with_the_reason(slack: LocalSlack, bot: Any, connect: Any) -> None:
    numbers: list[str] = []

    async def refuse_twice(req: Any, resp: Any, next: Callable[[], Awaitable[Any]]) -> Any:  # noqa: A002 — Bolt's name
        numbers.extend(req.headers["x-slack-retry-num"])
        if len(numbers) > 2:
            return await next()
        resp.status = 500
        return resp

    bot.app.middleware(refuse_twice)
    await connect()
    await slack.say("ada", "general", "hello")

    await slack.wait_for(lambda: any(each.acknowledged for each in slack.deliveries))
    assert numbers == ["0", "1", "2"]
    assert [each.retry.reason for each in slack.deliveries] == ["", "timeout", "timeout"]
    assert len({body["event_id"] for body in bot.heard}) == 1


async def test_slack_gives_up_after_three_retries(slack: LocalSlack, bot: Any, connect: Any) -> None:
    await connect()
    slack.faults.lose_acks = 100
    await slack.say("ada", "general", "hello")

    await slack.wait_for(lambda: slack.faults.lose_acks == 96)
    await slack.wait_for(lambda: len(slack.deliveries) == 4)
    assert len(bot.events) == 4


async def test_events_can_get_lost(slack: LocalSlack, bot: Any, connect: Any) -> None:
    await connect()
    slack.faults.lose_events = True
    await slack.say("ada", "general", "lost")
    slack.faults.lose_events = False
    await slack.say("ada", "general", "found")
    await slack.wait_for(lambda: bot.events)
    assert [event["text"] for event in bot.events] == ["found"]


async def test_acknowledged_events_can_be_redelivered(slack: LocalSlack, bot: Any, connect: Any) -> None:
    await connect()
    slack.faults.redeliver = 2
    await slack.say("ada", "general", "hello")

    await slack.wait_for(lambda: len(slack.deliveries) == 3)
    assert [each.retry.number for each in slack.deliveries] == [0, 1, 2]
    assert len({body["event_id"] for body in bot.heard}) == 1


async def test_an_app_that_never_acknowledges_can_be_left_in_peace(slack: LocalSlack, client: AsyncWebClient) -> None:
    slack.faults.expect_acks = False
    url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        assert (await socket.receive_json())["type"] == "hello"
        await slack.say("ada", "general", "hello")
        assert (await socket.receive_json())["payload"]["event"]["text"] == "hello"
        await slack.wait_for(lambda: slack.deliveries)
        assert slack.deliveries[0].acknowledged


async def test_the_client_comes_back_after_a_dropped_socket(slack: LocalSlack, bot: Any, connect: Any) -> None:
    await connect(ping_interval=0.05)
    slack.drop_sockets()
    assert slack.sockets == 0
    await slack.say("ada", "general", "said meanwhile")

    await slack.wait_for(lambda: bot.events, timeout=10)
    assert bot.events[0]["text"] == "said meanwhile"


async def test_the_client_comes_back_when_asked_to_refresh(slack: LocalSlack, bot: Any, connect: Any) -> None:
    await connect()
    await slack.disconnect("refresh_requested")
    await slack.say("ada", "general", "said meanwhile")

    await slack.wait_for(lambda: bot.events)
    assert [call.method for call in slack.calls].count("apps.connections.open") == 2


async def test_each_payload_goes_to_one_of_several_sockets(slack: LocalSlack, bot: Any, connect: Any) -> None:
    heard: list[list[str]] = [[], []]
    for place in heard:
        handler = await connect()

        async def hear(_: Any, request: Any, place: list[str] = place) -> None:
            place.append(request.payload["event"]["text"])

        handler.client.socket_mode_request_listeners.insert(0, hear)  # before the acknowledgement
    for text in ("one", "two", "three", "four"):
        await slack.say("ada", "general", text)

    await slack.wait_for(lambda: len(slack.deliveries) == 4)
    assert sorted(map(sorted, heard)) == [["four", "two"], ["one", "three"]]


async def test_the_eleventh_socket_is_sent_away(slack: LocalSlack, client: AsyncWebClient) -> None:
    async with aiohttp.ClientSession() as session:
        open_sockets = []
        for expected in [*["hello"] * 10, "disconnect"]:
            url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
            open_sockets.append(await session.ws_connect(url))
            frame = await open_sockets[-1].receive_json()
            assert frame["type"] == expected
        assert frame["reason"] == "too_many_websockets"
        for socket in open_sockets:
            await socket.close()


async def test_an_address_of_a_socket_is_good_once(slack: LocalSlack, client: AsyncWebClient) -> None:
    url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url) as socket:
            assert (await socket.receive_json())["num_connections"] == 1
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)


async def test_only_the_app_token_opens_sockets(slack: LocalSlack, client: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError, match="not_allowed_token_type"):
        await client.apps_connections_open(app_token=slack.bot_token)
    with pytest.raises(SlackApiError, match="invalid_auth"):
        await client.apps_connections_open(app_token="somebody-else's")


async def test_a_watch_sees_every_change_from_its_beginning(slack: LocalSlack, client: AsyncWebClient) -> None:
    watch = slack.watch()
    said = await slack.say("ada", "general", "hello")
    await client.reactions_add(channel=said.channel, timestamp=said.ts, name="eyes")
    await slack.delete(slack.messages("general")[0])

    kinds = [(await anext(watch)).kind for _ in range(3)]
    assert kinds == [ChangeKind.POSTED, ChangeKind.REACTED, ChangeKind.DELETED]
