"""What people's messages carry beside their words, and how the app hears of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from sandbox.slack import LocalSlack, SharedFile, shown

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

    from tests.sandbox.slack.conftest import Bot, Connect

NOTES = SharedFile("notes.md", b"# Notes", "text/markdown")


async def heard(slack: LocalSlack, bot: Bot, connect: Connect, count: int = 1) -> list[dict[str, Any]]:
    """The messages that came to the bot, once there are *count*."""
    await connect()
    await slack.wait_for(lambda: len(bot.of("message")) >= count)
    return bot.of("message")


async def test_files_can_be_asked_for_and_read(
    slack: LocalSlack, client: AsyncWebClient, bot: Bot, connect: Connect
) -> None:
    await slack.say("ada", "general", "read this", files=[NOTES])
    (event,) = await heard(slack, bot, connect)
    (told,) = event["files"]
    asked = await client.files_info(file=told["id"])
    assert (event["subtype"], asked["file"]["name"]) == ("file_share", "notes.md")
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    async with aiohttp.ClientSession() as session:
        got = await session.get(asked["file"]["url_private_download"], headers=headers)
        assert (got.content_type, await got.read()) == ("text/markdown", b"# Notes")
        without = await session.get(told["url_private"])
        assert (without.status, without.content_type) == (200, "text/html")


async def test_a_file_of_elsewhere_or_of_nowhere_is_not_found(slack: LocalSlack, client: AsyncWebClient) -> None:
    slack.add_channel("elsewhere", "ada")
    await slack.say("ada", "elsewhere", "", files=[NOTES])
    for file in (NOTES.id, "F0NOWHERE"):
        with pytest.raises(SlackApiError, match="file_not_found"):
            await client.files_info(file=file)


async def test_a_forward_carries_the_words_and_files_of_what_it_forwards(
    slack: LocalSlack, bot: Bot, connect: Connect
) -> None:
    said = await slack.say("ada", "general", "The pump stands still.", files=[NOTES])
    await slack.forward("ben", said, slack.open_dm("ben"), "what now?")
    event = (await heard(slack, bot, connect, 2))[-1]
    (shared,) = event["attachments"]
    assert (event["text"], shared["text"]) == ("what now?", "The pump stands still.")
    assert (shared["is_share"], shared["author_id"]) == (True, slack.user("ada").id)
    assert [file["name"] for file in shared["files"]] == ["notes.md"]
    (forward,) = slack.messages(slack.open_dm("ben"))
    assert shown(forward) == "what now?\n| The pump stands still.\n| [notes.md]"


async def test_blocks_attachments_and_anything_else_are_sent_as_given(
    slack: LocalSlack, bot: Bot, connect: Connect
) -> None:
    code = {"type": "text", "text": f"<@{slack.bot_user_id}>", "style": {"code": True}}
    rich = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [code]}]}
    text = f"`<@{slack.bot_user_id}>`"
    preview = {"title": "A page", "from_url": "https://example.com"}
    more = {"user_team": "T0OTHER", "source_team": "T0OTHER"}
    await slack.say("ada", "general", text, blocks=[rich], attachments=[preview], more=more)
    event = (await heard(slack, bot, connect))[0]
    assert (event["text"], event["blocks"], event["attachments"]) == (text, [rich], [preview])
    assert event["user_team"] == "T0OTHER"


async def test_what_is_typed_as_code_stays_code(slack: LocalSlack) -> None:
    """In `text` an id stands in code as it does anywhere (vercel/chat#947); the blocks tell the difference."""
    bot = slack.bot_user_id
    said = await slack.say("ada", "general", f"@bobbin what does `<@{bot}>` or `@bobbin` do?\n```\n<@{bot}> a < b\n```")
    assert said.text == f"<@{bot}> what does `<@{bot}>` or `@bobbin` do?\n```\n<@{bot}> a &lt; b\n```"
    section, fence = said.blocks[0]["elements"]
    kinds = [element["type"] for element in section["elements"]]
    assert kinds == ["user", "text", "text", "text", "text", "text"]
    assert section["elements"][2] == {"type": "text", "text": f"<@{bot}>", "style": {"code": True}}
    assert fence == {
        "type": "rich_text_preformatted",
        "elements": [{"type": "text", "text": f"<@{bot}> a < b"}],
        "border": 0,
    }


async def test_events_can_be_kept_back_and_come_in_another_order(slack: LocalSlack, bot: Bot, connect: Connect) -> None:
    await connect()
    with slack.holding_events() as events:
        said = await slack.say("ada", "general", "hello")
        await slack.delete(said)
        assert not slack.deliveries
        events.reverse()
    await slack.wait_for(lambda: len(bot.of("message")) == 2)
    assert [event.get("subtype") for event in bot.of("message")] == ["message_deleted", None]


async def test_what_is_forwarded_again_is_inside_the_forward(slack: LocalSlack) -> None:
    first = await slack.forward("ben", await slack.say("ada", "random", "E42"), "general", "look")
    again = await slack.forward("ada", first, "general")
    (outer,) = again.attachments
    assert (outer["text"], outer["attachments"][0]["text"]) == ("look", "E42")
    assert outer["message_blocks"][0]["message"]["blocks"] == list(first.blocks)


async def test_people_and_groups_have_names(slack: LocalSlack, client: AsyncWebClient) -> None:
    cai = slack.add_user("cai", display_name="Cai of York")
    profile = (await client.users_info(user=cai.id))["user"]["profile"]
    assert (profile["display_name"], profile["real_name"]) == ("Cai of York", "Cai")
    group = slack.add_group("night-shift", cai)
    (told,) = (await client.usergroups_list(include_users=True))["usergroups"]
    assert (told["id"], told["handle"], told["users"]) == (group.id, "night-shift", [cai.id])
    assert "users" not in (await client.usergroups_list())["usergroups"][0]
    slack.installation.scopes.discard("usergroups:read")
    with pytest.raises(SlackApiError, match="missing_scope"):
        await client.usergroups_list()


async def test_guests_are_told_from_members(slack: LocalSlack, client: AsyncWebClient) -> None:
    guest = slack.add_user("gus", is_guest=True)
    assert (await client.users_info(user=guest.id))["user"]["is_restricted"]
    assert not (await client.users_info(user=slack.user("ada").id))["user"]["is_restricted"]


async def test_an_app_has_what_its_manifest_asks_for_and_no_more() -> None:
    async with LocalSlack(scopes=["chat:write", "channels:history"], events=["message.channels"]) as slack:
        assert slack.installation.scopes == {"chat:write", "channels:history"}
        slack.faults.expect_acks = False
        with slack.holding_events() as events:
            await slack.say("ada", "general", "@bobbin hello")
            await slack.say("ada", slack.open_dm("ada"), "hello")
        assert [each["event"]["channel_type"] for each in events] == ["channel"]


async def test_an_app_uploads_a_file_into_a_thread(
    slack: LocalSlack, client: AsyncWebClient, bot: Bot, connect: Connect
) -> None:
    said = await slack.say("ada", "general", "all of it, please")
    await client.files_upload_v2(
        channel=said.channel, thread_ts=said.ts, filename="answer.md", content="# All", initial_comment="Here & there"
    )
    (shared,) = await slack.wait_for(lambda: slack.messages("general", said.ts)[1:])
    assert (shared.text, shared.user, shared.files[0].content) == ("Here &amp; there", slack.bot_user_id, b"# All")
    event = (await heard(slack, bot, connect, 2))[-1]
    assert (event["subtype"], event["thread_ts"], event["files"][0]["name"]) == ("file_share", said.ts, "answer.md")


async def test_uploads_are_refused_as_slack_does(slack: LocalSlack, client: AsyncWebClient) -> None:
    foreign = slack.add_channel("elsewhere", "ada")
    ticket = await client.files_getUploadURLExternal(filename="a.txt", length=3)
    for place, problem in ((slack.channel("general").id, "file_not_found"), (foreign.id, "not_in_channel")):
        with pytest.raises(SlackApiError, match=problem):  # nothing was sent to the address yet
            await client.files_completeUploadExternal(files=[{"id": ticket["file_id"]}], channel_id=place)
    with pytest.raises(SlackApiError, match="missing_argument"):
        await client.files_getUploadURLExternal(filename="a.txt", length=0)
    slack.installation.scopes.discard("files:write")
    with pytest.raises(SlackApiError, match="missing_scope"):
        await client.files_getUploadURLExternal(filename="a.txt", length=3)
