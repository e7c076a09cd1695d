"""The emulator keeps the documented contract, no matter who asks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest

from sandbox.upstream import FAULTS, Emulator, Faults, UnknownFault, explain

PATH = "/aichat/conversations"


@pytest.fixture
async def client(emulator: Emulator, token: str) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(emulator.url, headers={"Authorization": f"Bearer {token}"}) as session:
        yield session


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


async def ask(client: aiohttp.ClientSession, **fields: object) -> dict[str, str]:
    async with client.post(PATH, json={"model": "gpt-5.1", "question": "Hi", **fields}) as response:
        assert response.status == 200
        assert response.content_type == "application/json"
        answer: dict[str, str] = await response.json()
        return answer


async def lines(client: aiohttp.ClientSession, **fields: object) -> bytes:
    body = {"model": "o3", "question": "say exactly: one two three", **fields}
    async with client.post(PATH, json=body, headers={"Accept": "application/x-ndjson"}) as response:
        assert response.content_type == "application/x-ndjson"
        return await response.read()


async def test_without_stateful_there_is_no_id_and_no_memory(client: aiohttp.ClientSession, emulator: Emulator) -> None:
    assert set(await ask(client)) == {"answer"}
    assert set(await ask(client, stateful=False, id="x")) == {"answer"}
    assert not emulator.conversations


async def test_a_stateful_conversation_has_an_id_and_remembers(client: aiohttp.ClientSession) -> None:
    first = await ask(client, question="My name is Ada", stateful=True)
    again = await ask(client, question="What is my name?", stateful=True, id=first["id"])
    other = await ask(client, question="What is my name?", stateful=True)
    assert again == {"answer": "Your name is Ada.", "id": first["id"]}
    assert other["id"] != first["id"]
    assert "don't know" in other["answer"]


async def test_the_stream_is_cumulative_with_crlf_and_an_id_on_every_line(client: aiohttp.ClientSession) -> None:
    body = await lines(client, stateful=True)
    assert body.endswith(b"}\r\n")
    sent = [json.loads(line) for line in body.split(b"\r\n")[:-1]]
    assert [line["answer"] for line in sent] == ["one", "one two", "one two three"]
    assert [line["delta_answer"] for line in sent] == ["one", " two", " three"]
    assert len({line["id"] for line in sent}) == 1
    assert b'"id"' not in await lines(client)


async def test_events_end_with_done(client: aiohttp.ClientSession) -> None:
    headers = {"Accept": "text/event-stream"}
    async with client.post(PATH, json={"model": "o3", "question": "say exactly: a b"}, headers=headers) as response:
        events = (await response.read()).split(b"\n\n")
    assert events == [b'data: {"delta_answer": "a"}', b'data: {"delta_answer": " b"}', b"data: [DONE]", b""]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"model":"o3"}',
        b'{"question":"q"}',
        b'{"model":"","question":"q"}',
        b'{"model":1,"question":"q"}',
        b'{"model":"o3","question":"q","stateful":"yes"}',
        b'{"model":"o3","question":"q","id":null}',
        b'{"model":"o3","question":"q","references":"https://example.org"}',
        b'{"model":"o3","question":"q","references":[1]}',
        b'{"model":"o3","question":"q","action":"retrieve"}',
        b'{"model":"no-such","question":"q"}',
    ],
)
async def test_a_malformed_request_is_refused_in_the_documented_form(
    client: aiohttp.ClientSession, body: bytes
) -> None:
    async with client.post(PATH, data=body, headers={"Accept": "application/x-ndjson"}) as response:
        told = await response.json()
    assert response.status == 400
    assert set(told) == {"error", "trace_id"}
    assert set(told["error"]) == {"code", "message"}
    assert told["error"]["code"] == "bad_request"


@pytest.mark.parametrize(
    ("authorization", "status", "code"),
    [
        ("", 400, "no_token"),
        ("Basic x", 400, "no_token"),
        ("Bearer ", 400, "no_token"),
        ("Bearer other", 401, "invalid_token"),
    ],
)
async def test_who_has_no_token_or_another_is_refused(
    emulator: Emulator, authorization: str, status: int, code: str
) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    async with (
        aiohttp.ClientSession(emulator.url) as session,
        session.post(PATH, json={"model": "o3", "question": "q"}, headers=headers) as response,
    ):
        assert (response.status, (await response.json())["error"]["code"]) == (status, code)


async def test_any_token_is_good_if_none_is_set(token: str) -> None:
    async with Emulator() as emulator, aiohttp.ClientSession(emulator.url) as session:
        headers = {"Authorization": f"Bearer {token}"}
        async with session.post(PATH, json={"model": "o3", "question": "q"}, headers=headers) as response:
            assert response.status == 200


@pytest.mark.parametrize(
    ("path", "status"), [("//aichat/conversations", 200), ("/aichat//conversations", 200), ("/aichat3", 404)]
)
async def test_doubled_slashes_are_forgiven(
    client: aiohttp.ClientSession, emulator: Emulator, path: str, status: int
) -> None:
    async with client.post(f"{emulator.url}{path}", json={"model": "o3", "question": "q"}) as response:
        assert response.status == status


async def test_every_turn_of_a_conversation_is_counted_even_at_once(
    client: aiohttp.ClientSession, emulator: Emulator
) -> None:
    first = await ask(client, stateful=True)
    emulator.pace = 0.01
    await asyncio.gather(*(lines(client, stateful=True, id=first["id"]) for _ in range(3)))
    async with client.get("/_emulator/conversations") as response:
        [told] = await response.json()
    assert told["id"] == first["id"]
    assert told["overlapping"] == 2
    assert [turn["answer"] for turn in told["turns"]][1:] == ["one two three"] * 3


async def test_requests_are_on_record_without_the_token(
    client: aiohttp.ClientSession, emulator: Emulator, token: str
) -> None:
    await ask(client)
    emulator.faults.set("used_up", count=1)
    async with client.post(PATH, json={"model": "o3", "question": "q"}):
        pass
    async with client.get("/_emulator/requests") as response:
        told = await response.json()
    assert [each["ended"] for each in told] == ["answered", "403 used_up"]
    assert told[0]["body"] == {"model": "gpt-5.1", "question": "Hi"}
    assert token not in json.dumps(told)


async def test_a_client_that_leaves_is_noticed_even_in_silence(
    client: aiohttp.ClientSession, emulator: Emulator
) -> None:
    emulator.faults.set("silent_before")
    task = asyncio.create_task(ask(client, stateful=True))
    await until(lambda: bool(emulator.conversations))
    task.cancel()
    await until(lambda: bool(emulator.requests[0].ended))
    assert emulator.requests[0].ended == "client left"
    assert next(iter(emulator.conversations.values())).answering == 0


async def test_stopping_does_not_wait_for_answers(token: str) -> None:
    emulator = Emulator(token=token, faults="silent_before")
    await emulator.start()
    async with aiohttp.ClientSession(emulator.url, headers={"Authorization": f"Bearer {token}"}) as session:
        task = asyncio.create_task(ask(session, stateful=True))
        await until(lambda: bool(emulator.conversations))
        await asyncio.wait_for(emulator.stop(), 5)
        with pytest.raises(aiohttp.ClientError):
            await task


async def test_faults_are_set_shown_and_cleared_over_http(client: aiohttp.ClientSession, emulator: Emulator) -> None:
    wanted = {"cut": 5, "lf": True, "empty": False, "api_error": {"value": 502, "probability": 0.5, "count": 3}}
    async with client.put("/_emulator/faults", json=wanted) as response:
        assert response.status == 200
    async with client.get("/_emulator/faults") as response:
        told = await response.json()
    assert told["faults"] == {
        "cut": {"value": "5", "probability": 1.0, "count": None},
        "lf": {"value": "", "probability": 1.0, "count": None},
        "api_error": {"value": "502", "probability": 0.5, "count": 3},
    }
    assert told["known"] == FAULTS
    async with client.delete("/_emulator/faults"):
        assert not emulator.faults.as_json()


@pytest.mark.parametrize(
    "wanted", ["x", [], {"nonsense": 1}, {"cut": "soon"}, {"cut": {"count": "x"}}, {"lf": {"probability": 2}}]
)
async def test_a_wrong_fault_is_refused_and_changes_nothing(
    client: aiohttp.ClientSession, emulator: Emulator, wanted: object
) -> None:
    emulator.faults.read("lf")
    async with client.put("/_emulator/faults", json=wanted) as response:
        assert response.status == 400
        assert (await response.json())["error"]
    assert list(emulator.faults.as_json()) == ["lf"]


def test_faults_are_written_on_one_line() -> None:
    faults = Faults("cut=3@0.25, too_many_requests=date*2,lf")
    assert faults.as_json() == {
        "cut": {"value": "3", "probability": 0.25, "count": None},
        "too_many_requests": {"value": "date", "probability": 1.0, "count": 2},
        "lf": {"value": "", "probability": 1.0, "count": None},
    }


@pytest.mark.parametrize("switches", ["nonsense", "cut=", "cut=x", "unknown_id=later", "cut@x", "cut@2", "cut*", "=3"])
def test_a_wrong_switch_is_refused(switches: str) -> None:
    with pytest.raises(UnknownFault):
        Faults(switches)


def test_a_counted_fault_ends_and_chance_repeats_with_its_seed() -> None:
    assert ["lf" in (faults := Faults("lf*2")).draw() for _ in range(1)] == [True]
    faults = Faults("lf*2")
    assert [bool(faults.draw()) for _ in range(4)] == [True, True, False, False]
    drawn = [[bool(Faults("lf@0.5", seed=seed).draw()) for seed in range(40)] for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert 5 < sum(drawn[0]) < 35


def test_every_fault_is_explained() -> None:
    assert all(f"{name} " in explain() for name in FAULTS)


def test_the_guide_lists_every_fault() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "upstream-emulator.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` | {sentence} |" in guide for name, sentence in FAULTS.items())
