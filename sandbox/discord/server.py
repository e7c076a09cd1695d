"""The HTTP server: one door through which every REST call passes, with its refusals, limits and faults."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware

from sandbox.discord import payloads
from sandbox.discord.limits import Limits, refusal_headers
from sandbox.discord.refusals import Plain, Refusal, TooFast
from sandbox.discord.rest import OPEN_TO_ALL, ROUTES
from sandbox.discord.rest.door import BODY, LIMITS, MOST_BYTES_OF_A_REQUEST, WORLD, answer, as_snowflake
from sandbox.discord.world import World

API = "/api/v10"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
VIA = {"Via": "1.1 local"}  # without it discord.py takes a 429 for a ban


@dataclass(frozen=True, slots=True)
class Call:
    """One REST call of the bot. *route* is written as in Discord's documentation."""

    at: float  # seconds on the monotonic clock
    route: str
    path: str
    body: Any
    status: int
    query: Mapping[str, str] = field(default_factory=dict)


def build_app(world: World, limits: Limits, calls: deque[Call]) -> web.Application:
    app = web.Application(client_max_size=MOST_BYTES_OF_A_REQUEST, middlewares=[_door(calls)])
    app[WORLD] = world
    app[LIMITS] = limits
    for method, path, handler in ROUTES:
        app.router.add_route(method, API + path, handler)
    app.router.add_get("/attachments/{channel_id}/{attachment_id}/{name}", attachment)
    return app


def _door(calls: deque[Call]) -> Middleware:
    @web.middleware
    async def door(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith("/api/"):
            return await handler(request)
        at, route = time.monotonic(), _route_of(request)
        one_way = request.app[WORLD].faults.latency / 2
        await asyncio.sleep(one_way)
        reply, is_done = request.app[WORLD].faults.odd_replies.next(route) or (None, True)
        if is_done:
            response = await _answered(request, handler, route)
        if reply:
            response = await reply.send()
        response.headers.update(VIA)
        path = request.path.removeprefix(API)
        call = Call(at, route, path, request.get(BODY), response.status, dict(request.query))
        calls.append(call)
        request.app[WORLD].changes.tell("call", call)
        await asyncio.sleep(one_way)
        return response

    return door


def _route_of(request: web.Request) -> str:
    resource = request.match_info.route.resource
    path = resource.canonical if resource else request.path
    return f"{request.method} {path.removeprefix(API)}"


async def _answered(request: web.Request, handler: Handler, route: str) -> web.StreamResponse:
    headers: dict[str, str] = {}
    try:
        _check_version(request)
        _check_token(request, route)
        _meet_outage(request, route)
        headers = request.app[LIMITS].spend(route, _major(request))
        response = await handler(request)
        response.headers.update(headers)
    except (Refusal, Plain) as refusal:
        return answer(refusal.body, refusal.status, headers)
    except TooFast as refusal:
        body = {"message": "You are being rate limited.", "retry_after": refusal.retry_after}
        return answer(body | {"global": refusal.is_global}, 429, headers | refusal_headers(refusal))
    except web.HTTPRequestEntityTooLarge:
        return answer(Refusal(40005).body, 413, headers)
    except web.HTTPException as refusal:
        return answer(Plain(refusal.status, refusal.reason).body, refusal.status, headers)
    return response


def _check_version(request: web.Request) -> None:
    if not request.path.startswith(f"{API}/"):
        raise Refusal(50041)


def _check_token(request: web.Request, route: str) -> None:
    given = request.headers.get("Authorization", "")
    if route not in OPEN_TO_ALL and given != f"Bot {request.app[WORLD].token}":
        raise Plain(401, "Unauthorized")


def _meet_outage(request: web.Request, route: str) -> None:
    outage = request.app[WORLD].faults.outage_of(route)
    if outage is None:
        return
    if outage.status == 429:
        raise TooFast(outage.retry_after, scope=outage.scope)
    raise Plain(outage.status, "The local Discord was told to fail")


def _major(request: web.Request) -> str:
    found = request.match_info
    return "/".join(found[key] for key in ("channel_id", "guild_id", "application_id", "token") if key in found)


async def attachment(request: web.Request) -> web.Response:
    """A file, as long as its link is signed and not out of date."""
    world, found = request.app[WORLD], request.match_info
    expires, seal = request.query.get("ex", ""), request.query.get("hm", "")
    one = world.uploads.get(as_snowflake(found["attachment_id"], "attachment_id"))
    if one is None or seal != payloads.attachment_seal(world, one.id, expires) or int(expires, 16) < time.time():
        return web.Response(status=404, text="This content is no longer available.")
    if world.faults.file:
        return await world.faults.file.send()
    return web.Response(body=one.file.content, headers={"Content-Type": one.file.content_type})
