"""What the local Slack sends has the keys and shapes that Slack documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from sandbox.slack import ChannelKind, Failure, LocalSlack, SharedFile

Payload = Callable[[str], dict[str, Any]]
BUTTON = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}, "value": "1"}
MODAL = {
    "type": "modal",
    "callback_id": "preset",
    "title": {"type": "plain_text", "text": "Preset"},
    "submit": {"type": "plain_text", "text": "Save"},
    "notify_on_close": True,
    "blocks": [
        {
            "type": "input",
            "block_id": "name",
            "label": {"type": "plain_text", "text": "Name"},
            "element": {"type": "plain_text_input", "action_id": "typed"},
        }
    ],
}
# These say what something is, so they must agree and not only be of one type.
TELLING = {"type", "subtype", "channel_type", "command", "mode", "ok", "error", "tab", "reason"}


def differences(documented: Any, sent: Any, place: str = "") -> list[str]:
    """Where *sent* lacks what is documented, or has it in another type."""
    if documented is not None and type(documented) is not type(sent):
        return [f"{place}: {type(sent).__name__}, not {type(documented).__name__}"]
    if isinstance(documented, dict):
        missing = [f"{place}/{key}: missing" for key in documented if key not in sent]
        told = [
            f"{place}/{key}: {sent[key]}"
            for key in TELLING & set(documented) & set(sent)
            if sent[key] != documented[key]
        ]
        below = [
            d for key in documented if key in sent for d in differences(documented[key], sent[key], f"{place}/{key}")
        ]
        return missing + told + below
    if isinstance(documented, list):
        if len(documented) > len(sent):
            return [f"{place}: too few entries"]
        return [d for at, each in enumerate(documented) for d in differences(each, sent[at], f"{place}/{at}")]
    return []


def test_a_missing_key_and_another_type_are_noticed() -> None:
    assert differences({"a": 1, "b": [{"c": ""}]}, {"b": [{"c": 2}]}) == ["/a: missing", "/b/0/c: int, not str"]
    assert differences({"type": "message"}, {"type": "app_mention"}) == ["/type: app_mention"]


async def reply(slack: LocalSlack) -> None:
    parent = await slack.say("ben", slack.channel("random"), "parent")
    await slack.say("ada", "random", "reply", parent.ts)


async def edit(slack: LocalSlack) -> None:
    await slack.edit(await slack.say("ada", "general", "one"), "two")


async def delete(slack: LocalSlack) -> None:
    await slack.delete(await slack.say("ada", "general", "one"))


async def react(slack: LocalSlack) -> None:
    await slack.react("ada", await slack.say("ben", "general", "one"), "eyes")


async def whisper(slack: LocalSlack) -> None:
    slack.add_channel("secret", "ada", "bobbin", private=True)
    await slack.say("ada", "secret", "hello")


async def join(slack: LocalSlack) -> None:
    slack.join(slack.add_user("cai"), "general")


async def speak_as_bot(slack: LocalSlack) -> None:
    await slack.say(slack.add_user("lamp", is_bot=True), "general", "Lights are on")


async def speak_itself(slack: LocalSlack) -> None:
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {slack.bot_token}"}) as session:
        said = {"channel": slack.channel("general").id, "text": "Here"}
        assert (await session.post(f"{slack.api_url}chat.postMessage", json=said)).status == 200


@pytest.mark.parametrize(
    ("name", "act"),
    [
        ("message_channels", lambda slack: slack.say("ada", "general", "hello")),
        ("message_im", lambda slack: slack.say("ada", slack.open_dm("ada"), "hello")),
        ("message_groups", whisper),
        ("thread_reply", reply),
        ("app_mention", lambda slack: slack.say("ada", "general", "@bobbin hello")),
        ("message_changed", edit),
        ("message_deleted", delete),
        ("bot_message", speak_as_bot),
        ("own_message", speak_itself),
        ("file_share", lambda slack: slack.say("ada", "general", "look", files=[SharedFile("a.txt", b"a")])),
        ("reaction_added", react),
        ("app_home_opened", lambda slack: slack.open_home("ada")),
        ("member_joined_channel", join),
    ],
)
async def test_events_look_as_documented(slack: LocalSlack, payload: Payload, name: str, act: Any) -> None:
    slack.faults.expect_acks = False
    async with aiohttp.ClientSession() as session, session.ws_connect(await address(slack, session)) as socket:
        await slack.wait_for(lambda: slack.sockets)
        await act(slack)
        await slack.wait_for(lambda: slack.deliveries and not slack.under_way)
        await socket.close()
    assert differences(payload(name), slack.deliveries[-1].parcel.payload) == []


async def address(slack: LocalSlack, session: aiohttp.ClientSession) -> str:
    headers = {"Authorization": f"Bearer {slack.app_token}"}
    answer = await (await session.post(f"{slack.api_url}apps.connections.open", headers=headers)).json()
    return str(answer["url"])


async def test_interactions_look_as_documented(slack: LocalSlack, client: Any, payload: Payload) -> None:
    blocks = [{"type": "actions", "block_id": "b", "elements": [BUTTON]}]
    await client.chat_postMessage(channel=slack.channel("general").id, text="Choose", blocks=blocks)
    view = slack._platform.interactions.begin(slack.user("ada"))
    await client.views_open(trigger_id=view.trigger_id, view=MODAL)
    await slack.click("ada", slack.messages("general")[0], "go")
    await slack.shortcut("ada", "ask_about", await slack.say("ada", "random", "hello"))
    await slack.shortcut("ada", "ask")
    await slack.command("ada", "general", "/bobbin", "help")
    typed = {"name": {"typed": {"type": "plain_text_input", "value": "calm"}}}
    await slack.submit("ada", view.views[0], typed)
    await slack.close_view("ada", view.views[0])

    sent = [each.parcel.payload for each in slack.deliveries if "event" not in each.parcel.payload]
    names = ["block_actions", "message_action", "shortcut", "slash_command", "view_submission", "view_closed"]
    assert [differences(payload(name), body) for name, body in zip(names, sent, strict=True)] == [[]] * 6


async def test_frames_look_as_documented(slack: LocalSlack, payload: Payload) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(await address(slack, session)) as socket:
        assert differences(payload("socket_hello"), await socket.receive_json()) == []
        await slack.say("ada", "general", "hello")
        event = await socket.receive_json()
        assert differences(payload("socket_event"), event) == []
        await socket.send_json({"envelope_id": event["envelope_id"]})
        slack.faults.expect_acks = False
        await slack.command("ada", "general", "/bobbin", wait=0.01)
        assert differences(payload("socket_command"), await socket.receive_json()) == []
        await slack.disconnect("warning")
        warning = payload("socket_disconnect") | {"reason": "warning"}
        assert differences(warning, await socket.receive_json()) == []


async def test_answers_look_as_documented(slack: LocalSlack, client: Any, payload: Payload) -> None:
    general = slack.channel("general")
    parent = await slack.say("ada", general, "Good morning")
    for _ in range(3):
        await slack.say("ben", general, "And to you", parent.ts)
    assert differences(payload("auth_test"), (await client.auth_test()).data) == []
    post = await client.chat_postMessage(channel=general.id, text="Here")
    assert differences(payload("chat_post_message"), post.data) == []
    update = await client.chat_update(channel=general.id, ts=post["ts"], text="There")
    assert differences(payload("chat_update"), update.data) == []
    history = await client.conversations_history(channel=general.id, limit=1)
    assert differences(payload("conversations_history"), history.data) == []
    replies = await client.conversations_replies(channel=general.id, ts=parent.ts, limit=2)
    assert differences(payload("conversations_replies"), replies.data) == []
    info = await client.conversations_info(channel=general.id)
    assert differences(payload("conversations_info"), info.data) == []
    user = await client.users_info(user=slack.user("ada").id)
    assert differences(payload("users_info"), user.data) == []


async def test_refusals_look_as_documented(slack: LocalSlack, client: Any, payload: Payload) -> None:
    where = slack.channel("general").id
    with pytest.raises(SlackApiError) as bad:
        await client.chat_postMessage(channel=where, text="x", blocks=[{"type": "section"}])
    assert differences(payload("invalid_blocks"), bad.value.response.data) == []
    slack.installation.scopes.discard("chat:write")
    with pytest.raises(SlackApiError) as missing:
        await client.chat_postMessage(channel=where, text="x")
    assert differences(payload("missing_scope"), missing.value.response.data) == []
    slack.faults.fail("chat.postMessage", Failure(429, "ratelimited", retry_after=7))
    with pytest.raises(SlackApiError) as limited:
        await client.chat_postMessage(channel=where, text="x")
    assert limited.value.response.headers["Retry-After"] == "7"
    assert differences(payload("ratelimited"), limited.value.response.data) == []


def test_kinds_are_called_as_slack_calls_them() -> None:
    assert [kind.scope for kind in ChannelKind] == ["channels", "groups", "im", "mpim"]
