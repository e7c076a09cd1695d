"""The life of an interaction: made, acknowledged in time or not, answered, out of date.

https://discord.com/developers/docs/interactions/receiving-and-responding
"""

import secrets
import time
from typing import Any

from sandbox.discord import payloads
from sandbox.discord.model import Channel, Interaction, InteractionKind, Message, User
from sandbox.discord.refusals import Refusal
from sandbox.discord.world import Event, World

Json = dict[str, Any]


def begin(
    world: World,
    kind: InteractionKind,
    user: User,
    channel: Channel,
    data: Json,
    *,
    name: str,
    source: Message | None = None,
) -> Interaction:
    interaction = Interaction(
        id=world.snowflakes.next(),
        token=f"local-interaction-{secrets.token_urlsafe(24)}",
        kind=kind,
        user=user,
        channel=channel,
        data=data,
        name=name,
        made=time.monotonic(),
        source=source,
    )
    world.interactions[interaction.id] = interaction

    def tell() -> None:
        in_guild = not (channel.is_dm or channel.is_foreign)
        world.tell_gateway(
            Event("INTERACTION_CREATE", payloads.interaction_json(world, interaction), in_guild=in_guild)
        )

    def give_up() -> None:
        if not interaction.acknowledged:
            interaction.failed = True
            world.changes.tell("interaction", interaction)

    world.later(world.faults.interaction_deadline, give_up)
    if world.faults.interaction_delay:
        world.later(world.faults.interaction_delay, tell)
    else:
        tell()
    world.changes.tell("interaction", interaction)
    return interaction


def to_acknowledge(world: World, interaction_id: int, token: str) -> Interaction:
    """The interaction, if it still waits for its first response."""
    interaction = world.interactions.get(interaction_id)
    if interaction is None or interaction.token != token or interaction.failed or interaction.expired:
        raise Refusal(10062)
    if interaction.acknowledged:
        raise Refusal(40060)
    return interaction


def by_token(world: World, application_id: int, token: str) -> Interaction:
    """The acknowledged interaction whose token still opens its messages."""
    for interaction in world.interactions.values():
        if interaction.token == token and application_id == world.application_id:
            if interaction.expired or time.monotonic() - interaction.made > world.faults.token_lifetime:
                raise Refusal(50027)
            if not interaction.acknowledged:
                raise Refusal(10015)
            return interaction
    raise Refusal(10015)
