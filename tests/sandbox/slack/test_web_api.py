"""The real AsyncWebClient, held to what Slack allows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler, AsyncServerErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack import Failure, LocalSlack

if TYPE_CHECKING:
    from collections.abc import Awaitable


async def refused(call: Awaitable[Any]) -> dict[str, Any]:
    """What Slack said to a call that it must refuse."""
    with pytest.raises(SlackApiError) as refusal:
        await call
    answer: dict[str, Any] = refusal.value.response.data
    return answer


async def error(call: Awaitable[Any]) -> str:
    return str((await refused(call))["error"])


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def general(slack: LocalSlack) -> str:
    return slack.channel("general").id


async def test_the_bot_learns_who_it_is(slack: LocalSlack, client: AsyncWebClient) -> None:
    who = await client.auth_test()
    assert (who["user_id"], who["bot_id"], who["team_id"]) == (slack.bot_user_id, slack.bot_id, slack.team_id)
    assert "chat:write" in who.headers["x-oauth-scopes"]
    assert (await client.bots_info(bot=slack.bot_id))["bot"]["user_id"] == slack.bot_user_id
    assert (await client.team_info())["team"]["id"] == slack.team_id
    assert {each["name"] for each in (await client.users_list())["members"]} == {"bobbin", "ada", "ben"}


@pytest.mark.parametrize("token", ["", "somebody-else's"])
async def test_a_token_is_needed(slack: LocalSlack, token: str) -> None:
    stranger = AsyncWebClient(token=token or None, base_url=slack.api_url)
    assert await error(stranger.auth_test()) == ("invalid_auth" if token else "not_authed")


async def test_query_form_and_json_are_understood_alike(slack: LocalSlack) -> None:
    url, asked = f"{slack.api_url}users.info", {"user": slack.user("ada").id}
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        answers = [
            await (await session.get(url, params=asked)).json(),
            await (await session.post(url, data=asked)).json(),
            await (await session.post(url, json=asked)).json(),
            await (await session.post(url, params=asked)).json(),
        ]
        assert [answer["user"]["name"] for answer in answers] == ["ada"] * 4
        assert (await (await session.post(url, data="[1]", headers={"Content-Type": "application/json"})).json())[
            "error"
        ] == "json_not_object"
    async with aiohttp.ClientSession() as session:
        form = await (await session.post(url, data=asked | {"token": slack.bot_token})).json()
        in_json = await (await session.post(url, json=asked | {"token": slack.bot_token})).json()
    assert form["ok"]
    assert in_json["error"] == "not_authed"


async def test_methods_that_are_not_here_are_unknown(client: AsyncWebClient) -> None:
    assert await error(client.api_call("chat.scheduleMessage")) == "unknown_method"


async def test_without_the_scope_it_is_refused_by_name(slack: LocalSlack, client: AsyncWebClient) -> None:
    slack.installation.scopes.discard("chat:write")
    answer = await refused(client.chat_postMessage(channel=general(slack), text="hello"))
    assert (answer["error"], answer["needed"]) == ("missing_scope", "chat:write")
    slack.installation.scopes.discard("im:history")
    assert (await refused(client.conversations_history(channel=slack.open_dm("ada").id)))["needed"] == "im:history"
    assert (await client.conversations_history(channel=general(slack)))["ok"]


async def test_posting_where_it_may_not_is_refused(slack: LocalSlack, client: AsyncWebClient) -> None:
    slack.installation.scopes.discard("chat:write.public")
    foreign = slack.add_channel("elsewhere", "ada")
    secret = slack.add_channel("secret", "ada", private=True)
    assert await error(client.chat_postMessage(channel=foreign.id, text="hello")) == "not_in_channel"
    assert await error(client.chat_postMessage(channel=secret.id, text="hello")) == "channel_not_found"
    assert await error(client.chat_postMessage(channel="C0NOWHERE", text="hello")) == "channel_not_found"
    assert await error(client.api_call("chat.postMessage", json={"channel": general(slack)})) == "no_text"
    await client.conversations_join(channel=foreign.id)
    assert (await client.chat_postMessage(channel=foreign.id, text="hello"))["ok"]


async def test_text_is_cut_when_posted_and_refused_when_updated(slack: LocalSlack, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel=general(slack), text="x" * 40_001)
    assert len(posted["message"]["text"]) == 40_000
    long_update = client.chat_update(channel=general(slack), ts=posted["ts"], text="x" * 4_001)
    assert await error(long_update) == "msg_too_long"


async def test_markdown_text_has_a_limit_and_stands_alone(slack: LocalSlack, client: AsyncWebClient) -> None:
    async def post(**arguments: Any) -> Any:
        return await client.api_call("chat.postMessage", json={"channel": general(slack), **arguments})

    assert await error(post(markdown_text="**a**", text="b")) == "markdown_text_conflict"
    assert await error(post(markdown_text="x" * 12_001)) == "msg_too_long"
    assert (await post(markdown_text="x" * 12_000))["ok"]


@pytest.mark.parametrize(
    ("blocks", "problem"),
    [
        ([{"type": "poem"}], "unsupported type: poem [json-pointer:/blocks/0/type]"),
        ([{"type": "section"}], "missing required field: text [json-pointer:/blocks/0]"),
        ([section("")], "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
        ([section("x" * 3_001)], "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"),
        (
            [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}],
            "must be less than 151 characters [json-pointer:/blocks/0/text/text]",
        ),
        ([{"type": "divider"}] * 51, "no more than 50 items allowed [json-pointer:/blocks]"),
        ([{"type": "markdown", "text": "x" * 6_001}] * 2, "must be less than 12001 characters [json-pointer:/blocks]"),
        (
            [{"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "x" * 76}}]}],
            "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]",
        ),
        (
            [{"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "x"}}] * 26}],
            "no more than 25 items allowed [json-pointer:/blocks/0/elements]",
        ),
        (
            [
                {
                    "type": "actions",
                    "elements": [{"type": "button", "text": {"type": "plain_text", "text": "x"}, "value": "v" * 2_001}],
                }
            ],
            "must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]",
        ),
    ],
)
async def test_bad_blocks_are_refused_with_the_place(
    slack: LocalSlack, client: AsyncWebClient, blocks: list[dict[str, Any]], problem: str
) -> None:
    answer = await refused(client.chat_postMessage(channel=general(slack), text="fallback", blocks=blocks))
    assert answer["error"] == "invalid_blocks"
    assert f"[ERROR] {problem}" in answer["response_metadata"]["messages"]
    assert slack.messages("general") == []


async def test_blocks_that_are_no_json_are_refused(slack: LocalSlack, client: AsyncWebClient) -> None:
    call = client.api_call("chat.postMessage", data={"channel": general(slack), "blocks": "[{"})
    assert await error(call) == "invalid_blocks_format"


async def test_only_text_updates_leave_a_mark(slack: LocalSlack, client: AsyncWebClient) -> None:
    where = general(slack)
    ts = (await client.chat_postMessage(channel=where, text="one", blocks=[section("one")]))["ts"]

    quiet = await client.chat_update(channel=where, ts=ts, text="two", blocks=[section("two")])
    assert "edited" not in quiet["message"]
    loud = await client.chat_update(channel=where, ts=ts, text="three")
    assert "edited" in loud["message"]
    assert "blocks" not in loud["message"]
    assert [version.text for version in slack.messages("general")[0].versions] == ["one", "two", "three"]


async def test_rich_text_is_replaced_by_rich_text_only(slack: LocalSlack, client: AsyncWebClient) -> None:
    """https://docs.slack.dev/reference/methods/chat.update#errors"""
    where = general(slack)
    markdown = {"type": "markdown", "text": "**one**"}
    words = {"type": "rich_text_section", "elements": [{"type": "text", "text": "one"}]}
    rich = {"type": "rich_text", "elements": [words]}
    for before in (markdown, rich):
        ts = (await client.chat_postMessage(channel=where, text="one", blocks=[before]))["ts"]
        assert (
            await error(client.chat_update(channel=where, ts=ts, text="x", blocks=[section("x")])) == "block_mismatch"
        )
        for after in (markdown, rich):
            assert (await client.chat_update(channel=where, ts=ts, text="x", blocks=[section("x"), after]))["ok"]
        assert (await client.chat_update(channel=where, ts=ts, text="x"))["ok"], "text takes the blocks away"
        assert (await client.chat_update(channel=where, ts=ts, text="x", blocks=[section("x")]))["ok"]


