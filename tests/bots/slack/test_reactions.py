"""What reactions in Slack tell the bot."""

from __future__ import annotations

from typing import Any

import pytest

from bots.slack.reactions import read_reaction

BOT = "U0BOT"


def reaction(**changes: Any) -> dict[str, Any]:
    """https://docs.slack.dev/reference/events/reaction_added"""
    item = {"type": "message", "channel": "C0", "ts": "1700000000.000100"}
    event = {
        "type": "reaction_added",
        "user": "U0ADA",
        "reaction": "mute",
        "item": item,
        "event_ts": "1700000001.000000",
    }
    return {"event": {**event, **changes}, "event_id": "Ev1"}


def test_a_reaction_mutes_and_taken_back_it_unmutes() -> None:
    added, removed = (read_reaction(reaction(type=f"reaction_{how}"), "T0", BOT) for how in ("added", "removed"))
    assert added
    assert removed
    assert (added.is_muting, removed.is_muting) == (True, False)
    assert (added.team, added.channel, added.user) == ("T0", "C0", "U0ADA")


@pytest.mark.parametrize("changes", [{"reaction": "eyes"}, {"user": BOT}, {"item": {"type": "file", "file": "F1"}}])
def test_other_reactions_tell_it_nothing(changes: dict[str, Any]) -> None:
    assert read_reaction(reaction(**changes), "T0", BOT) is None
