"""Messages and reactions.

https://discord.com/developers/docs/resources/message
"""

import time
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlsplit

from aiohttp import web

from sandbox.discord import acts, forms, payloads, threads
from sandbox.discord.components import numbered
from sandbox.discord.mentions import ALL, Allowed, allowed_from
from sandbox.discord.model import SYSTEM_MESSAGES, Channel, Draft, File, Flag, Message
from sandbox.discord.permissions import Permission, permissions_of
from sandbox.discord.refusals import Problems, Refusal, form_error
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
from sandbox.discord.world import World

Json = dict[str, Any]
MOST_URLS = 50  # that are refreshed at once
EDITABLE_FLAGS = int(Flag.SUPPRESS_EMBEDS)


def told(world: World, message: Message) -> Json:
    """The message as REST shows it to this application."""
    payload = payloads.message_json(world, message)
    if world.portal.message_content:
        return payload
    return payloads.without_content(world, message, payload) or payload


def _message_of(request: web.Request) -> Message:
    return request.app[WORLD].message(channel_of(request), snowflake(request, "message_id"))


async def history(request: web.Request) -> web.Response:
    """Newest first; around, before and after exclude each other."""
    world, channel = request.app[WORLD], channel_of(request)
    query = request.query
    limit = _limit(query.get("limit", "50"))
    if not permissions_of(world, world.bot, channel) & Permission.READ_MESSAGE_HISTORY:
        return answer([])  # documented: no messages, no error
    found = [one for one in sorted(channel.messages.values(), key=lambda one: one.id) if not one.is_ephemeral]
    if "after" in query:
        found = [one for one in found if one.id > as_snowflake(query["after"], "after")][:limit]
    elif "around" in query:
        middle = as_snowflake(query["around"], "around")
        near = sorted(found, key=lambda one: abs(one.id - middle))[:limit]
        found = sorted(near, key=lambda one: one.id)
    else:
        before = as_snowflake(query.get("before", 1 << 63), "before")
        found = [one for one in found if one.id < before][-limit:]
    return answer([told(world, one) for one in reversed(found)])


def _limit(text: str) -> int:
    limit = as_snowflake(text, "limit")
    if not 1 <= limit <= 100:
        raise form_error("limit", "NUMBER_TYPE_MAX", "int value should be between 1 and 100.")
    return limit


async def read(request: web.Request) -> web.Response:
    world, message = request.app[WORLD], _message_of(request)
    world.require(message.channel, Permission.READ_MESSAGE_HISTORY)
    return answer(told(world, message))


async def send(request: web.Request) -> web.Response:
    world, channel = request.app[WORLD], channel_of(request)
    body, files = await form_of(request)
    if channel.recipient_id and not world.users[channel.recipient_id].accepts_dms:
        raise Refusal(50007)
    threads.check_writable(world, channel, world.bot)
    draft = check_new(world, channel, body, files)
    known = _known_by_nonce(world, channel, body)
    if known:
        return answer(told(world, known))
    draft = replace(draft, reply_to=_replied(world, channel, body))
    message = acts.post(world, channel, world.bot, draft, allowed=allowed_from(body, ALL))
    if draft.nonce is not None:
        world.nonces[channel.id, world.bot.id, str(draft.nonce)] = (time.monotonic(), message)
    return answer(told(world, message))


def check_new(world: World, channel: Channel, body: Json, files: list[File]) -> Draft:
    draft = forms.checked_draft(body, files)
    if files:
        world.require(channel, Permission.ATTACH_FILES)
    if draft.embeds:
        world.require(channel, Permission.EMBED_LINKS)
    return draft


def _known_by_nonce(world: World, channel: Channel, body: Json) -> Message | None:
    if not body.get("enforce_nonce") or body.get("nonce") is None:
        return None
    at, message = world.nonces.get((channel.id, world.bot.id, str(body["nonce"])), (0.0, None))
    return message if message and time.monotonic() - at < world.faults.nonce_lifetime else None