async def test_an_answer_to_what_was_deleted_stands_in_the_channel(slack: LocalSlack, client: AsyncWebClient) -> None:
    """https://github.com/slack-go/slack/issues/1571"""
    gone = await slack.say("ada", "general", "never mind")
    await slack.delete(gone)
    posted = await client.chat_postMessage(channel=gone.channel, text="hello", thread_ts=gone.ts)
    assert "thread_ts" not in posted["message"]
    assert [message.thread_ts for message in slack.messages("general")] == [None]


async def test_an_answer_to_a_tombstone_stands_in_its_thread(slack: LocalSlack, client: AsyncWebClient) -> None:
    parent = await slack.say("ada", "general", "never mind")
    await slack.say("ben", "general", "why?", parent.ts)
    await slack.delete(parent)
    posted = await client.chat_postMessage(channel=parent.channel, text="hello", thread_ts=parent.ts)
    assert posted["message"]["thread_ts"] == parent.ts


async def test_only_its_own_messages_can_it_change(slack: LocalSlack, client: AsyncWebClient) -> None:
    said = await slack.say("ada", "general", "hello")
    assert await error(client.chat_update(channel=said.channel, ts=said.ts, text="x")) == "cant_update_message"
    assert await error(client.chat_delete(channel=said.channel, ts=said.ts)) == "cant_delete_message"
    assert await error(client.chat_update(channel=said.channel, ts="1.000001", text="x")) == "message_not_found"


