"""Translates the upstream's refusals, from its codes, statuses and bodies to our errors."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TypeAlias

from core.upstream.errors import (
    BadRequest,
    ConversationTooLarge,
    ModelRefused,
    ModerationRefused,
    NotTheService,
    TokenRefused,
    UnknownConversation,
    UpstreamBusy,
    UpstreamCut,
    UpstreamError,
    UpstreamFailed,
    UsedUp,
    WrongAddress,
)
from core.waits import seconds_from

Payload: TypeAlias = Mapping[str, object]

# Nobody is kept waiting for so long; it is only to be more than what anybody waits, and still a number.
LONGEST_WAIT = 3_600.0  # seconds
STREAMING = 200  # the status of an error that came in the middle of an answer
_TRACE_HEADERS = ("x-trace-id", "trace-id", "x-request-id")

# https://docs.acedata.cloud/en/concepts/responses, and codes seen in the service's own clients. The code decides
# before the status: the same code comes with different statuses (token_mismatched 400 and 401, used_up 402 and 403).
_BY_CODE: dict[str, type[UpstreamError]] = {
    "bad_request": BadRequest,
    "api_not_implemented": WrongAddress,
    "no_api": WrongAddress,
    "no_token": TokenRefused,
    "invalid_token": TokenRefused,
    "token_expired": TokenRefused,
    "token_mismatched": TokenRefused,
    "disabled": TokenRefused,
    "not_applied": TokenRefused,
    "permission_denied": TokenRefused,
    "used_up": UsedUp,
    "forbidden": ModerationRefused,
    "not_found": UnknownConversation,
    "no_conversation": UnknownConversation,
    "request_entity_too_large": ConversationTooLarge,
    "content_too_large": ConversationTooLarge,
    "too_many_requests": UpstreamBusy,
    "rate_limited": UpstreamBusy,
    "busy": UpstreamBusy,
    "connection_reset": UpstreamCut,
    "api_error": UpstreamFailed,
    "chat_error": UpstreamFailed,
    "timeout": UpstreamFailed,
}
# What the service is known to say, and what this door says itself.
CODES = frozenset({*_BY_CODE, "line_too_long"})
_BY_STATUS: dict[int, type[UpstreamError]] = {
    401: TokenRefused,
    402: UsedUp,
    403: TokenRefused,
    404: WrongAddress,
    405: WrongAddress,
    407: WrongAddress,
    408: UpstreamFailed,
    409: UpstreamBusy,
    413: ConversationTooLarge,
    425: UpstreamBusy,
    429: UpstreamBusy,
    499: UpstreamCut,
}

_WRONG_REQUEST = frozenset({400, 406, 411, 412, 414, 415, 416, 417, 422, 428, 431})


def refusal(status: int, headers: Mapping[str, str], body: bytes, *, continuing: bool) -> UpstreamError:
    """Return the error that a whole answer amounts to; *continuing*: did the request name a conversation?"""
    error = _told(_object(body), status, continuing=continuing) or _from_text(status, body)
    error.trace_id = error.trace_id or next((headers[name] for name in _TRACE_HEADERS if name in headers), None)
    error.retry_after = seconds_from(headers.get("retry-after"), LONGEST_WAIT)
    return error


def reported(payload: Payload, *, continuing: bool = True) -> UpstreamError | None:
    """Return the error that a line of a stream reports, None if it reports none."""
    if payload.get("type") == "error" or payload.get("error"):
        return _told(payload, STREAMING, continuing=continuing)
    return None


def _told(payload: Payload | None, status: int, *, continuing: bool) -> UpstreamError | None:
    """Read the shapes `{"error": {…}}`, `{"error": "…", "message": "…"}` and `{"type": "error", "message": "…"}`."""
    if payload is None:
        return None
    error = payload.get("error")
    inner: Payload = error if isinstance(error, dict) else payload
    code = _word(inner.get("code")) or _word(error)
    detail = inner.get("message") or error or ""
    own_status = inner.get("status")  # an error within a stream names its own
    meant = own_status if status == STREAMING and isinstance(own_status, int) else status
    kind = _kind(code, meant, str(detail), continuing=continuing)
    trace = payload.get("trace_id") or inner.get("trace_id")
    return kind(
        str(detail),
        code=code or "unknown",
        status=status,
        trace_id=str(trace) if trace else None,
    )


def _kind(code: str, status: int, detail: str, *, continuing: bool) -> type[UpstreamError]:
    kind = _BY_CODE.get(code) or _by_status(status)
    if continuing and kind in (BadRequest, WrongAddress) and "conversation" in detail.lower():
        return UnknownConversation  # nobody documents how an expired id is refused: believe the words
    if kind is UnknownConversation and not continuing:
        kind = BadRequest  # none was named: it is something else that wasn't found, such as the model
    if kind is BadRequest and re.search(r"\bmodels?\b", detail, re.IGNORECASE):
        return ModelRefused
    return kind


def _by_status(status: int) -> type[UpstreamError]:
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if 300 <= status < 400:
        return WrongAddress
    return BadRequest if status in _WRONG_REQUEST else UpstreamFailed  # what nobody knows may pass


def _from_text(status: int, body: bytes) -> UpstreamError:
    """Proxies in front of the service answer in HTML or plain text."""
    text = re.sub(r"<[^>]*>", " ", body.decode("utf-8", "replace"))
    detail = " ".join(text.split())
    # A login page in between says nothing of our token: the service that refuses it says so in JSON.
    is_page = status in (401, 403) and re.search(rb"<html|<!doctype", body[:1_000], re.IGNORECASE)
    kind = NotTheService if is_page else _by_status(status)
    return kind(detail or "an answer without text", status=status)


def _object(body: bytes) -> Payload | None:
    try:
        found = json.loads(body.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _word(value: object) -> str:
    """Codes are single words; a sentence in their place is a message."""
    return value if isinstance(value, str) and re.fullmatch(r"[\w.-]{1,60}", value) else ""
