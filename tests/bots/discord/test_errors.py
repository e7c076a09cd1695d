"""Every code of Discord's that an answer can meet is known for what it means."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import discord
import pytest

from bots.discord.errors import LONGEST_WAIT, OLD_EDITS_PAUSE, meaning, translate, translated
from core.errors import (
    ChatBusy,
    ChatClosed,
    ChatError,
    ChatForbidden,
    ChatLimited,
    ChatRejected,
    ChatUnclear,
    ThreadGone,
)

GONE = [10003, 10004, 10007, 10008, 10013, 10015, 10062, 50027, 50033, 50083, 160005]
FORBIDDEN = [20009, 40333, 50001, 50007, 50009, 50013, 50278, 160002, 200000, 200001, 240000, 400001]
BUSY = [20028, 20029, 30046, 40003, 40004, 40006, 110000, 130000]
REJECTED = [40005, 40060, 40094, 50005, 50006, 50024, 50035, 50045, 160004, 160006]

CASES = [
    *((code, ThreadGone) for code in GONE),
    *((code, ChatForbidden) for code in FORBIDDEN),
    (50014, ChatClosed),
    *((code, ChatBusy) for code in BUSY),
    *((code, ChatRejected) for code in REJECTED),
]
BY_STATUS = [
    (401, ChatClosed),
    (429, ChatLimited),
    (500, ChatBusy),
    (503, ChatBusy),
    *((status, ChatUnclear) for status in (302, 400, 403, 404, 405, 407, 408, 418)),
]
JSON, HTML = "application/json", "text/html; charset=utf-8"


def refusal(
    status: int,
    code: object = 0,
    kind: type[discord.HTTPException] = discord.HTTPException,
    *,
    content_type: str = JSON,
    retry_after: str = "",
) -> Exception:
    headers = {"Content-Type": content_type, "Retry-After": retry_after}
    response: Any = SimpleNamespace(status=status, reason="", headers=headers)
    body = {"code": code, "message": "no"} if content_type == JSON else "<html>no</html>"
    return kind(cast("aiohttp.ClientResponse", response), body)


@pytest.mark.parametrize(("code", "kind"), CASES)
def test_a_code_says_more_than_the_status(code: int, kind: type[ChatError]) -> None:
    assert meaning(code, 400) is kind
    assert meaning(code, 404) is kind


@pytest.mark.parametrize(("status", "kind"), BY_STATUS)
def test_a_status_alone_ends_nothing(status: int, kind: type[ChatError]) -> None:
    assert meaning(0, status) is kind
    assert meaning(999_999, status) is kind


@pytest.mark.parametrize("status", [400, 401, 403, 404, 407, 418])
def test_a_page_is_no_verdict_and_is_not_logged(status: int) -> None:
    error = translate(refusal(status, content_type=HTML))
    assert type(error) is ChatUnclear
    assert str(error) == f"{status}: {HTML}"


@pytest.mark.parametrize(
    ("content_type", "body"), [(f"{JSON}; charset=utf-8", '{"code": 10003}'), (JSON, ["x"]), (JSON, "x"), (JSON, "")]
)
@pytest.mark.parametrize("status", [400, 401, 404])
def test_what_is_no_object_is_no_verdict(status: int, content_type: str, body: Any) -> None:
    response: Any = SimpleNamespace(status=status, reason="", headers={"Content-Type": content_type})
    assert type(translate(discord.HTTPException(response, body))) is ChatUnclear


@pytest.mark.parametrize("code", ["10003", [10003], {"code": 10003}, None, 1e400, True, 10**30])
def test_a_code_that_is_none_is_no_verdict(code: object) -> None:
    assert type(translate(refusal(404, code))) is ChatUnclear


@pytest.mark.parametrize("told", ["86400", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_nobody_waits_longer_than_makes_sense(told: str) -> None:
    assert translate(refusal(429, content_type=HTML, retry_after=told)).retry_after == LONGEST_WAIT
    assert translate(discord.RateLimited(86_400.0)).retry_after == LONGEST_WAIT


def test_no_code_means_two_things() -> None:
    codes = [code for code, _ in CASES]
    assert len(codes) == len(set(codes))


def test_a_rate_limit_carries_its_wait() -> None:
    error = translate(discord.RateLimited(42.0))
    assert isinstance(error, ChatBusy)
    assert error.retry_after == 42.0


def test_a_message_that_was_edited_too_often_is_left_alone_for_a_while() -> None:
    error = translate(refusal(429, 30046))
    assert isinstance(error, ChatBusy)
    assert error.retry_after == OLD_EDITS_PAUSE


def test_a_network_that_fails_is_no_refusal() -> None:
    for error in (ConnectionResetError(), TimeoutError(), aiohttp.ServerDisconnectedError()):
        assert isinstance(translate(error), ChatBusy)


def test_the_code_is_kept_for_the_log_and_not_what_discord_says() -> None:
    with pytest.raises(ThreadGone) as gone, translated():
        raise refusal(404, 10008, discord.NotFound)
    assert str(gone.value) == "10008: ThreadGone"


def test_where_a_payload_is_wrong_is_kept_for_the_log() -> None:
    """As https://discord.com/developers/docs/reference#error-messages has it, with words that were sent in it."""
    fault = {"_errors": [{"code": "NUMBER_TYPE_COERCE", "message": 'Value "words" is not int.'}, "words"]}
    errors = {"embeds": {"0": {"color": fault}}, "some words": fault, "content": {"_errors": "words"}, "x": ["words"]}
    found = refusal(400, 50035)
    assert isinstance(found, discord.HTTPException)
    found._errors = errors
    assert translate(found).detail == "embeds.0.color: NUMBER_TYPE_COERCE"


def test_what_is_no_affair_of_discords_passes() -> None:
    with pytest.raises(ZeroDivisionError), translated():
        raise ZeroDivisionError
