"""The arguments of a Web API call, however they were sent, and how a call is refused.

https://docs.slack.dev/apis/web-api#methods_supporting_json
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import web

    from sandbox.slack.nouns import JsonObject


class ApiError(Exception):
    """A call is refused: `ok: false` with this error code, and what else Slack says with it."""

    def __init__(self, error: str, **more: object) -> None:
        super().__init__(error)
        self.answer: JsonObject = {"ok": False, "error": error, **more}


def explained(error: str, problems: Sequence[str]) -> ApiError:
    """An error that lists what exactly is wrong, as `invalid_blocks` and `invalid_arguments` do."""
    metadata = {"messages": [f"[ERROR] {problem}" for problem in problems]}
    if error == "invalid_blocks":
        return ApiError(error, errors=list(problems), response_metadata=metadata)
    return ApiError(error, response_metadata=metadata)


@dataclass(frozen=True, slots=True)
class Arguments:
    """One call's arguments; forms and queries bring strings, JSON brings types, and both are understood."""

    given: JsonObject

    def __contains__(self, name: str) -> bool:
        return self.given.get(name) not in (None, "")

    def text(self, name: str, default: str = "") -> str:
        value = self.given.get(name)
        return default if value is None else str(value)

    def needed(self, name: str) -> str:
        if name not in self:
            raise explained("invalid_arguments", [f"missing required field: {name}"])
        return self.text(name)

    def flag(self, name: str) -> bool:
        return self.text(name).casefold() in {"1", "true"}

    def number(self, name: str, default: int, *, most: int) -> int:
        try:
            number = int(self.text(name) or default)
        except ValueError:
            raise ApiError("invalid_limit") from None
        if number < 0:
            raise ApiError("invalid_limit")
        return min(number or default, most)

    def names(self, name: str) -> list[str]:
        """A list, given as one or as words between commas."""
        value = self.given.get(name)
        words = value if isinstance(value, list) else self.text(name).split(",")
        return [str(word).strip() for word in words if str(word).strip()]

    def json(self, name: str, error: str) -> object:
        """A structure, given as JSON or as a string of it; None if it wasn't given."""
        value = self.given.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            read: object = json.loads(value)
        except ValueError:
            raise ApiError(error) from None
        return read

    def objects(self, name: str, error: str) -> list[JsonObject] | None:
        value = self.json(name, error)
        if value is not None and not isinstance(value, list):
            raise ApiError(error)
        return value

    def object(self, name: str, error: str) -> JsonObject | None:
        value = self.json(name, error)
        if value is not None and not isinstance(value, dict):
            raise ApiError(error)
        return value

    def cursor(self) -> str:
        """What the page before ended with; empty for the first page."""
        try:
            return base64.b64decode(self.text("cursor"), validate=True).decode()
        except ValueError:
            raise ApiError("invalid_cursor") from None


def next_page(after: str) -> JsonObject:
    """The metadata that leads to the page after; https://docs.slack.dev/apis/web-api/pagination"""
    return {"next_cursor": base64.b64encode(after.encode()).decode()}


async def read(request: web.Request) -> tuple[Arguments, str]:
    """A call's arguments and its token. Raises ApiError for a body that can't be read."""
    given: JsonObject = dict(request.query)
    bearer = request.headers.get("Authorization", "")
    token = bearer[7:].strip() if bearer[:7].casefold() == "bearer " else ""
    if request.content_type == "application/json":
        body = await _json_body(request)
        body.pop("token", None)  # with JSON, the token goes in the header and nowhere else
        given |= body
    elif request.method == "POST":
        form = await request.post()
        given |= {name: value for name, value in form.items() if isinstance(value, str)}
    passed = str(given.pop("token", ""))
    return Arguments(given), token or passed


async def _json_body(request: web.Request) -> JsonObject:
    try:
        body: object = json.loads(await request.text() or "{}")
    except ValueError:
        raise ApiError("invalid_json") from None
    if not isinstance(body, dict):
        raise ApiError("json_not_object")
    return body
