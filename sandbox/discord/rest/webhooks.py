"""The routes that an interaction's token opens for 15 minutes: its response and its follow-ups.

https://discord.com/developers/docs/interactions/receiving-and-responding#followup-messages
"""

from aiohttp import web

from sandbox.discord import acts, asking, forms, payloads
from sandbox.discord.mentions import USERS_ONLY, allowed_from
from sandbox.discord.model import Interaction, Message
from sandbox.discord.refusals import Refusal
from sandbox.discord.rest.door import WORLD, Route, answer, form_of, nothing, snowflake
from sandbox.discord.rest.interactions import SETTABLE, hidden, reply
from sandbox.discord.rest.messages import edited

MOST_ELSEWHERE = 5  # follow-ups where the bot is not
WEBHOOK = "/webhooks/{application_id}/{token}"
ORIGINAL = f"{WEBHOOK}/messages/@original"
ONE = f"{WEBHOOK}/messages/{{message_id}}"
OPEN_TO_ALL = tuple(
    f"{method} {path}"
    for method, path in (
        ("POST", WEBHOOK),
        *((method, path) for path in (ORIGINAL, ONE) for method in ("GET", "PATCH", "DELETE")),
    )
)


def _interaction_of(request: web.Request) -> Interaction:
    world = request.app[WORLD]
    return asking.by_token(world, snowflake(request, "application_id"), request.match_info["token"])


def _message_of(request: web.Request, interaction: Interaction) -> Message:
    if "message_id" not in request.match_info:
        found = interaction.response or interaction.source  # the source, where its update was only deferred
    else:
        wanted = snowflake(request, "message_id")
        found = next((one for one in interaction.messages if one.id == wanted), None)
    if found is None or found.deleted:
        raise Refusal(10008)
    return found


async def read(request: web.Request) -> web.Response:
    interaction = _interaction_of(request)
    return answer(payloads.message_json(request.app[WORLD], _message_of(request, interaction)))


async def follow_up(request: web.Request) -> web.Response:
    """Right after "thinking…" a follow-up takes its place, as documented."""
    world, interaction = request.app[WORLD], _interaction_of(request)
    body, files = await form_of(request)
    draft = forms.checked_draft(body, files, settable=SETTABLE)
    if interaction.thinking and interaction.response:
        message = acts.settle(world, interaction.response, draft, allowed_from(body, USERS_ONLY))
    else:
        if interaction.channel.is_foreign and len(interaction.followups) >= MOST_ELSEWHERE:
            raise Refusal(40094)
        draft = hidden(world, interaction, draft)
        message = reply(world, interaction, draft, body)
        interaction.followups.append(message)
    world.changes.tell("interaction", interaction)
    return answer(payloads.message_json(world, message))


async def edit(request: web.Request) -> web.Response:
    world, interaction = request.app[WORLD], _interaction_of(request)
    message = _message_of(request, interaction)
    body, files = await form_of(request)
    edited(world, message, body, files, default=USERS_ONLY)
    if interaction.response is None:
        interaction.response = message
    world.changes.tell("interaction", interaction)
    return answer(payloads.message_json(world, message))


async def delete(request: web.Request) -> web.Response:
    world, interaction = request.app[WORLD], _interaction_of(request)
    acts.delete(world, _message_of(request, interaction))
    world.changes.tell("interaction", interaction)
    return nothing()


ROUTES: tuple[Route, ...] = (
    ("POST", WEBHOOK, follow_up),
    ("GET", ORIGINAL, read),
    ("PATCH", ORIGINAL, edit),
    ("DELETE", ORIGINAL, delete),
    ("GET", ONE, read),
    ("PATCH", ONE, edit),
    ("DELETE", ONE, delete),
)
