"""Channels: read, changed, typed in.

https://discord.com/developers/docs/resources/channel
"""

from typing import Any

from aiohttp import web

from sandbox.discord import acts, payloads, threads
from sandbox.discord.intents import Intent
from sandbox.discord.model import Channel, Draft, MessageKind
from sandbox.discord.permissions import Permission, permissions_of
from sandbox.discord.refusals import Problems, Refusal
from sandbox.discord.rest.door import LIMITS, WORLD, Route, answer, body_of, channel_of, nothing
from sandbox.discord.world import Event, World

Json = dict[str, Any]
THREAD_FIELDS = ("name", "archived", "locked", "auto_archive_duration", "applied_tags")
OF_ITS_OWNER = {"name", "archived", "auto_archive_duration", "applied_tags"}  # needs no MANAGE_THREADS


async def read(request: web.Request) -> web.Response:
    return answer(payloads.channel_json(request.app[WORLD], channel_of(request)))


async def change(request: web.Request) -> web.Response:
    world, channel = request.app[WORLD], channel_of(request)
    body = await body_of(request)
    if channel.is_dm:
        raise Refusal(50024)
    if channel.thread:
        _may_change_thread(world, channel, body)
    else:
        world.require(channel, Permission.MANAGE_CHANNELS)
    _check(body)
    if "name" in body and body["name"] != channel.name:
        request.app[LIMITS].spend_rename(channel.id)
    if channel.thread:
        _change_thread(world, channel, body)
    else:
        _change_channel(world, channel, body)
    return answer(payloads.channel_json(world, channel))


def _may_change_thread(world: World, thread: Channel, body: Json) -> None:
    state = thread.thread
    if state is None:
        return
    keeps_order = bool(permissions_of(world, world.bot, thread) & Permission.MANAGE_THREADS)
    asked = {key for key in THREAD_FIELDS if key in body}
    if asked == {"archived"} and body["archived"] is False and not state.locked:
        world.require(thread, Permission.SEND_MESSAGES)  # and nothing else, as documented
        return
    if not keeps_order and (state.owner_id != world.bot.id or asked - OF_ITS_OWNER or state.locked):
        raise Refusal(50013)
    if state.archived and body.get("archived") is not False:
        raise Refusal(50083)


def _check(body: Json) -> None:
    problems = Problems()
    if "name" in body:
        problems.length("name", body["name"], 1, 100)
    if body.get("topic") is not None:
        problems.length("topic", body["topic"], 0, 1024)
    if body.get("auto_archive_duration") is not None:
        problems.one_of("auto_archive_duration", body["auto_archive_duration"], threads.ARCHIVE_MINUTES)
    problems.refuse_any()


def _change_thread(world: World, thread: Channel, body: Json) -> None:
    renamed = "name" in body and body["name"] != thread.name
    threads.change_thread(world, thread, {key: body[key] for key in THREAD_FIELDS if key in body})
    if renamed and thread.thread and not thread.thread.archived:
        note = Draft(content=thread.name, kind=MessageKind.CHANNEL_NAME_CHANGE)
        acts.post(world, thread, world.bot, note)


def _change_channel(world: World, channel: Channel, body: Json) -> None:
    channel.name = body.get("name", channel.name)
    channel.topic = body.get("topic", channel.topic)
    world.tell_gateway(Event("CHANNEL_UPDATE", payloads.channel_json(world, channel), Intent.GUILDS))
    world.changes.tell("channel", channel)


async def type_in(request: web.Request) -> web.Response:
    world, channel = request.app[WORLD], channel_of(request)
    threads.check_writable(world, channel, world.bot)
    acts.start_typing(world, channel, world.bot)
    return nothing()


ROUTES: tuple[Route, ...] = (
    ("GET", "/channels/{channel_id}", read),
    ("PATCH", "/channels/{channel_id}", change),
    ("POST", "/channels/{channel_id}/typing", type_in),
)