def _replied(world: World, channel: Channel, body: Json) -> Message | None:
    """The message that this one answers. Forwards (type 1) are not offered here."""
    reference = body.get("message_reference")
    if not reference or reference.get("message_id") is None:
        return None
    if reference.get("type", 0) != 0:
        raise form_error("message_reference.type", "BASE_TYPE_CHOICES", "The local Discord knows replies (0) only.")
    if not permissions_of(world, world.bot, channel) & Permission.READ_MESSAGE_HISTORY:
        raise Refusal(160002)
    replied = channel.messages.get(as_snowflake(reference["message_id"], "message_reference.message_id"))
    if replied and not replied.is_ephemeral:
        if replied.kind in SYSTEM_MESSAGES:
            raise form_error(
                "message_reference", "REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE", "Cannot reply to a system message"
            )
        return replied
    if reference.get("fail_if_not_exists", True):
        raise form_error("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
    return None


async def edit(request: web.Request) -> web.Response:
    world, message = request.app[WORLD], _message_of(request)
    body, files = await form_of(request)
    if message.kind in SYSTEM_MESSAGES:
        raise Refusal(50021)
    if message.author is not world.bot:
        if set(body) - {"flags"}:
            raise Refusal(50005)
        world.require(message.channel, Permission.MANAGE_MESSAGES)
    threads.check_not_archived(message.channel)
    threads.check_not_locked(world, message.channel, world.bot)
    return answer(told(world, edited(world, message, body, files, default=ALL)))


def edited(world: World, message: Message, body: Json, files: list[File], *, default: Allowed) -> Message:
    """Apply a form of PATCH; what it leaves out stays."""
    wished = int(body["flags"] or 0) if "flags" in body else message.flags
    flags = (message.flags & ~EDITABLE_FLAGS & ~Flag.LOADING) | (wished & EDITABLE_FLAGS)
    flags |= wished & Flag.IS_COMPONENTS_V2
    v2 = bool(flags & Flag.IS_COMPONENTS_V2)
    forms.check_edit(body, files, v2=v2)
    if (
        v2
        and not message.flags & Flag.IS_COMPONENTS_V2
        and ((message.content and "content" not in body) or (message.embeds and "embeds" not in body))
    ):
        problems = Problems()
        problems.add("flags", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", "Reset content and embeds too")
        problems.refuse_any()
    changes: Json = {"flags": int(flags), "attachments": _kept(message, body)}
    changes["attachments"] = [*changes["attachments"], *acts.attach(world, message.channel, files)]
    if "content" in body:
        changes["content"] = (body["content"] or "").strip()
    if "embeds" in body:
        changes["embeds"] = [forms.as_rich(embed) for embed in body["embeds"] or []]
    if "components" in body:
        changes["components"] = numbered(body["components"] or [])
    after = {name: changes.get(name, getattr(message, name)) for name in ("content", "embeds", "components")}
    forms.refuse_empty(after["content"], after["embeds"], after["components"], changes["attachments"])
    return acts.edit(world, message, changes, allowed=allowed_from(body, default))


def _kept(message: Message, body: Json) -> list[Any]:
    """Since version 10 `attachments` lists all that stay; left out, all stay."""
    if body.get("attachments") is None:
        return list(message.attachments)
    ids = {str(one.get("id")) for one in body["attachments"]}
    return [one for one in message.attachments if str(one.id) in ids]


async def delete(request: web.Request) -> web.Response:
    world, message = request.app[WORLD], _message_of(request)
    if message.author is not world.bot:
        if message.channel.is_dm:
            raise Refusal(50003)
        world.require(message.channel, Permission.MANAGE_MESSAGES)
    threads.check_deletable(world, message.channel, world.bot)
    acts.delete(world, message)
    return nothing()


def _emoji(request: web.Request) -> str:
    """A plain emoji. The guild has none of its own, so every `name:id` is unknown."""
    emoji = unquote(request.match_info["emoji"])
    if not emoji or emoji.isascii():
        raise Refusal(10014)
    return emoji


async def react(request: web.Request) -> web.Response:
    world, message, emoji = request.app[WORLD], _message_of(request), _emoji(request)
    world.require(message.channel, Permission.READ_MESSAGE_HISTORY)
    if emoji not in message.reactions:
        world.require(message.channel, Permission.ADD_REACTIONS)
    threads.check_not_archived(message.channel)
    acts.react(world, message, world.bot, emoji)
    return nothing()


async def unreact(request: web.Request) -> web.Response:
    world, message = request.app[WORLD], _message_of(request)
    threads.check_not_archived(message.channel)
    acts.unreact(world, message, world.bot, _emoji(request))
    return nothing()


async def reacted(request: web.Request) -> web.Response:
    world, message = request.app[WORLD], _message_of(request)
    users = message.reactions.get(_emoji(request), [])
    return answer([payloads.user_json(world.users[one]) for one in users])


async def refresh_urls(request: web.Request) -> web.Response:
    """New links to the files of old ones, in their order; a link that is none of ours is left as it is.

    No page of Discord's describes it; https://github.com/discordjs/discord-api-types does, and libraries use it.
    """
    world, body = request.app[WORLD], await body_of(request)
    urls = body.get("attachment_urls")
    if not isinstance(urls, list) or not 1 <= len(urls) <= MOST_URLS or not all(isinstance(url, str) for url in urls):
        raise form_error("attachment_urls", "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {MOST_URLS} in length.")
    refreshed = []
    for url in urls:
        _, _, number = urlsplit(url).path.rpartition("/")[0].rpartition("/")
        file = world.uploads.get(int(number)) if number.isdecimal() else None
        refreshed.append({"original": url, "refreshed": payloads.attachment_url(world, file) if file else url})
    return answer({"refreshed_urls": refreshed})


ONE = "/channels/{channel_id}/messages/{message_id}"
ROUTES: tuple[Route, ...] = (
    ("POST", "/attachments/refresh-urls", refresh_urls),
    ("GET", "/channels/{channel_id}/messages", history),
    ("POST", "/channels/{channel_id}/messages", send),
    ("GET", ONE, read),
    ("PATCH", ONE, edit),
    ("DELETE", ONE, delete),
    ("GET", f"{ONE}/reactions/{{emoji}}", reacted),
    ("PUT", f"{ONE}/reactions/{{emoji}}/@me", react),
    ("DELETE", f"{ONE}/reactions/{{emoji}}/@me", unreact),
)
