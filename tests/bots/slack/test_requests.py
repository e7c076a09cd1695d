"""What is posted to the request URL, by Slack and by others."""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import aiohttp
import pytest

from sandbox.slack.request_url import signature

if TYPE_CHECKING:
    from tests.bots.slack.conftest import House

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
WORDS = "confidential"


async def post(house: House, body: bytes, headers: dict[str, str]) -> int:
    async with aiohttp.ClientSession() as client:
        answer = await client.post(f"{house.door.url}/slack/events", data=body, headers=headers)
        await answer.read()
        return answer.status


def signed(house: House, body: bytes, content_type: str = JSON, ago: float = 0) -> dict[str, str]:
    timestamp = str(int(time.time() - ago))
    return {
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": signature(house.slack.signing_secret, timestamp, body),
        "Content-Type": content_type,
    }


def refused(house: House, why: str) -> float:
    return float(house.vitals.metrics.refused.labels(why)._value.get())


def is_quiet(caplog: pytest.LogCaptureFixture, said: str) -> bool:
    """Is there neither a traceback nor what was sent in a library's log, nor in ours, which was *said*?"""
    has_traceback = any(record.exc_info for record in caplog.records) or "Traceback" in said
    return not has_traceback and WORDS not in caplog.text + said


@pytest.mark.parametrize("body", [b"{}", b"{", b"[]", b"\xff\xfe", f'{{"text": "{WORDS}"}}'.encode()])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Slack-Request-Timestamp": "abc", "X-Slack-Signature": "v0=00"},
        {"X-Slack-Request-Timestamp": "9" * 5_000, "X-Slack-Signature": "v0=00"},
        {"X-Slack-Request-Timestamp": "²", "X-Slack-Signature": "v0=00"},
        {"X-Slack-Request-Timestamp": "NOW", "X-Slack-Signature": "v0=ü"},
        {"X-Slack-Request-Timestamp": "NOW"},
        {"X-Slack-Signature": "v0=00"},
        {"Content-Type": "application/json; charset=klingon"},
        {"Content-Type": "no type at all"},
    ],
)
async def test_what_is_not_signed_is_not_read(
    by_http: House,
    headers: dict[str, str],
    body: bytes,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    headers = {name: value.replace("NOW", str(int(time.time()))) for name, value in headers.items()}
    async with by_http.listening():
        status = await post(by_http, body, {"Content-Type": JSON} | headers)
    assert status == (400 if body == b"\xff\xfe" else 401)
    assert is_quiet(caplog, capsys.readouterr().out)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", JSON),
        (b"{", JSON),
        (b"[]", JSON),
        (b"1", JSON),
        (b'"text"', JSON),
        (b"null", JSON),
        (b"{}", JSON),
        (b"[" * 200_000, JSON),
        (b'{"authorizations": 5}', JSON),
        (b"{}", "text/plain"),
        (b"{}", "application/json; charset=klingon"),
        (b"{}", "application/json; charset=utf-16"),
        (b"\xff\xfe", JSON),
        (b"payload=%7B", FORM),
        (b"payload=[]", FORM),
        (b"payload=1", FORM),
    ],
)
async def test_what_is_signed_but_makes_no_sense_is_refused(
    by_http: House,
    body: bytes,
    content_type: str,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with by_http.listening():
        status = await post(by_http, body, signed(by_http, body, content_type))
    assert status == 400
    assert is_quiet(caplog, capsys.readouterr().out)


@pytest.mark.parametrize(("say_again", "times"), [(600.0, 1), (0.0, 3)])
async def test_a_wrong_signature_is_counted_and_said_now_and_then(
    by_http: House,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    say_again: float,
    times: int,
) -> None:
    by_http.have_times(say_again=say_again)
    body = json.dumps({"type": "event_callback", "text": WORDS}).encode()
    wrong = signed(by_http, body) | {"X-Slack-Signature": "v0=" + "0" * 64}
    async with by_http.listening():
        for headers in (signed(by_http, body, ago=1_200), wrong, wrong):
            assert await post(by_http, body, headers) == 401
    said = capsys.readouterr().out
    assert said.count("wrong signature") == times
    assert "+20 minutes" in said
    assert ("+0 minutes" in said) == (times > 1)
    assert refused(by_http, "unsigned") == 3
    assert is_quiet(caplog, said)


async def test_the_request_url_is_verified(by_http: House) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "abc", "token": "x"}).encode()
    async with by_http.listening(), aiohttp.ClientSession() as client:
        headers = signed(by_http, body)
        answer = await client.post(f"{by_http.door.url}/slack/events", data=body, headers=headers)
        assert answer.status == 200
        assert "abc" in await answer.text()


async def test_before_it_is_connected_only_slack_is_told_so(by_http: House) -> None:
    body = urlencode({"command": "/bobbin"}).encode()
    assert await post(by_http, body, signed(by_http, body, FORM)) == 503
    assert await post(by_http, body, {"Content-Type": FORM}) == 401
