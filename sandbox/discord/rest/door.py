"""Everything that a route needs: the world, the ids in the path, the body with its files, and JSON to answer with."""

import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from aiohttp import BodyPartReader, web

from sandbox.discord.limits import Limits
from sandbox.discord.model import Channel, File
from sandbox.discord.refusals import Refusal, form_error
from sandbox.discord.rest.shapes import check_shapes
from sandbox.discord.world import World

Json = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.Response]]
Route = tuple[str, str, Handler]
Shape = TypeVar("Shape", dict[str, Any], list[Any])

WORLD = web.AppKey("WORLD", World)
LIMITS = web.AppKey("LIMITS", Limits)
BODY = web.RequestKey("BODY", object)
MOST_BYTES_OF_A_FILE = 10 * 1024 * 1024  # https://discord.com/developers/docs/reference#uploading-files
MOST_BYTES_OF_A_REQUEST = 25 * 1024 * 1024


def answer(body: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """JSON with exactly `application/json`: with a charset discord.py would not read it."""
    text = json.dumps(body, separators=(",", ":")).encode()
    return web.Response(body=text, status=status, headers={"Content-Type": "application/json"} | (headers or {}))


def nothing() -> web.Response:
    return web.Response(status=204)


def snowflake(request: web.Request, name: str) -> int:
    return as_snowflake(request.match_info[name], name)


def as_snowflake(value: object, path: str) -> int:
    """Discord writes snowflakes as strings and takes integers too."""
    try:
        return int(str(value))
    except ValueError:
        raise form_error(path, "NUMBER_TYPE_COERCE", f'Value "{value}" is not snowflake.') from None


def channel_of(request: web.Request) -> Channel:
    return request.app[WORLD].channel(snowflake(request, "channel_id"))


async def body_of(request: web.Request) -> Json:
    body, _ = await form_of(request)
    return body


async def list_of(request: web.Request) -> list[Json]:
    return _parsed(request, await request.read(), list)


async def form_of(request: web.Request) -> tuple[Json, list[File]]:
    """The JSON body, or a multipart form's `payload_json` with its files."""
    if request.content_type.startswith("multipart/"):
        return await _multipart(request)
    raw = await request.read()
    return (_parsed(request, raw, dict) if raw else {}), []


def _parsed(request: web.Request, raw: bytes, shape: type[Shape]) -> Shape:
    try:
        body = json.loads(raw)
    except ValueError:
        raise Refusal(50109) from None
    if not isinstance(body, shape):
        raise Refusal(50109)
    request[BODY] = body
    check_shapes(body)
    return body


async def _multipart(request: web.Request) -> tuple[Json, list[File]]:
    body: Json = {}
    found: dict[str, tuple[str, bytes, str]] = {}
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        content = bytes(await part.read())
        if part.name == "payload_json":
            body = _parsed(request, content, dict)
        elif part.filename:
            index = (part.name or "file").removeprefix("files[").removesuffix("]")
            found[index] = (part.filename, content, part.headers.get("Content-Type", "application/octet-stream"))
    if any(len(content) > MOST_BYTES_OF_A_FILE for _, content, _ in found.values()):
        raise Refusal(40005)
    described = {str(one.get("id")): one for one in body.get("attachments") or []}
    files = []
    for index, (name, content, kind) in found.items():
        said = described.get(index, {})
        files.append(File(said.get("filename") or name, content, kind, said.get("description")))
    return body, files
