"""The first response to an interaction.

https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-callback
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from aiohttp import web

from sandbox.discord import acts, asking, forms, payloads
from sandbox.discord.components import check_modal
from sandbox.discord.mentions import USERS_ONLY, allowed_from
from sandbox.discord.model import Draft, File, Flag, Interaction, InteractionKind, Message, MessageKind
from sandbox.discord.permissions import Permission
from sandbox.discord.refusals import Problems, form_error
from sandbox.discord.rest.door import WORLD, Route, answer, form_of, nothing, snowflake
from sandbox.discord.rest.messages import edited
from sandbox.discord.world import World

Json = dict[str, Any]
MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9
CALLBACK = "/interactions/{interaction_id}/{token}/callback"
OPEN_TO_ALL = (f"POST {CALLBACK}",)
SETTABLE = forms.SETTABLE | int(Flag.EPHEMERAL)
Response = Callable[[World, Interaction, Json, list[File]], Message | None]


async def respond(request: web.Request) -> web.Response:
    world = request.app[WORLD]
    body, files = await form_of(request)  # first, so that nobody else answers between the check and the answer
    interaction = asking.to_acknowledge(world, snowflake(request, "interaction_id"), request.match_info["token"])
    kind = body.get("type")
    response = RESPONSES.get(kind) if isinstance(kind, int) else None
    if response is None or not _fits(interaction, kind):
        raise form_error("type", "BASE_TYPE_CHOICES", "This interaction cannot be answered with that type.")
    message = response(world, interaction, body.get("data") or {}, files)
    interaction.acknowledged = True
    world.changes.tell("interaction", interaction)
    if request.query.get("with_response", "").lower() not in ("1", "true"):
        return nothing()
    return answer(_told(world, interaction, int(kind or 0), message))


def _fits(interaction: Interaction, kind: object) -> bool:
    if interaction.kind is InteractionKind.AUTOCOMPLETE or kind == CHOICES:
        return interaction.kind is InteractionKind.AUTOCOMPLETE and kind == CHOICES
    if kind in (DEFERRED_UPDATE, UPDATE):
        return interaction.source is not None
    return not (kind == MODAL and interaction.kind is InteractionKind.MODAL_SUBMIT)


def _say(world: World, interaction: Interaction, data: Json, files: list[File]) -> Message:
    draft = hidden(world, interaction, forms.checked_draft(data, files, settable=SETTABLE, path="data"))
    interaction.ephemeral = bool(draft.flags & Flag.EPHEMERAL)
    interaction.response = reply(world, interaction, draft, data)
    return interaction.response


def _think(world: World, interaction: Interaction, data: Json, _: list[File]) -> Message:
    """The message stands there already, showing that the bot thinks."""
    ephemeral = int(data.get("flags") or 0) & Flag.EPHEMERAL
    draft = hidden(world, interaction, Draft(flags=int(ephemeral | Flag.LOADING)))
    interaction.ephemeral = bool(draft.flags & Flag.EPHEMERAL)
    interaction.response = reply(world, interaction, draft, data)
    return interaction.response


def hidden(world: World, interaction: Interaction, draft: Draft) -> Draft:
    """Where people may not use external apps, only they see what one answers.

    https://discord.com/developers/docs/resources/application#installation-context
    """
    allowed = world.permissions(interaction.user, interaction.channel) & Permission.USE_EXTERNAL_APPS
    if allowed or interaction.channel.is_dm or not interaction.channel.is_foreign:
        return draft
    return replace(draft, flags=draft.flags | Flag.EPHEMERAL)


def reply(world: World, interaction: Interaction, draft: Draft, data: Json) -> Message:
    kinds = {
        1: MessageKind.CHAT_INPUT_COMMAND,
        2: MessageKind.CONTEXT_MENU_COMMAND,
        3: MessageKind.CONTEXT_MENU_COMMAND,
    }
    kind = MessageKind.DEFAULT
    if interaction.kind is InteractionKind.COMMAND and interaction.response is None:
        kind = kinds[interaction.data["type"]]
    answered = interaction.source if interaction.kind is InteractionKind.COMPONENT else interaction.response
    draft = replace(draft, kind=kind, reply_to=answered)
    allowed = replace(allowed_from(data, USERS_ONLY), replied_user=False)
    return acts.post(world, interaction.channel, world.bot, draft, allowed=allowed, interaction=interaction)


def _keep(_: World, __: Interaction, ___: Json, ____: list[File]) -> Message | None:
    return None


def _update(world: World, interaction: Interaction, data: Json, files: list[File]) -> Message | None:
    if interaction.source is None:
        return None
    interaction.response = edited(world, interaction.source, data, files, default=USERS_ONLY)
    return interaction.response


def _suggest(_: World, interaction: Interaction, data: Json, __: list[File]) -> Message | None:
    problems = Problems()
    choices = data.get("choices")
    if problems.count("data.choices", choices, 0, 25) and isinstance(choices, list):
        for index, choice in enumerate(choices):
            problems.length(f"data.choices.{index}.name", choice.get("name"), 1, 100)
    problems.refuse_any()
    interaction.choices = choices
    return None


def _open_modal(world: World, interaction: Interaction, data: Json, __: list[File]) -> Message | None:
    problems = Problems()
    check_modal(problems, data)
    problems.refuse_any()
    interaction.modal = data
    world.forms[interaction.id] = interaction
    return None


def _told(world: World, interaction: Interaction, kind: int, message: Message | None) -> Json:
    about: Json = {"id": str(interaction.id), "type": int(interaction.kind)}
    resource: Json = {"type": kind}
    answered = interaction.response or (interaction.source if kind == DEFERRED_UPDATE else None)
    if answered is not None:
        about |= {
            "response_message_id": str(answered.id),
            "response_message_loading": answered.is_thinking,
            "response_message_ephemeral": answered.is_ephemeral,
        }
    if message is not None:
        resource["message"] = payloads.message_json(world, message)
    return {"interaction": about, "resource": resource}


RESPONSES: dict[int, Response] = {
    MESSAGE: _say,
    DEFERRED: _think,
    DEFERRED_UPDATE: _keep,
    UPDATE: _update,
    CHOICES: _suggest,
    MODAL: _open_modal,
}
ROUTES: tuple[Route, ...] = (("POST", CALLBACK, respond),)
