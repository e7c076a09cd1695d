"""What a reaction tells the bot: 🔇 on a message keeps it quiet in that thread, for as long as the reaction stands there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bots.slack.ids import NAME, is_ts

if TYPE_CHECKING:
    from collections.abc import Mapping

MUTE = "mute"  # Slack's name for 🔇


@dataclass(frozen=True, slots=True)
class Reaction:
    """Somebody put it on a message, or took it off."""

    team: str
    channel: str
    ts: str  # the message's
    user: str
    is_muting: bool
    occasion: str  # the same whenever Slack tells of this again


def read_reaction(body: Mapping[str, Any], team: str, bot_user: str) -> Reaction | None:
    """Return None for one that tells the bot nothing.

    https://docs.slack.dev/reference/events/reaction_added
    """
    event = body["event"]
    item = event["item"]
    if event["reaction"] != MUTE or item["type"] != "message" or event["user"] == bot_user:
        return None
    channel, ts, user = item["channel"], item["ts"], event["user"]
    if not (is_ts(ts) and isinstance(channel, str) and isinstance(user, str)):
        raise TypeError
    is_muting = event["type"] == "reaction_added"
    return Reaction(team, channel, ts, user, is_muting, f"{NAME}/{body['event_id']}")
