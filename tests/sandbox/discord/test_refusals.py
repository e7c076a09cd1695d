"""What Discord refuses is refused with its status and code, to any client."""

import io
import json
from typing import Any

import aiohttp
import pytest

from sandbox.discord import File, LocalDiscord

BUTTON = {"type": 2, "style": 1, "label": "Stop", "custom_id": "stop"}


async def answered(rest: aiohttp.ClientSession, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    async with rest.request(method, path, json=body) as response:
        return response.status, await response.json()


def general(local: LocalDiscord) -> str:
    return f"channels/{local.channel('general').id}"


@pytest.mark.parametrize(
    ("body", "code", "where"),
    [
        ({"content": "x" * 2001}, 50035, "content"),
        ({}, 50006, None),
        ({"content": " \n"}, 50006, None),
        ({"content": "a", "nonce": "n" * 26}, 50035, "nonce"),
        ({"content": "a", "message_reference": {"message_id": "1"}}, 50035, "message_reference"),
        ({"content": "a", "allowed_mentions": {"parse": ["users"], "users": ["1"]}}, 50035, "allowed_mentions"),
        ({"content": "a", "allowed_mentions": {"parse": ["cats"]}}, 50035, "allowed_mentions"),
        ({"embeds": [{"title": "x" * 257}]}, 50035, "embeds"),
        ({"embeds": [{"description": "x" * 4096}, {"description": "x" * 4096}]}, 50035, "embeds"),
        ({"embeds": [{}] * 11}, 50035, "embeds"),
        ({"embeds": [{"footer": 1}]}, 50035, "embeds"),
        ({"content": ["a"]}, 50035, "content"),
        ({"content": "a", "flags": "many"}, 50035, "flags"),
        ({"content": "a", "components": [1]}, 50035, "components"),
        ({"content": "a", "message_reference": "x"}, 50035, "message_reference"),
        ({"content": "a", "allowed_mentions": {"users": ["x"]}}, 50035, "allowed_mentions"),
        ({"content": "a", "components": [BUTTON]}, 50035, "components"),
        ({"content": "a", "components": [{"type": 1, "components": [BUTTON] * 6}]}, 50035, "components"),
        ({"content": "a", "components": [{"type": 1, "components": [BUTTON, BUTTON]}]}, 50035, "components"),
        ({"content": "a", "components": [{"type": 10, "content": "v2"}]}, 50035, "components"),
        ({"content": "a", "flags": 1 << 15, "components": [{"type": 10, "content": "v2"}]}, 50035, "content"),
    ],
)
async def test_bad_messages(local: LocalDiscord, rest: Any, body: Any, code: int, where: str | None) -> None:
    status, answer = await answered(rest, "POST", f"{general(local)}/messages", body)
    assert (status, answer["code"]) == (400, code)
    assert list(answer.get("errors", {})) == ([where] if where else [])
    assert local.messages("general") == []


async def test_components_v2_are_sent_and_cannot_be_undone(local: LocalDiscord, rest: Any) -> None:
    body = {"flags": 1 << 15, "components": [{"type": 17, "components": [{"type": 10, "content": "hi"}]}]}
    status, sent = await answered(rest, "POST", f"{general(local)}/messages", body)
    assert (status, sent["flags"]) == (200, 1 << 15)
    path = f"{general(local)}/messages/{sent['id']}"
    status, answer = await answered(rest, "PATCH", path, {"content": "plain", "flags": 0})
    assert (status, answer["code"]) == (400, 50035)


async def test_an_unknown_reference_is_let_go_if_asked(local: LocalDiscord, rest: Any) -> None:
    body = {"content": "a", "message_reference": {"message_id": 1, "fail_if_not_exists": False}}
    status, sent = await answered(rest, "POST", f"{general(local)}/messages", body)
    assert (status, "message_reference" in sent) == (200, False)


@pytest.mark.parametrize(
    ("request_line", "body", "refusal"),
    [
        ("GET channels/1", None, (404, 10003)),
        ("GET channels/nonsense", None, (400, 50035)),
        ("GET GENERAL/messages/1", None, (404, 10008)),
        ("PATCH GENERAL/messages/THEIRS", {"content": "mine now"}, (403, 50005)),
        ("DELETE GENERAL/messages/THEIRS", None, (403, 50013)),
        ("PUT GENERAL/messages/THEIRS/reactions/nonsense/@me", None, (400, 10014)),
        ("POST GENERAL/messages/THEIRS/threads", {"name": ""}, (400, 50035)),
        ("POST GENERAL/messages/THEIRS/threads", {"name": "x" * 101}, (400, 50035)),
        ("POST GENERAL/messages/THEIRS/threads", {"name": "x", "auto_archive_duration": 5}, (400, 50035)),
        ("PATCH GENERAL", {"name": "mine"}, (403, 50013)),
        ("POST channels/IDEAS/messages", {"content": "a"}, (400, 50008)),
        ("POST channels/IDEAS/threads", {"name": "x"}, (400, 50035)),
        ("POST users/@me/channels", {"recipient_id": "1"}, (400, 50033)),
        ("GET users/1", None, (404, 10013)),
        ("GET guilds/1", None, (404, 10004)),
        ("GET guilds/GUILD/members/1", None, (404, 10007)),
        ("PATCH webhooks/1/x/messages/@original", {"content": "a"}, (404, 10015)),
        ("GET applications/APP/commands/1", None, (404, 10063)),
        ("GET nowhere", None, (404, 0)),
        ("PATCH gateway", None, (405, 0)),
        ("GET GENERAL/messages?limit=101", None, (400, 50035)),
    ],
)
async def test_refusals(local: LocalDiscord, rest: Any, request_line: str, body: Any, refusal: tuple[int, int]) -> None:
    theirs = await local.say("ben", "general", "theirs")
    method, path = request_line.split()
    for word, value in (
        ("GENERAL", general(local)),
        ("THEIRS", theirs.id),
        ("IDEAS", local.channel("ideas").id),
        ("GUILD", local.guild_id),
        ("APP", local.application_id),
    ):
        path = path.replace(word, str(value))
    got, answer = await answered(rest, method, path, body)
    assert (got, answer["code"]) == refusal


async def test_a_wrong_token_is_unauthorized(local: LocalDiscord) -> None:
    async with aiohttp.ClientSession(local.api_url + "/", headers={"Authorization": "Bot wrong"}) as stranger:
        assert await answered(stranger, "GET", "users/@me") == (401, {"message": "401: Unauthorized", "code": 0})


async def test_bodies_that_are_no_json_and_too_large_files_are_refused(local: LocalDiscord, rest: Any) -> None:
    async with rest.post(f"{general(local)}/messages", data=b"{", headers={"Content-Type": "application/json"}) as no:
        assert (no.status, (await no.json())["code"]) == (400, 50109)
    form = aiohttp.FormData()
    form.add_field("payload_json", json.dumps({"content": "big"}))
    form.add_field("files[0]", io.BytesIO(bytes(10 * 1024 * 1024 + 1)), filename="big.bin")
    async with rest.post(f"{general(local)}/messages", data=form) as no:
        assert (no.status, (await no.json())["code"]) == (413, 40005)


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ({"name": "Ask", "description": "d"}, "name"),
        ({"name": "ask me", "description": "d"}, "name"),
        ({"name": "ask"}, "description"),
        ({"name": "ask", "description": "x" * 101}, "description"),
        ({"name": "menu", "type": 3, "description": "d"}, "description"),
        (
            {"name": "ask", "description": "d", "options": [{"type": 3, "name": "o", "description": "d"}] * 26},
            "options",
        ),
        ({"name": "ask", "description": "d", "options": [{"type": 12, "name": "o", "description": "d"}]}, "options"),
    ],
)
async def test_bad_commands(local: LocalDiscord, rest: Any, command: Any, problem: str) -> None:
    status, answer = await answered(rest, "PUT", f"applications/{local.application_id}/commands", [command])
    assert (status, answer["code"], list(answer["errors"]["0"])) == (400, 50035, [problem])


