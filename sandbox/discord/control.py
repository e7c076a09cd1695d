"""A small HTTP surface, `/_sandbox/…`, by which somebody outside the process acts as a person. JSON in and out."""

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox import guard
from sandbox.discord.model import Channel, Interaction, Message
from sandbox.discord.refusals import Refusal
from sandbox.discord.sight import shown

if TYPE_CHECKING:
    from sandbox.discord import LocalDiscord

Json = dict[str, Any]
Act = Callable[["LocalDiscord", Json], Awaitable[object]]


def control_routes(local: "LocalDiscord") -> Iterable[web.RouteDef]:
    """GET takes its fields from the query, POST from a JSON body."""

    def on(act: Act) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            try:
                guard.check(request)
                return _json(await act(local, await _fields(request)))
            except guard.NotLetIn as refusal:
                return _json({"error": str(refusal)}, refusal.status)
            except (KeyError, TypeError, ValueError, Refusal) as error:
                return _json({"error": f"Missing: {error}" if isinstance(error, KeyError) else str(error)}, 400)

        return answer

    return [
        web.get("/_sandbox", on(_overview)),
        web.get("/_sandbox/messages", on(_messages)),
        web.get("/_sandbox/threads", on(_threads)),
        web.get("/_sandbox/interaction", on(_interaction)),
        web.post("/_sandbox/say", on(_say)),
        web.post("/_sandbox/slash", on(_slash)),
        web.post("/_sandbox/click", on(_click)),
        web.post("/_sandbox/faults", on(_faults)),
    ]


async def _fields(request: web.Request) -> Json:
    if request.method == "GET":
        return dict(request.query)
    fields = json.loads(await request.read())
    if not isinstance(fields, dict):
        raise TypeError("Send a JSON object.")
    return fields


def _json(body: object, status: int = 200) -> web.Response:
    return web.json_response(body, status=status)


async def _overview(local: "LocalDiscord", _: Json) -> object:
    channels = [one for one in local.world.channels.values() if not one.thread]
    return {
        "bot": {"id": str(local.bot_user_id), "connected": local.gateway.is_connected},
        "users": [user.name for user in local.world.users.values()],
        "channels": [_channel(channel) for channel in channels],
        "commands": [
            command["name"] for place in (None, local.guild_id) for command in local.world.commands.all(place)
        ],
    }


async def _messages(local: "LocalDiscord", fields: Json) -> object:
    return [_message(message) for message in local.messages(_place(local, fields))]


async def _threads(local: "LocalDiscord", fields: Json) -> object:
    return [_channel(thread) for thread in local.threads(fields.get("channel"))]


async def _interaction(local: "LocalDiscord", fields: Json) -> object:
    return _asked(local.world.interactions[int(fields["id"])])


async def _say(local: "LocalDiscord", fields: Json) -> object:
    channel = _place(local, fields)
    reply_to = channel.messages[int(fields["reply_to"])] if fields.get("reply_to") else None
    if "forward" in fields:
        return _message(await local.say(fields["user"], channel, forward=_anywhere(local, int(fields["forward"]))))
    return _message(await local.say(fields["user"], channel, fields["content"], reply_to=reply_to))


def _anywhere(local: "LocalDiscord", message_id: int) -> Message:
    everywhere = (channel.messages.get(message_id) for channel in local.world.channels.values())
    if found := next(filter(None, everywhere), None):
        return found
    raise ValueError(f"There is no message {message_id}.")


async def _slash(local: "LocalDiscord", fields: Json) -> object:
    options = fields.get("options") or {}
    return _asked(await local.slash(fields["user"], _place(local, fields), fields["command"], **options))


async def _click(local: "LocalDiscord", fields: Json) -> object:
    message = _place(local, fields).messages[int(fields["message"])]
    values = fields.get("values") or ()
    return _asked(await local.click(fields["user"], message, fields["custom_id"], values=values))


async def _faults(local: "LocalDiscord", fields: Json) -> object:
    """`route` and `status` for an outage, or one of the gateway's: drop, reconnect, invalidate; or latency; or clear."""
    gateway = {
        "drop": local.gateway.drop,
        "reconnect": local.gateway.ask_to_reconnect,
        "invalidate": local.gateway.invalidate,
    }
    if "gateway" in fields:
        gateway[fields["gateway"]]()
    elif "latency" in fields:
        local.latency = float(fields["latency"])
    elif fields.get("clear"):
        local.faults.clear()
    else:
        local.faults.next_calls(fields["route"], status=int(fields["status"]), times=int(fields.get("times", 1)))
    return {"outages": [outage.route for outage in local.faults.outages]}


def _place(local: "LocalDiscord", fields: Json) -> Channel:
    """A channel or thread by name or id; `@ada` is ada's conversation with the bot."""
    name = str(fields["channel"])
    return local.open_dm(name) if name.startswith("@") else local.channel(name)


def _channel(channel: Channel) -> Json:
    state = channel.thread
    return {
        "id": str(channel.id),
        "name": channel.name,
        "kind": channel.kind.name.lower(),
        "parent": str(channel.parent_id) if channel.parent_id else None,
        "archived": state.archived if state else False,
        "messages": len(channel.messages),
    }


def _message(message: Message) -> Json:
    return {
        "id": str(message.id),
        "author": message.author.name,
        "content": message.content,
        "shown": shown(message),
        "ephemeral": message.is_ephemeral,
        "thinking": message.is_thinking,
        "edited": message.edited is not None,
        "thread": str(message.thread.id) if message.thread else None,
    }


def _asked(interaction: Interaction) -> Json:
    return {
        "id": str(interaction.id),
        "answered": interaction.answered,
        "thinking": interaction.thinking,
        "error": interaction.error,
        "modal": interaction.modal,
        "messages": [_message(message) for message in interaction.messages],
    }
