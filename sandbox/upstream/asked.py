"""The emulator's reading of a request: what was asked, or why it is refused."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sandbox.upstream.faults import ERRORS


class Form(StrEnum):
    """How the answer is wanted."""

    WHOLE = "application/json"
    LINES = "application/x-ndjson"
    EVENTS = "text/event-stream"


class Refusal(Exception):
    """The request is answered with an error."""

    def __init__(
        self, code: str, message: str = "", *, status: int | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        usual, words = ERRORS[code]
        self.code = code
        self.message = message or words
        self.status = status or usual
        self.headers = dict(headers or {})
        super().__init__(self.message)

    def as_json(self) -> dict[str, object]:
        return {"error": {"code": self.code, "message": self.message}, "trace_id": str(uuid.uuid4())}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the service documents it."""

    model: str
    question: str
    id: str | None
    stateful: bool
    preset: str
    references: tuple[str, ...]


def form(accept: str) -> Form:
    return next((each for each in (Form.LINES, Form.EVENTS) if each in accept.lower()), Form.WHOLE)


def admit(authorization: str, token: str | None) -> None:
    """Refuse a caller without the token; any will do if *token* is None."""
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() != "bearer" or not given.strip():
        raise Refusal("no_token")
    if token is not None and given.strip() != token:
        raise Refusal("invalid_token", "The token is invalid, please make sure your token is correct.")


def read(body: bytes) -> Asked:
    """Read a request's body. https://docs.acedata.cloud/en/guides/aichat/aichat_conversations"""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise Refusal("bad_request", "The body is not valid JSON.") from None
    if not isinstance(fields, dict):
        raise Refusal("bad_request", "The body must be a JSON object.")
    if fields.get("action", "chat") != "chat":
        raise Refusal("bad_request", "This emulator knows no action but chat.")
    references = fields.get("references", [])
    if not isinstance(references, list) or not all(isinstance(each, str) for each in references):
        raise Refusal("bad_request", "references must be a list of strings")
    stateful = fields.get("stateful", False)
    if not isinstance(stateful, bool):
        raise Refusal("bad_request", "stateful must be a boolean")
    return Asked(
        model=_text(fields, "model", is_required=True),
        question=_text(fields, "question", is_required=True),
        id=_text(fields, "id") or None,
        stateful=stateful,
        preset=_text(fields, "preset"),
        references=tuple(references),
    )


def _text(fields: Mapping[str, object], name: str, *, is_required: bool = False) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise Refusal("bad_request", f"{name} must be a string")
    if is_required and not value.strip():
        raise Refusal("bad_request", f"{name} is required")
    return value