async def test_commands_are_added_changed_and_removed_one_by_one(local: LocalDiscord, rest: Any) -> None:
    base = f"applications/{local.application_id}/guilds/{local.guild_id}/commands"
    body = {"name": "ask", "description": "Ask"}
    created, made = await answered(rest, "POST", base, body)
    overwritten, again = await answered(rest, "POST", base, body | {"description": "Ask again"})
    assert (created, overwritten, made["id"]) == (201, 200, again["id"])
    _, changed = await answered(rest, "PATCH", f"{base}/{made['id']}", {"description": "Changed"})
    assert (changed["description"], changed["version"] != made["version"]) == ("Changed", True)
    async with rest.delete(f"{base}/{made['id']}") as gone:
        assert gone.status == 204
    assert await answered(rest, "GET", base) == (200, [])
    too_many = [{"name": f"c{number}", "description": "d"} for number in range(101)]
    assert (await answered(rest, "PUT", base, too_many))[1]["code"] == 30032


async def test_the_fifth_message_empties_the_bucket_and_the_sixth_is_too_much(local: LocalDiscord, rest: Any) -> None:
    left = []
    for number in range(5):
        async with rest.post(f"{general(local)}/messages", json={"content": str(number)}) as response:
            left.append(response.headers["X-RateLimit-Remaining"])
    async with rest.post(f"{general(local)}/messages", json={"content": "5"}) as response:
        body, headers = await response.json(), response.headers
        assert response.status == 429
    assert left == ["4", "3", "2", "1", "0"]
    assert 0 < body["retry_after"] <= 5
    assert (body["global"], headers["X-RateLimit-Scope"], headers["Content-Type"]) == (
        False,
        "user",
        "application/json",
    )
    assert {"Via", "Retry-After", "X-RateLimit-Bucket", "X-RateLimit-Reset-After"} <= set(headers)
    elsewhere = f"channels/{local.channel('random').id}/messages"
    assert (await answered(rest, "POST", elsewhere, {"content": "another channel"}))[0] == 200