async def test_what_one_person_sees_is_out_of_reach(slack: LocalSlack, client: AsyncWebClient) -> None:
    ada = slack.user("ada").id
    ts = (await client.chat_postEphemeral(channel=general(slack), user=ada, text="psst"))["message_ts"]
    assert slack.messages("general")[0].ephemeral_to == ada
    assert await error(client.chat_update(channel=general(slack), ts=ts, text="x")) == "message_not_found"
    assert (await client.conversations_history(channel=general(slack)))["messages"] == []
    outsider = client.chat_postEphemeral(channel=general(slack), user="U0NOBODY", text="psst")
    assert await error(outsider) == "user_not_in_channel"


async def test_metadata_must_have_its_two_parts(slack: LocalSlack, client: AsyncWebClient) -> None:
    good = {"event_type": "answered", "event_payload": {"turn": 1}}
    posted = await client.chat_postMessage(channel=general(slack), text="x", metadata=good)
    assert posted["message"]["metadata"] == good
    bad = client.chat_postMessage(channel=general(slack), text="x", metadata={"event_type": "answered"})
    assert await error(bad) == "invalid_metadata_format"


async def test_stray_markup_is_escaped_and_known_markup_kept(slack: LocalSlack, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel=general(slack), text="a & b < c <@U0X> &lt; <https://x.test|x>")
    assert posted["message"]["text"] == "a &amp; b &lt; c <@U0X> &lt; <https://x.test|x>"


async def test_history_comes_newest_first_in_pages(slack: LocalSlack, client: AsyncWebClient) -> None:
    for number in range(5):
        parent = await slack.say("ada", "general", str(number))
    await slack.say("ben", "general", "a reply", parent.ts)
    seen: list[str] = []
    async for page in await client.conversations_history(channel=general(slack), limit=2):
        seen += [message["text"] for message in page["messages"]]
    assert seen == ["4", "3", "2", "1", "0"]
    after = await client.conversations_history(channel=general(slack), oldest=parent.ts, inclusive=True)
    assert [message["text"] for message in after["messages"]] == ["4"]


async def test_every_page_of_replies_begins_with_the_parent(slack: LocalSlack, client: AsyncWebClient) -> None:
    parent = await slack.say("ada", "general", "parent")
    for number in range(4):
        await slack.say("ben", "general", str(number), parent.ts)
    pages = [
        [message["text"] for message in page["messages"]]
        async for page in await client.conversations_replies(channel=general(slack), ts=parent.ts, limit=3)
    ]
    assert pages == [["parent", "0", "1"], ["parent", "2", "3"]]
    assert await error(client.conversations_replies(channel=general(slack), ts="1.000001")) == "thread_not_found"
    assert (
        await error(client.conversations_replies(channel=general(slack), ts=parent.ts, cursor="?")) == "invalid_cursor"
    )


async def test_channels_are_listed_by_kind_and_in_pages(slack: LocalSlack, client: AsyncWebClient) -> None:
    slack.add_channel("secret", "ada", private=True)
    hers = slack.open_dm("ada")
    names = [
        channel["name"]
        async for page in await client.conversations_list(types="public_channel,private_channel", limit=1)
        for channel in page["channels"]
    ]
    assert sorted(names) == ["general", "random"]
    ims = (await client.conversations_list(types="im"))["channels"]
    assert [(im["id"], im["user"]) for im in ims] == [(hers.id, slack.user("ada").id)]
    opened = await client.conversations_open(users=[slack.user("ada").id])
    assert (opened["channel"]["id"], opened["already_open"]) == (hers.id, True)
    members = (await client.conversations_members(channel=general(slack)))["members"]
    assert set(members) == set(slack.users)


async def test_reactions_are_there_once_or_not(slack: LocalSlack, client: AsyncWebClient) -> None:
    said = await slack.say("ada", "general", "hello")
    item = {"channel": said.channel, "timestamp": said.ts}
    await client.reactions_add(name="eyes", **item)
    assert slack.messages("general")[0].reactions[0].name == "eyes"
    assert await error(client.reactions_add(name="eyes", **item)) == "already_reacted"
    assert await error(client.reactions_add(name="No Such!", **item)) == "invalid_name"
    await client.reactions_remove(name="eyes", **item)
    assert await error(client.reactions_remove(name="eyes", **item)) == "no_reaction"
    assert slack.messages("general")[0].reactions == ()


