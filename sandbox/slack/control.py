"""A small HTTP surface for acting as a person from outside the process: docs/sandbox-slack.md lists it."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

from aiohttp import web

from sandbox import guard
from sandbox.slack.faults import Failure
from sandbox.slack.text import shown

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sandbox.slack.local import LocalSlack
    from sandbox.slack.nouns import JsonObject, Message

SWITCHES = ("redeliver", "mention_first", "lose_acks", "lose_events", "few_messages", "expect_acks")


def control_routes(slack: LocalSlack) -> list[web.RouteDef]:
    async def state(_: JsonObject) -> JsonObject:
        return {
            "api_url": slack.api_url,
            "bot_token": slack.bot_token,
            "app_token": slack.app_token,
            "signing_secret": slack.signing_secret,
            "team_id": slack.team_id,
            "bot_user_id": slack.bot_user_id,
            "users": {user.name: user.id for user in slack.users.values()},
            "channels": {channel.name or channel.id: channel.id for channel in slack.channels.values()},
        }

    async def say(body: JsonObject) -> JsonObject:
        message = await slack.say(
            body["user"],
            body["channel"],
            body["text"],
            body.get("thread_ts"),
            attachments=body.get("attachments") or (),
            blocks=body.get("blocks"),
        )
        return {"message": _message(message)}

    async def command(body: JsonObject) -> JsonObject:
        result = await slack.command(body["user"], body["channel"], body["command"], body.get("text", ""))
        return {
            "problem": result.problem,
            "messages": [_message(message) for message in result.messages],
            "views": [slack.views[view] for view in result.views],
        }

    async def messages(body: JsonObject) -> JsonObject:
        found = slack.messages(body["channel"], body.get("thread_ts"))
        return {"messages": [_message(message) for message in found]}

    async def faults(body: JsonObject) -> JsonObject:
        return _switch(slack, body)

    return [
        web.get("/_sandbox/state", _json(state)),
        web.post("/_sandbox/say", _json(say)),
        web.post("/_sandbox/command", _json(command)),
        web.get("/_sandbox/messages", _json(messages)),
        web.post("/_sandbox/faults", _json(faults)),
    ]


def _switch(slack: LocalSlack, body: JsonObject) -> JsonObject:
    """Set the faults that *body* names. Raises TypeError for values that make no sense."""
    for name in SWITCHES:
        if name in body:
            kind = type(getattr(slack.faults, name))
            if type(body[name]) is not kind:
                raise TypeError(f"{name} is no {kind.__name__}")
            setattr(slack.faults, name, body[name])
    for method, failure in body.get("failures", {}).items():
        times = failure.pop("times", 1)
        slack.faults.fail(method, Failure(**failure), times)
    if body.get("drop_sockets"):
        slack.drop_sockets()
    return {"faults": dataclasses.asdict(slack.faults)}


def _json(act: Callable[[JsonObject], Awaitable[JsonObject]]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def serve(request: web.Request) -> web.Response:
        try:
            guard.check(request)
            body = dict(request.query) | (json.loads(await request.text() or "{}"))
            return web.json_response({"ok": True} | await act(body))
        except guard.NotLetIn as refusal:
            return web.json_response({"ok": False, "error": str(refusal)}, status=refusal.status)
        except KeyError as missing:
            return web.json_response({"ok": False, "error": f"There is no {missing}."}, status=400)
        except (TypeError, ValueError, AttributeError) as problem:
            return web.json_response({"ok": False, "error": f"That can't be read: {problem}"}, status=400)

    return serve


def _message(message: Message) -> JsonObject:
    return {
        "channel": message.channel,
        "ts": message.ts,
        "thread_ts": message.thread_ts,
        "user": message.user,
        "is_bot": bool(message.bot_id),
        "text": message.text,
        "blocks": list(message.blocks),
        "shown": shown(message),
        "ephemeral_to": message.ephemeral_to,
        "reactions": {reaction.name: list(reaction.users) for reaction in message.reactions},
    }
