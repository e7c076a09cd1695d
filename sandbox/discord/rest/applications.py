"""The application itself, its gateway and its commands.

https://discord.com/developers/docs/resources/application
https://discord.com/developers/docs/interactions/application-commands#endpoints
"""

from aiohttp import web

from sandbox.discord import payloads
from sandbox.discord.refusals import Refusal
from sandbox.discord.rest.door import (
    WORLD,
    Json,
    Route,
    answer,
    body_of,
    list_of,
    nothing,
    snowflake,
)


async def gateway(request: web.Request) -> web.Response:
    return answer({"url": request.app[WORLD].gateway_url})


async def gateway_for_bots(request: web.Request) -> web.Response:
    starts = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
    return answer({"url": request.app[WORLD].gateway_url, "shards": 1, "session_start_limit": starts})


async def application(request: web.Request) -> web.Response:
    return answer(payloads.application_json(request.app[WORLD]))


def _place(request: web.Request) -> int | None:
    """The guild of the commands, or None for the global ones."""
    world = request.app[WORLD]
    if snowflake(request, "application_id") != world.application_id:
        raise Refusal(10002)
    if "guild_id" not in request.match_info:
        return None
    if snowflake(request, "guild_id") != world.guild_id:
        raise Refusal(50001)
    return world.guild_id


def _public(request: web.Request, command: Json) -> Json:
    if request.method != "GET" or request.query.get("with_localizations", "false").lower() in ("true", "1"):
        return command
    return {key: value for key, value in command.items() if not key.endswith("_localizations")}


async def commands(request: web.Request) -> web.Response:
    book = request.app[WORLD].commands
    return answer([_public(request, command) for command in book.all(_place(request))])


async def command(request: web.Request) -> web.Response:
    book = request.app[WORLD].commands
    return answer(_public(request, book.one(_place(request), snowflake(request, "command_id"))))


async def add_command(request: web.Request) -> web.Response:
    world, place = request.app[WORLD], _place(request)
    made, is_new = world.commands.add(place, await body_of(request), world.application_id, world.snowflakes)
    world.changes.tell("commands", made)
    return answer(made, 201 if is_new else 200)


async def replace_commands(request: web.Request) -> web.Response:
    world, place = request.app[WORLD], _place(request)
    made = world.commands.replace(place, await list_of(request), world.application_id, world.snowflakes)
    world.changes.tell("commands", made)
    return answer(made)


async def change_command(request: web.Request) -> web.Response:
    world, place = request.app[WORLD], _place(request)
    made = world.commands.change(place, snowflake(request, "command_id"), await body_of(request), world.snowflakes)
    world.changes.tell("commands", made)
    return answer(made)


async def remove_command(request: web.Request) -> web.Response:
    world = request.app[WORLD]
    world.commands.remove(_place(request), snowflake(request, "command_id"))
    world.changes.tell("commands", None)
    return nothing()


def _command_routes(base: str) -> tuple[Route, ...]:
    return (
        ("GET", base, commands),
        ("POST", base, add_command),
        ("PUT", base, replace_commands),
        ("GET", f"{base}/{{command_id}}", command),
        ("PATCH", f"{base}/{{command_id}}", change_command),
        ("DELETE", f"{base}/{{command_id}}", remove_command),
    )


ROUTES: tuple[Route, ...] = (
    ("GET", "/gateway", gateway),
    ("GET", "/gateway/bot", gateway_for_bots),
    ("GET", "/oauth2/applications/@me", application),
    ("GET", "/applications/@me", application),
    *_command_routes("/applications/{application_id}/commands"),
    *_command_routes("/applications/{application_id}/guilds/{guild_id}/commands"),
)