async def test_the_global_limit_covers_all_routes(local: LocalDiscord, rest: Any) -> None:
    paths = [f"users/{local.bot_user_id}", "users/@me", "gateway/bot"] * 20
    statuses = [(await answered(rest, "GET", path)) for path in paths]
    refused = [body for status, body in statuses if status == 429]
    assert refused
    assert all(body["global"] for body in refused)


async def test_a_rename_has_a_limit_that_the_headers_hide(local: LocalDiscord, rest: Any) -> None:
    _, thread = await answered(rest, "POST", f"{general(local)}/threads", {"name": "one", "type": 11})
    statuses = []
    for name in ("two", "three", "four"):
        async with rest.patch(f"channels/{thread['id']}", json={"name": name}) as response:
            statuses.append((response.status, response.headers["X-RateLimit-Remaining"] != "0"))
    assert statuses == [(200, True), (200, True), (429, True)]


async def test_limits_can_be_switched_off() -> None:
    async with LocalDiscord(rate_limits=False) as local:
        headers = {"Authorization": f"Bot {local.token}"}
        async with aiohttp.ClientSession(local.api_url + "/", headers=headers) as rest:
            path = f"{general(local)}/messages"
            assert {(await answered(rest, "POST", path, {"content": "x"}))[0] for _ in range(8)} == {200}


async def test_links_to_files_are_renewed_in_their_order(local: LocalDiscord, rest: Any) -> None:
    said = await local.say("ada", "general", "look", attachments=[File("a.png", b"png", "image/png")])
    base = local.world.base_url
    old = f"{base}/attachments/1/{said.attachments[0].id}/a.png?ex=1&is=1&hm=1&"
    others = ["https://example.org/a.png", "", f"{base}/attachments/1/2/a.png", f"{base}/attachments/1/x/a.png"]
    status, body = await answered(rest, "POST", "attachments/refresh-urls", {"attachment_urls": [*others, old]})
    assert status == 200
    assert [one["original"] for one in body["refreshed_urls"]] == [*others, old]
    *left, new = [one["refreshed"] for one in body["refreshed_urls"]]
    assert left == others
    async with aiohttp.ClientSession() as client, client.get(new) as response:
        assert await response.read() == b"png"


@pytest.mark.parametrize("urls", [None, [], "x", [7], ["https://example.org"] * 51])
async def test_links_of_another_shape_are_not(rest: Any, urls: Any) -> None:
    status, body = await answered(rest, "POST", "attachments/refresh-urls", {"attachment_urls": urls})
    assert (status, body["code"]) == (400, 50035)
