"""Threads and forum posts: made, listed, joined.

https://discord.com/developers/docs/resources/channel#start-thread-from-message and the routes after it
"""

from typing import Any

from aiohttp import web

from sandbox.discord import acts, payloads, threads
from sandbox.discord.mentions import ALL, allowed_from
from sandbox.discord.model import Channel, ChannelKind, User
from sandbox.discord.permissions import Permission
from sandbox.discord.refusals import Refusal, form_error
from sandbox.discord.rest.door import (
    WORLD,
    Route,
    answer,
    as_snowflake,
    body_of,
    channel_of,
    form_of,
    nothing,
    snowflake,
)
from sandbox.discord.rest.messages import check_new, told
from sandbox.discord.world import World

Json = dict[str, Any]
REQUIRE_TAG = 1 << 4  # https://discord.com/developers/docs/resources/channel#channel-object-channel-flags


async def start_from_message(request: web.Request) -> web.Response:
    world, channel = request.app[WORLD], channel_of(request)
    message = world.message(channel, snowflake(request, "message_id"))
    body = await body_of(request)
    world.require(channel, Permission.CREATE_PUBLIC_THREADS)
    threads.check_thread_form(body)
    thread = acts.thread_from(world, message, world.bot, body["name"], body.get("auto_archive_duration"))
    return answer(payloads.channel_json(world, thread), 201)


async def start(request: web.Request) -> web.Response:
    world, channel = request.app[WORLD], channel_of(request)
    if channel.kind is ChannelKind.FORUM:
        return await _start_post(request, world, channel)
    if channel.kind is not ChannelKind.TEXT:
        raise Refusal(50024)
    body = await body_of(request)
    threads.check_thread_form(body)
    # Left out, the type is private: so it is documented, for history's sake.
    kind = body.get("type", int(ChannelKind.PRIVATE_THREAD))
    if kind == ChannelKind.PUBLIC_THREAD:
        world.require(channel, Permission.CREATE_PUBLIC_THREADS)
    elif kind == ChannelKind.PRIVATE_THREAD:
        world.require(channel, Permission.CREATE_PRIVATE_THREADS)
    else:
        raise form_error("type", "BASE_TYPE_CHOICES", "Value must be one of (11, 12).")
    thread = acts.thread_without_message(
        world, channel, world.bot, body["name"], ChannelKind(kind), minutes=body.get("auto_archive_duration")
    )
    return answer(payloads.channel_json(world, thread), 201)


async def _start_post(request: web.Request, world: World, forum: Channel) -> web.Response:
    """In a forum the first message comes with the thread and has its id."""
    body, files = await form_of(request)
    world.require(forum, Permission.SEND_MESSAGES)
    threads.check_thread_form(body)
    if forum.flags & REQUIRE_TAG and not body.get("applied_tags"):
        raise Refusal(40067)
    first = body.get("message")
    if not isinstance(first, dict):
        raise form_error("message", "BASE_TYPE_REQUIRED", "This field is required")
    draft = check_new(world, forum, first, files)
    thread = threads.new_thread(
        world,
        forum,
        world.bot,
        body["name"],
        archive_minutes=body.get("auto_archive_duration") or threads.DEFAULT_ARCHIVE_MINUTES,
        tags=[as_snowflake(tag, "applied_tags") for tag in body.get("applied_tags") or []],
    )
    message = acts.post(world, thread, world.bot, draft, allowed=allowed_from(first, ALL), snowflake=thread.id)
    return answer(payloads.channel_json(world, thread) | {"message": told(world, message)}, 201)


def _thread_of(request: web.Request) -> Channel:
    channel = channel_of(request)
    if channel.thread is None:
        raise Refusal(50024)
    return channel


def _user_of(request: web.Request) -> User:
    world = request.app[WORLD]
    return world.bot if "user_id" not in request.match_info else world.user(snowflake(request, "user_id"))


async def join(request: web.Request) -> web.Response:
    world, thread = request.app[WORLD], _thread_of(request)
    threads.check_not_archived(thread)
    threads.join_thread(world, thread, _user_of(request))
    return nothing()


async def leave(request: web.Request) -> web.Response:
    world, thread, user = request.app[WORLD], _thread_of(request), _user_of(request)
    threads.check_not_archived(thread)
    if user is not world.bot:
        world.require(thread, Permission.MANAGE_THREADS)
    threads.leave_thread(world, thread, user)
    return nothing()


async def member(request: web.Request) -> web.Response:
    thread, user = _thread_of(request), _user_of(request)
    if thread.thread is None or user.id not in thread.thread.members:
        raise Refusal(10007)
    return answer(payloads.thread_member_json(thread, user))


async def members(request: web.Request) -> web.Response:
    world, thread = request.app[WORLD], _thread_of(request)
    ids = thread.thread.members if thread.thread else {}
    return answer([payloads.thread_member_json(thread, world.users[one]) for one in ids])


async def archived(request: web.Request) -> web.Response:
    world, parent = request.app[WORLD], channel_of(request)
    world.require(parent, Permission.READ_MESSAGE_HISTORY)
    found = [one for one in world.threads(parent) if one.thread and one.thread.archived and world.bot_sees(one)]
    public = [one for one in found if one.kind is ChannelKind.PUBLIC_THREAD]
    own = [one for one in public if one.thread and world.bot.id in one.thread.members]
    return answer(
        {
            "threads": [payloads.channel_json(world, one) for one in reversed(public)],
            "members": [payloads.thread_member_json(one, world.bot) for one in own],
            "has_more": False,
        }
    )


MEMBERS = "/channels/{channel_id}/thread-members"
ROUTES: tuple[Route, ...] = (
    ("POST", "/channels/{channel_id}/messages/{message_id}/threads", start_from_message),
    ("POST", "/channels/{channel_id}/threads", start),
    ("GET", "/channels/{channel_id}/threads/archived/public", archived),
    ("GET", MEMBERS, members),
    ("PUT", f"{MEMBERS}/@me", join),
    ("DELETE", f"{MEMBERS}/@me", leave),
    ("GET", f"{MEMBERS}/@me", member),
    ("GET", f"{MEMBERS}/{{user_id}}", member),
    ("PUT", f"{MEMBERS}/{{user_id}}", join),
    ("DELETE", f"{MEMBERS}/{{user_id}}", leave),
)
