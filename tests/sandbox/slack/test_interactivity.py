"""Commands, clicks, shortcuts and modals, through the true Bolt app."""

from __future__ import annotations

import time
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook.async_client import AsyncWebhookClient

from sandbox.slack import LocalSlack, Message, SharedFile, shown

BUTTONS: list[dict[str, Any]] = [
    {
        "type": "actions",
        "block_id": "row",
        "elements": [
            {"type": "button", "action_id": "stop", "text": {"type": "plain_text", "text": "Stop"}, "value": "turn-1"}
        ],
    }
]
MODAL: dict[str, Any] = {
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
TYPED = {"name": {"typed": {"type": "plain_text_input", "value": "calm"}}}


async def with_buttons(slack: LocalSlack, client: Any) -> Message:
    await client.chat_postMessage(channel=slack.channel("general").id, text="Working", blocks=BUTTONS)
    return slack.messages("general")[-1]


async def test_the_acknowledgement_of_a_command_is_seen_by_the_one_who_gave_it(
    slack: LocalSlack, bot: Any, connect: Any
) -> None:
    async def show(ack: Any, command: dict[str, Any]) -> None:
        await ack(f"You said {command['text']}.")

    bot.app.command("/bobbin")(show)
    await connect()
    result = await slack.command("ada", "general", "/bobbin", "preset show")

    assert shown(result.messages[0]) == "You said preset show."
    assert result.messages[0].ephemeral_to == slack.user("ada").id
    assert bot.heard[0]["channel_name"] == "general"


async def test_a_command_can_answer_later_and_for_all(slack: LocalSlack, bot: Any, connect: Any) -> None:
    async def show(ack: Any, respond: Any) -> None:
        await ack()
        await respond("For all", response_type="in_channel")

    bot.app.command("/bobbin")(show)
    await connect()
    result = await slack.command("ada", "general", "/bobbin")

    assert (result.messages[0].text, result.messages[0].ephemeral_to) == ("For all", "")
    assert slack.messages("general") == result.messages


async def test_a_command_that_nobody_acknowledges_times_out(slack: LocalSlack, bot: Any, connect: Any) -> None:
    async def sulk() -> None:
        """Says nothing."""

    bot.app.command("/bobbin")(sulk)
    await connect()
    assert (await slack.command("ada", "general", "/bobbin")).problem == "operation_timeout"
    assert len(slack.deliveries) == 1


async def test_a_command_without_a_bot_fails_at_once(slack: LocalSlack) -> None:
    assert (await slack.command("ada", "general", "/bobbin")).problem == "dispatch_failed"


async def test_a_response_url_works_five_times(slack: LocalSlack, bot: Any, connect: Any) -> None:
    async def show(ack: Any) -> None:
        await ack("ok")

    bot.app.command("/bobbin")(show)
    await connect()
    await slack.command("ada", "general", "/bobbin")
    webhook = AsyncWebhookClient(bot.heard[0]["response_url"])
    answers = [await webhook.send(text=str(number)) for number in range(6)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [404]
    assert "used_url" in answers[-1].body
    assert (await AsyncWebhookClient(bot.heard[0]["response_url"][:-3]).send(text="x")).status_code == 404


async def test_a_click_tells_what_was_clicked_and_the_answer_can_replace_it(
    slack: LocalSlack, bot: Any, connect: Any, client: Any
) -> None:
    async def stop(ack: Any, action: dict[str, Any], respond: Any) -> None:
        await ack()
        await respond(f"Stopped {action['value']}", replace_original=True)

    bot.app.action("stop")(stop)
    await connect()
    message = await with_buttons(slack, client)
    await slack.click("ada", message, "stop")

    await slack.wait_for(lambda: slack.messages("general")[-1].text == "Stopped turn-1")
    body = next(body for body in bot.heard if body["type"] == "block_actions")
    assert body["container"]["message_ts"] == message.ts
    assert body["message"]["text"] == "Working"


async def test_what_is_not_there_cannot_be_clicked(slack: LocalSlack, client: Any) -> None:
    message = await with_buttons(slack, client)
    with pytest.raises(KeyError, match="retry"):
        await slack.click("ada", message, "retry")


async def test_a_shortcut_opens_a_modal_whose_submission_arrives(slack: LocalSlack, bot: Any, connect: Any) -> None:
    async def ask(ack: Any, body: dict[str, Any], client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    saved: list[str] = []

    async def save(ack: Any, view: dict[str, Any]) -> None:
        saved.append(view["state"]["values"]["name"]["typed"]["value"])
        await ack()

    bot.app.message_shortcut("ask_about")(ask)
    bot.app.view("preset")(save)
    await connect()
    said = await slack.say("ada", "general", "hello")
    opened = await slack.shortcut("ada", "ask_about", said)
    await slack.wait_for(lambda: opened.views)
    await slack.submit("ada", opened.views[0], TYPED)

    assert saved == ["calm"]
    assert opened.views[0] not in slack.views


async def test_a_modal_can_complain_change_and_hear_of_its_end(slack: LocalSlack, bot: Any, connect: Any) -> None:
    async def ask(ack: Any, body: dict[str, Any], client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    answers = [
        {"response_action": "errors", "errors": {"name": "Too calm"}},
        {"response_action": "update", "view": MODAL | {"title": {"type": "plain_text", "text": "Again"}}},
    ]
    closed: list[str] = []

    async def save(ack: Any) -> None:
        await ack(**answers.pop(0))

    async def close(ack: Any, view: dict[str, Any]) -> None:
        closed.append(view["id"])
        await ack()

    bot.app.global_shortcut("ask")(ask)
    bot.app.view("preset")(save)
    bot.app.view_closed("preset")(close)
    await connect()
    opened = await slack.shortcut("ada", "ask")
    await slack.wait_for(lambda: opened.views)
    view = opened.views[0]

    complaint = await slack.submit("ada", view, TYPED)
    assert complaint.ack == {"response_action": "errors", "errors": {"name": "Too calm"}}
    assert slack.views[view]["title"]["text"] == "Preset"
    await slack.submit("ada", view, TYPED)
    assert slack.views[view]["title"]["text"] == "Again"
    await slack.close_view("ada", view)
    assert closed == [view]


FORM = MODAL | {
    "blocks": [
        *MODAL["blocks"],
        {
            "type": "input",
            "block_id": "who",
            "label": {"type": "plain_text", "text": "For whom"},
            "element": {
                "type": "radio_buttons",
                "action_id": "chosen",
                "options": [{"text": {"type": "plain_text", "text": who}, "value": who} for who in ("all", "me")],
                "initial_option": {"text": {"type": "plain_text", "text": "all"}, "value": "all"},
            },
        },
        {
            "type": "input",
            "block_id": "where",
            "optional": True,
            "label": {"type": "plain_text", "text": "Where"},
            "element": {"type": "conversations_select", "action_id": "chosen"},
        },
    ]
}


async def shown_form(slack: LocalSlack, client: Any) -> str:
    trigger = slack._platform.interactions.begin(slack.user("ada")).trigger_id
    return str((await client.views_open(trigger_id=trigger, view=FORM))["view"]["id"])


async def test_what_is_left_alone_in_a_form_is_sent_as_the_app_set_it(
    slack: LocalSlack, bot: Any, connect: Any, client: Any
) -> None:
    async def save(ack: Any) -> None:
        await ack()

    bot.app.view("preset")(save)
    await connect()
    await slack.submit("ada", await shown_form(slack, client), TYPED)
    values = next(body["view"]["state"]["values"] for body in bot.heard if body["type"] == "view_submission")
    assert values["name"]["typed"]["value"] == "calm"
    assert values["who"]["chosen"]["selected_option"]["value"] == "all"
    assert values["where"]["chosen"] == {"type": "conversations_select", "selected_conversation": None}


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({}, "has to be filled in"),
        ({"name": {"typed": {"type": "plain_text_input", "value": "x" * 3_001}}}, "too long"),
        (TYPED | {"age": {"typed": {"type": "plain_text_input", "value": "7"}}}, "no input age"),
        ({"name": {"said": {"type": "plain_text_input", "value": "calm"}}}, "no element said"),
        (TYPED | {"who": {"chosen": {"type": "radio_buttons", "selected_option": {"value": "you"}}}}, "no such option"),
    ],
)
async def test_no_client_sends_a_form_that_is_filled_in_wrongly(
    slack: LocalSlack, client: Any, values: dict[str, Any], why: str
) -> None:
    view = await shown_form(slack, client)
    with pytest.raises(ValueError, match=why):
        await slack.submit("ada", view, values)


@pytest.mark.parametrize(
    "answer",
    [
        {"response_action": "errors", "errors": {"age": "Too old"}},
        {"response_action": "errors", "errors": {}},
        {"response_action": "errors", "errors": {"name": ""}},
        {"response_action": "sulk"},
    ],
)
async def test_an_answer_to_a_form_that_slack_cant_show_is_a_problem(
    slack: LocalSlack, bot: Any, connect: Any, client: Any, answer: dict[str, Any]
) -> None:
    async def save(ack: Any) -> None:
        await ack(**answer)

    bot.app.view("preset")(save)
    await connect()
    assert (await slack.submit("ada", await shown_form(slack, client), TYPED)).problem


@pytest.mark.parametrize(
    ("element", "problem"),
    [
        ({"type": "plain_text_input", "max_length": 3_001}, "must be between 1 and 3000"),
        ({"type": "plain_text_input", "max_length": 3, "initial_value": "four"}, "must be less than 4 characters"),
        ({"type": "conversations_select", "filter": {"include": ["secret"]}}, "must be a valid enum value"),
        ({"type": "conversations_select", "filter": {"exclude": ["im"]}}, "invalid additional property: exclude"),
        (FORM["blocks"][1]["element"] | {"initial_option": {"value": "you"}}, "initial_option must match"),
    ],
)
async def test_an_element_of_a_form_that_slack_would_refuse_is_refused(
    slack: LocalSlack, client: Any, element: dict[str, Any], problem: str
) -> None:
    trigger = slack._platform.interactions.begin(slack.user("ada")).trigger_id
    block = {"type": "input", "block_id": "name", "label": {"type": "plain_text", "text": "Name"}, "element": element}
    with pytest.raises(SlackApiError) as refusal:
        await client.views_open(trigger_id=trigger, view=MODAL | {"blocks": [block]})
    assert problem in str(refusal.value.response["response_metadata"]["messages"])


async def test_what_one_person_sees_has_no_shortcuts(slack: LocalSlack, client: Any) -> None:
    await client.chat_postEphemeral(channel=slack.channel("general").id, user=slack.user("ada").id, text="psst")
    with pytest.raises(ValueError, match="no shortcuts"):
        await slack.shortcut("ada", "ask_about", slack.messages("general")[-1])


async def test_a_trigger_works_once_and_not_for_long(slack: LocalSlack, client: Any) -> None:
    interactions = slack._platform.interactions
    trigger = interactions.begin(slack.user("ada")).trigger_id
    await client.views_open(trigger_id=trigger, view=MODAL)
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        await client.views_open(trigger_id=trigger, view=MODAL)
    with pytest.raises(SlackApiError, match="invalid_trigger_id"):
        await client.views_open(trigger_id="1.2.3", view=MODAL)
    old = interactions.begin(slack.user("ada"))
    old.began = time.monotonic() - 4
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        await client.views_open(trigger_id=old.trigger_id, view=MODAL)


async def test_a_bad_modal_is_refused(slack: LocalSlack, client: Any) -> None:
    trigger = slack._platform.interactions.begin(slack.user("ada")).trigger_id
    bad = MODAL | {"title": {"type": "plain_text", "text": "x" * 25}}
    with pytest.raises(SlackApiError, match="invalid_arguments") as refusal:
        await client.views_open(trigger_id=trigger, view=bad)
    problems = refusal.value.response["response_metadata"]["messages"]
    assert problems == ["[ERROR] must be less than 25 characters [json-pointer:/view/title/text]"]


async def test_a_view_is_updated_only_by_who_knows_its_version(slack: LocalSlack, client: Any) -> None:
    trigger = slack._platform.interactions.begin(slack.user("ada")).trigger_id
    view = (await client.views_open(trigger_id=trigger, view=MODAL))["view"]
    newer = (await client.views_update(view_id=view["id"], hash=view["hash"], view=MODAL))["view"]
    assert newer["id"] == view["id"]
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_update(view_id=view["id"], hash=view["hash"], view=MODAL)


async def test_the_home_tab_shows_what_was_published(slack: LocalSlack, bot: Any, connect: Any, client: Any) -> None:
    home = {"type": "home", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "Welcome"}}]}
    await connect()
    await client.views_publish(user_id=slack.user("ada").id, view=home)
    await slack.open_home("ada")

    await slack.wait_for(lambda: bot.events)
    published = slack.home("ada")
    assert published
    assert bot.events[0]["view"]["id"] == published["id"]
    assert slack.home("ben") is None


async def test_files_are_for_those_with_the_token(slack: LocalSlack, bot: Any, connect: Any) -> None:
    await connect()
    await slack.say("ada", "general", "look", files=[SharedFile("notes.txt", b"remember")])
    await slack.wait_for(lambda: bot.events)
    assert bot.events[0]["subtype"] == "file_share"
    url = bot.events[0]["files"][0]["url_private"]
    async with aiohttp.ClientSession() as session:
        stranger = await session.get(url)
        assert (stranger.status, stranger.content_type) == (200, "text/html")
        friend = await session.get(url, headers={"Authorization": f"Bearer {slack.bot_token}"})
        assert await friend.read() == b"remember"
