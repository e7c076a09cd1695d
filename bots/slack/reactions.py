"""Reads reactions: 🔇 on a message keeps the bot quiet in that thread, for as long as the reaction stands there.

❌ stops an answer; and ⏳, which the bot puts on a question that waits, has it answered instead of what comes before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bots.reply.page import Wish
from bots.slack.ids import NAME, is_ts
from bots.slack.indicator import WAITS

if TYPE_CHECKING:
    from collections.abc import Mapping

MUTE = "mute"  # Slack's name for 🔇
_WISHES = {"x": Wish.STOP, WAITS: Wish.INSTEAD}  # of ❌, and of ⏳


@dataclass(frozen=True, slots=True)
class Reaction:
    """Somebody put it on a message, or took it off."""

    team: str
    channel: str
    ts: str  # the message's
    user: str
    is_muting: bool
    wish: Wish | None  # if it is no matter of listening
    occasion: str  # the same whenever Slack tells of this again


def read_reaction(body: Mapping[str, Any], team: str, bot_user: str) -> Reaction | None:
    """Return None for one that tells the bot nothing.

    https://docs.slack.dev/reference/events/reaction_added
    """
    event = body["event"]
    is_on = event["type"] == "reaction_added"
    wish = _WISHES.get(event["reaction"]) if is_on else None
    item = event["item"]
    if (wish is None and event["reaction"] != MUTE) or item["type"] != "message" or event["user"] == bot_user:
        return None
    channel, ts, user = item["channel"], item["ts"], event["user"]
    if not (is_ts(ts) and isinstance(channel, str) and isinstance(user, str)):
        raise TypeError
    return Reaction(team, channel, ts, user, is_on, wish, f"{NAME}/{body['event_id']}")
