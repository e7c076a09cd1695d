"""The guild, its members and roles, and users.

https://discord.com/developers/docs/resources/guild and …/resources/user
"""

from aiohttp import web

from sandbox.discord import payloads
from sandbox.discord.refusals import Refusal
from sandbox.discord.rest.door import WORLD, Route, answer, as_snowflake, body_of, snowflake
from sandbox.discord.world import World


def _world(request: web.Request) -> World:
    """The world, if the path names its guild."""
    world = request.app[WORLD]
    if snowflake(request, "guild_id") != world.guild_id:
        raise Refusal(10004)
    return world


async def guild(request: web.Request) -> web.Response:
    world = _world(request)
    counts = {"approximate_member_count": len(world.users), "approximate_presence_count": len(world.users)}
    wanted = request.query.get("with_counts", "").lower() in ("1", "true")
    return answer(payloads.guild_json(world) | (counts if wanted else {}))


async def channels(request: web.Request) -> web.Response:
    world = _world(request)
    places = [one for one in world.channels.values() if not one.is_dm and not one.thread and world.bot_sees(one)]
    return answer([payloads.channel_json(world, one) for one in places])


async def member(request: web.Request) -> web.Response:
    world = _world(request)
    user = world.users.get(snowflake(request, "user_id"))
    if user is None:
        raise Refusal(10007)
    return answer(payloads.member_json(user))


async def roles(request: web.Request) -> web.Response:
    return answer([payloads.role_json(role) for role in _world(request).roles.values()])


async def active_threads(request: web.Request) -> web.Response:
    world = _world(request)
    active = [one for one in world.threads() if one.thread and not one.thread.archived and world.bot_sees(one)]
    own = [one for one in active if one.thread and world.bot.id in one.thread.members]
    return answer(
        {
            "threads": [payloads.channel_json(world, one) for one in active],
            "members": [payloads.thread_member_json(one, world.bot) for one in own],
        }
    )


async def me(request: web.Request) -> web.Response:
    own = payloads.user_json(request.app[WORLD].bot)
    return answer(own | {"email": None, "mfa_enabled": True, "verified": True, "locale": "en-US", "flags": 0})


async def user(request: web.Request) -> web.Response:
    return answer(payloads.user_json(request.app[WORLD].user(snowflake(request, "user_id"))))


async def my_guilds(request: web.Request) -> web.Response:
    world = request.app[WORLD]
    return answer([{"id": str(world.guild_id), "name": world.guild_name, "icon": None, "owner": False, "features": []}])


async def open_dm(request: web.Request) -> web.Response:
    world = request.app[WORLD]
    body = await body_of(request)
    recipient = world.users.get(as_snowflake(body.get("recipient_id"), "recipient_id"))
    if recipient is None or recipient is world.bot:
        raise Refusal(50033)
    return answer(payloads.channel_json(world, world.dm_with(recipient)))


ROUTES: tuple[Route, ...] = (
    ("GET", "/users/@me", me),
    ("GET", "/users/@me/guilds", my_guilds),
    ("POST", "/users/@me/channels", open_dm),
    ("GET", "/users/{user_id}", user),
    ("GET", "/guilds/{guild_id}", guild),
    ("GET", "/guilds/{guild_id}/channels", channels),
    ("GET", "/guilds/{guild_id}/members/{user_id}", member),
    ("GET", "/guilds/{guild_id}/roles", roles),
    ("GET", "/guilds/{guild_id}/threads/active", active_threads),
)
