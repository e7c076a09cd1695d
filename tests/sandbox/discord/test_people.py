"""People see, wait, watch and are held to the rules; outsiders act through the control surface."""

import asyncio
from typing import Any

import aiohttp
import pytest

from sandbox.discord import LocalDiscord, Refusal, shown
from sandbox.discord.snowflakes import Snowflakes, made_at


def test_snowflakes_increase_and_know_their_time() -> None:
    snowflakes = Snowflakes()
    made = [snowflakes.next() for _ in range(5000)]
    assert made == sorted(set(made))
    assert (made_at(made[-1]) - made_at(made[0])).total_seconds() < 5


async def test_names_become_mentions_and_code_pings_nobody(local: LocalDiscord) -> None:
    said = await local.say("ben", "general", "@ada and @bobbin and @nobody, not `<@1>`")
    quoted = await local.say("ben", "general", "`@ada`")
    assert said.mentions == [local.user("ada").id, local.bot_user_id]
    assert said.pings == set(said.mentions)
    assert "@nobody" in said.content
    assert quoted.pings == frozenset()
    assert shown(said) == "@ada and @bobbin and @nobody, not `<@1>`"


async def test_waiting_ends_with_the_change_and_fails_with_a_sentence(local: LocalDiscord) -> None:
    await local.say("ben", "general", "one")
    assert await local.wait_for(lambda: local.messages("general")) == local.messages("general")
    with pytest.raises(TimeoutError, match="Last change: message"):
        await local.wait_for(lambda: False, timeout=0.01)


async def test_watching_tells_every_change(local: LocalDiscord) -> None:
    changes = local.watch()
    step = anext(changes)
    waiting = asyncio.ensure_future(step)
    await asyncio.sleep(0)
    said = await local.say("ben", "general", "one")
    change = await waiting
    await changes.aclose()
    assert (change.what, change.subject) == ("message", said)


async def test_people_are_held_to_the_rules(local: LocalDiscord) -> None:
    theirs = await local.say("ada", "general", "mine")
    with pytest.raises(ValueError, match="own messages"):
        await local.edit("ben", theirs, "yours")
    with pytest.raises(ValueError, match="may not delete"):
        await local.delete("ben", theirs)
    with pytest.raises(ValueError, match="not in that conversation"):
        await local.say("ada", local.open_dm("ben"), "psst")
    with pytest.raises(ValueError, match="no user"):
        await local.say("eve", "general", "hi")
    with pytest.raises(ValueError, match="2000 characters"):
        await local.say("ben", "general", "x" * 2001)
    with pytest.raises(Refusal):
        await local.say("ben", "ideas", "not in a forum")


async def test_a_message_is_shown_as_a_person_sees_it(local: LocalDiscord, rest: aiohttp.ClientSession) -> None:
    button = {"type": 2, "style": 1, "label": "Stop", "custom_id": "stop"}
    off = button | {"label": "Retry", "custom_id": "retry", "disabled": True}
    body = {
        "content": "Hello",
        "embeds": [{"title": "Title", "description": "two\nlines", "fields": [{"name": "n", "value": "v"}]}],
        "components": [{"type": 1, "components": [button, off]}],
    }
    async with rest.post(f"channels/{local.channel('general').id}/messages", json=body):
        message = local.messages("general")[0]
    await local.react("ben", message, "👍")
    assert shown(message).splitlines() == [
        "Hello",
        "▏ Title",
        "▏ two",
        "▏ lines",
        "▏ n: v",
        "[Stop] (Retry)",
        "👍 1",
    ]


async def test_links_to_files_are_signed(local: LocalDiscord, rest: aiohttp.ClientSession) -> None:
    form = aiohttp.FormData()
    form.add_field("payload_json", '{"attachments": [{"id": 0, "filename": "a.txt", "description": "d"}]}')
    form.add_field("files[0]", b"yarn", filename="ignored.txt", content_type="text/plain")
    path = f"channels/{local.channel('general').id}/messages"
    async with rest.post(path, data=form) as response:
        attachment = (await response.json())["attachments"][0]
    async with aiohttp.ClientSession() as anybody:
        async with anybody.get(attachment["url"]) as found:
            assert (await found.read(), found.status) == (b"yarn", 200)
        async with anybody.get(attachment["url"].split("?")[0]) as unsigned:
            assert unsigned.status == 404
    assert (attachment["filename"], attachment["description"]) == ("a.txt", "d")


async def test_an_outsider_acts_as_a_person(local: LocalDiscord) -> None:
    base = f"http://127.0.0.1:{local.api_url.split(':')[2].split('/')[0]}/_sandbox"

    async def ask(method: str, path: str, **fields: Any) -> tuple[int, Any]:
        async with aiohttp.ClientSession() as anybody, anybody.request(method, base + path, **fields) as response:
            return response.status, await response.json()

    status, said = await ask("POST", "/say", json={"user": "ben", "channel": "general", "content": "@bobbin hi"})
    assert (status, said["author"]) == (200, "ben")
    assert (await ask("GET", "/messages", params={"channel": "general"}))[1] == [said]
    forward = {"user": "ada", "channel": "random", "forward": said["id"]}
    assert (await ask("POST", "/say", json=forward))[1]["shown"] == "↪ @bobbin hi"
    await local.start_thread("ben", local.messages("general")[0], "Side")
    assert [one["name"] for one in (await ask("GET", "/threads", params={"channel": "general"}))[1]] == ["Side"]
    assert (await ask("GET", ""))[1]["users"] == ["bobbin", "ada", "ben"]
    fault = {"route": "GET /users/@me", "status": 500}
    assert (await ask("POST", "/faults", json=fault))[1] == {"outages": ["GET /users/@me"]}
    await ask("POST", "/faults", json={"latency": 0.01})
    assert local.latency == 0.01
    assert (await ask("POST", "/say", json={"user": "ben"})) == (400, {"error": "Missing: 'channel'"})
    status, answer = await ask("POST", "/slash", json={"user": "ben", "channel": "general", "command": "ask"})
    assert (status, "no command /ask" in answer["error"]) == (400, True)
    assert (await ask("POST", "/say", data="{}"))[0] == 400


async def test_without_the_portals_switch_history_has_no_content() -> None:
    async with LocalDiscord(message_content_intent=False) as local:
        await local.say("ben", "general", "to nobody")
        await local.say("ben", "general", "@bobbin to you")
        headers = {"Authorization": f"Bot {local.token}"}
        path = f"{local.api_url}/channels/{local.channel('general').id}/messages"
        async with aiohttp.ClientSession(headers=headers) as rest, rest.get(path) as response:
            texts = [message["content"] for message in await response.json()]
    assert texts == [f"<@{local.bot_user_id}> to you", ""]
