"""Every code of Discord's that an answer can meet is known for what it means."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import discord
import pytest

from bots.discord.errors import OLD_EDITS_PAUSE, meaning, translate, translated
from core.errors import ChatBusy, ChatClosed, ChatError, ChatForbidden, ChatRejected, ThreadGone

GONE = [10003, 10004, 10007, 10008, 10013, 10015, 10062, 50027, 50033, 50083, 160005]
FORBIDDEN = [20009, 40333, 50001, 50007, 50009, 50013, 50278, 160002, 200000, 200001, 240000, 400001]
BUSY = [20028, 20029, 30046, 40003, 40004, 40006, 110000, 130000]
REJECTED = [40005, 40060, 40094, 50005, 50006, 50035, 50045, 160004, 160006]

CASES = [
    *((code, ThreadGone) for code in GONE),
    *((code, ChatForbidden) for code in FORBIDDEN),
    (50014, ChatClosed),
    *((code, ChatBusy) for code in BUSY),
    *((code, ChatRejected) for code in REJECTED),
]
BY_STATUS = [
    (401, ChatClosed),
    (403, ChatForbidden),
    (404, ThreadGone),
    (429, ChatBusy),
    (500, ChatBusy),
    (503, ChatBusy),
    (400, ChatRejected),
]


def refusal(status: int, code: int = 0, kind: type[discord.HTTPException] = discord.HTTPException) -> Exception:
    response: Any = SimpleNamespace(status=status, reason="")
    return kind(cast("aiohttp.ClientResponse", response), {"code": code, "message": "no"})


@pytest.mark.parametrize(("code", "kind"), CASES)
def test_a_code_says_more_than_the_status(code: int, kind: type[ChatError]) -> None:
    assert meaning(code, 400) is kind
    assert meaning(code, 404) is kind


@pytest.mark.parametrize(("status", "kind"), BY_STATUS)
def test_an_unknown_code_is_judged_by_its_status(status: int, kind: type[ChatError]) -> None:
    assert meaning(0, status) is kind


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


def test_the_code_and_discords_words_are_kept_for_the_log() -> None:
    with pytest.raises(ThreadGone) as gone, translated():
        raise refusal(404, 10008, discord.NotFound)
    assert str(gone.value) == "10008: no"


def test_what_is_no_affair_of_discords_passes() -> None:
    with pytest.raises(ZeroDivisionError), translated():
        raise ZeroDivisionError
