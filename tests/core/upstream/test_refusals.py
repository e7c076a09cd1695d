from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from core.upstream import errors
from core.upstream.refusals import LONGEST_WAIT, refusal

CODES = [
    (400, "bad_request", errors.BadRequest),
    (400, "no_token", errors.TokenRefused),
    (400, "api_not_implemented", errors.WrongAddress),
    (400, "token_mismatched", errors.TokenRefused),
    (401, "token_mismatched", errors.TokenRefused),
    (401, "invalid_token", errors.TokenRefused),
    (401, "token_expired", errors.TokenRefused),
    (403, "used_up", errors.UsedUp),
    (402, "used_up", errors.UsedUp),
    (403, "disabled", errors.TokenRefused),
    (403, "forbidden", errors.ModerationRefused),
    (404, "no_api", errors.WrongAddress),
    (404, "not_found", errors.UnknownConversation),
    (404, "no_conversation", errors.UnknownConversation),
    (413, "request_entity_too_large", errors.ConversationTooLarge),
    (413, "content_too_large", errors.ConversationTooLarge),
    (429, "too_many_requests", errors.UpstreamBusy),
    (429, "rate_limited", errors.UpstreamBusy),
    (499, "connection_reset", errors.UpstreamCut),
    (500, "api_error", errors.UpstreamFailed),
    (500, "chat_error", errors.UpstreamFailed),
    (503, "busy", errors.UpstreamBusy),
    (504, "timeout", errors.UpstreamFailed),
]
STATUSES = [
    (302, errors.WrongAddress),
    (400, errors.BadRequest),
    (401, errors.TokenRefused),
    (402, errors.UsedUp),
    (403, errors.TokenRefused),
    (404, errors.WrongAddress),
    (405, errors.WrongAddress),
    (407, errors.WrongAddress),
    (408, errors.UpstreamFailed),
    (413, errors.ConversationTooLarge),
    (418, errors.UpstreamFailed),
    (425, errors.UpstreamBusy),
    (451, errors.UpstreamFailed),
    (422, errors.BadRequest),
    (429, errors.UpstreamBusy),
    (500, errors.UpstreamFailed),
    (502, errors.UpstreamFailed),
    (504, errors.UpstreamFailed),
    (554, errors.UpstreamFailed),
    (599, errors.UpstreamFailed),
]


def body(code: str, message: str = "words") -> bytes:
    return json.dumps({"error": {"code": code, "message": message}, "trace_id": "trace"}).encode()


@pytest.mark.parametrize(("status", "code", "kind"), CODES)
def test_the_code_decides(status: int, code: str, kind: type[errors.UpstreamError]) -> None:
    error = refusal(status, {}, body(code), continuing=True)
    assert type(error) is kind
    assert (error.code, error.status, error.trace_id, error.detail) == (code, status, "trace", "words")


@pytest.mark.parametrize("code", ["used_up", "too_many_requests", "forbidden"])
def test_the_code_decides_before_the_status(code: str) -> None:
    expected = next(kind for _, listed, kind in CODES if listed == code)
    assert type(refusal(400, {}, body(code), continuing=False)) is expected


@pytest.mark.parametrize(("status", "kind"), STATUSES)
@pytest.mark.parametrize(
    "text",
    [b"", b"upstream connect error", b"<html><h1>Bad</h1></html>", b'{"error":null}', b'{"error":"It broke."}', b"[1]"],
)
def test_the_status_decides_where_there_is_no_code(status: int, kind: type[errors.UpstreamError], text: bytes) -> None:
    error = refusal(status, {"x-trace-id": "from the head"}, text, continuing=False)
    # What in between wants us to log in says nothing of our token.
    is_page = b"<html" in text and status in (401, 403)
    assert type(error) is (errors.NotTheService if is_page else kind)
    assert error.trace_id == "from the head"
    assert "<" not in error.detail


def test_a_code_in_the_place_of_the_error_is_understood() -> None:
    error = refusal(500, {}, b'{"message":"No.","error":"used_up"}', continuing=False)
    assert (type(error), error.detail) == (errors.UsedUp, "No.")


@pytest.mark.parametrize("code", ["bad_request", "unheard_of"])
def test_words_about_a_conversation_mean_that_it_is_lost(code: str) -> None:
    words = "The conversation does not exist."
    assert type(refusal(400, {}, body(code, words), continuing=True)) is errors.UnknownConversation
    assert type(refusal(400, {}, body(code, words), continuing=False)) is errors.BadRequest


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("bad_request", "model is required"),
        ("unheard_of", "The Model `gpt-x` does not exist."),
        ("not_found", "No such model."),
        ("bad_request", "Available models: a, b."),
    ],
)
def test_the_model_is_blamed_where_the_service_speaks_of_it(code: str, words: str) -> None:
    error = refusal(400, {}, body(code, words), continuing=False)
    assert type(error) is errors.ModelRefused
    assert "preset show" in error.sentence


@pytest.mark.parametrize("words", ["question is required", "references must be a list of strings", "remodelled", ""])
def test_and_nowhere_else(words: str) -> None:
    error = refusal(400, {}, body("bad_request", words), continuing=False)
    assert type(error) is errors.BadRequest
    assert "model" not in error.sentence


def test_not_found_without_a_conversation_is_a_wrong_request() -> None:
    assert type(refusal(404, {}, body("not_found"), continuing=False)) is errors.BadRequest


@pytest.mark.parametrize(
    ("header", "seconds"), [("3", 3.0), ("0.5", 0.5), ("-4", 0.0), ("inf", None), ("soon", None), ("", None)]
)
def test_retry_after_in_seconds(header: str, seconds: float | None) -> None:
    assert refusal(429, {"retry-after": header}, b"", continuing=False).retry_after == seconds


@pytest.mark.parametrize("header", ["86400", "9" * 5_000, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_retry_after_has_bounds(header: str) -> None:
    assert refusal(429, {"retry-after": header}, b"", continuing=False).retry_after == LONGEST_WAIT


@pytest.mark.parametrize(
    "told",
    [
        '{"error": ["api_error", {"code": 5}]}',
        '{"error": {"code": 500, "message": ["a"], "status": "500"}, "trace_id": {"a": 1}}',
        '{"error": {"code": {"a": 1}, "status": 1e400}}',
        '{"error": 5}',
        '{"error": true, "code": null}',
        '{"type": "error"}',
        '{"type": "error", "message": {"deep": [[[[]]]]}, "status": true}',
        '"api_error"',
        "1e400",
        "[" * 100_000,
        '{"error": ' + "9" * 5_000 + "}",
    ],
)
@pytest.mark.parametrize("status", [400, 401, 418, 500])
def test_whatever_shape_a_refusal_has_it_is_one(told: str, status: int) -> None:
    error = refusal(status, {}, told.encode(), continuing=True)
    assert error.sentence
    assert str(error)


def test_retry_after_as_a_date() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    wait = refusal(503, {"retry-after": at}, b"", continuing=False).retry_after
    assert wait is not None
    assert 50 < wait <= 60