async def test_a_status_stays_until_the_bot_posts(slack: LocalSlack, client: AsyncWebClient) -> None:
    said = await slack.say("ada", slack.open_dm("ada"), "hello")
    await client.assistant_threads_setStatus(channel_id=said.channel, thread_ts=said.ts, status="is thinking…")
    assert slack.status(said.channel, said.ts) == "is thinking…"
    await client.chat_postMessage(channel=said.channel, thread_ts=said.ts, text="Hello!")
    assert slack.status(said.channel, said.ts) == ""


async def test_a_permalink_leads_into_the_thread(slack: LocalSlack, client: AsyncWebClient) -> None:
    said = await slack.say("ada", "general", "hello")
    reply = await slack.say("ben", "general", "hi", said.ts)
    link = (await client.chat_getPermalink(channel=said.channel, message_ts=reply.ts))["permalink"]
    assert link.endswith(
        f"/archives/{said.channel}/p{reply.ts.replace('.', '')}?thread_ts={said.ts}&cid={said.channel}"
    )


async def test_too_many_posts_into_one_channel_are_held_back(slack: LocalSlack, client: AsyncWebClient) -> None:
    for _ in range(5):
        await client.chat_postMessage(channel=general(slack), text="x")
    answer = await refused(client.chat_postMessage(channel=general(slack), text="x"))
    assert answer == {"ok": False, "error": "ratelimited"}
    elsewhere = await client.chat_postMessage(channel=slack.channel("random").id, text="x")
    assert elsewhere["ok"]


async def test_updates_have_one_budget_for_the_workspace(slack: LocalSlack, client: AsyncWebClient) -> None:
    posts = [
        (await client.chat_postMessage(channel=slack.channel(name).id, text="x")) for name in ("general", "random")
    ]
    taken, late = 0, ""
    while not late and taken < 500:  # on a slow machine, some more are allowed meanwhile
        post = posts[taken % 2]
        try:
            await client.chat_update(channel=post["channel"], ts=post["ts"], text=str(taken))
        except SlackApiError as refusal:
            late = refusal.response["error"]
        else:
            taken += 1
    assert late == "ratelimited"
    assert taken >= 50


async def test_the_true_retry_handler_waits_as_told(slack: LocalSlack, client: AsyncWebClient) -> None:
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=1))
    slack.faults.rate_limit("chat.postMessage", retry_after=1)
    assert (await client.chat_postMessage(channel=general(slack), text="patient"))["ok"]
    assert [call.status for call in slack.calls] == [429, 200]
    assert [message.text for message in slack.messages("general")] == ["patient"]


async def test_until_retry_after_every_call_of_the_method_is_refused(slack: LocalSlack, client: AsyncWebClient) -> None:
    async def waits(channel: str) -> int:
        with pytest.raises(SlackApiError, match="ratelimited") as refusal:
            await client.chat_postMessage(channel=channel, text="x")
        return int(refusal.value.response.headers["Retry-After"])

    slack.faults.rate_limit("chat.postMessage", retry_after=30)
    random = slack.channel("random").id
    assert (await waits(general(slack)), await waits(general(slack)), await waits(random)) == (30, 30, 30)
    assert (await client.users_info(user=slack.user("ada").id))["ok"], "another method"
    assert slack.messages("general") == []


async def test_calls_can_be_made_to_fail(slack: LocalSlack, client: AsyncWebClient) -> None:
    slack.faults.fail("chat.postMessage", Failure(error="fatal_error"))
    assert await error(client.chat_postMessage(channel=general(slack), text="x")) == "fatal_error"
    client.retry_handlers.append(AsyncServerErrorRetryHandler(max_retry_count=1))
    slack.faults.fail("chat.postMessage", Failure(status=503))
    assert (await client.chat_postMessage(channel=general(slack), text="x"))["ok"]
    assert [call.status for call in slack.calls] == [200, 503, 200]


async def test_calls_are_recorded(slack: LocalSlack, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel=general(slack), text="hello")
    call = slack.calls[-1]
    assert (call.method, call.arguments["text"], call.answer["ok"]) == ("chat.postMessage", "hello", True)
    assert slack.bot_token not in json.dumps(call.arguments)


async def test_a_bot_learns_which_channels_it_is_in(slack: LocalSlack, client: AsyncWebClient) -> None:
    slack.add_channel("elsewhere", "ada")
    secret = slack.add_channel("secret", "ada", slack.bot_user_id, private=True)
    found = await client.users_conversations(types="public_channel,private_channel")
    assert {channel["name"] for channel in found["channels"]} == {"general", "random", "secret"}
    slack.installation.scopes.discard("groups:read")
    refusal = await refused(client.users_conversations(types="public_channel,private_channel"))
    assert (refusal["error"], refusal["needed"]) == ("missing_scope", "groups:read")
    assert secret.id not in [channel["id"] for channel in (await client.users_conversations())["channels"]]
