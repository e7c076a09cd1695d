"""What Slack marks, what its reactions tell the bot, and that it says when it is sent mentions only."""

from __future__ import annotations

from typing import Any

import pytest

from bots.finding import Verdict
from bots.listening.events import Overheard
from bots.listening.quiet import Signs
from bots.slack.ears import ALONE, Ears
from bots.slack.events import read_message
from bots.slack.reactions import read_reaction

BOT = "U0BOT"


@pytest.mark.parametrize(
    ("text", "signs"),
    [
        ("hello", Signs()),
        ("<@U0BEN> look", Signs(begins_with_other=True, names_other=True)),
        ("  <@U0BEN|ben> look", Signs(begins_with_other=True, names_other=True)),
        ("look, <@U0BEN>", Signs(names_other=True)),
        ("`<@U0BEN>` is an id", Signs()),
        ("<!here> who knows?", Signs(calls_all=True)),
        ("<!channel|@channel> who knows?", Signs(calls_all=True)),
        ("<!subteam^S012|@ops> who knows?", Signs(calls_all=True)),
        ("by <!date^1392734382^{date}|Monday>", Signs()),
    ],
)
def test_who_is_called_is_marked(text: str, signs: Signs) -> None:
    message = {"user": "U0ADA", "text": text, "ts": "1700000000.000100", "thread_ts": "1700000000.000050"}
    heard = read_message(message, "T0", "C0", BOT)
    assert isinstance(heard, Overheard)
    assert heard.signs == signs


def test_what_begins_a_thread_is_known() -> None:
    heard = read_message({"user": "U0ADA", "text": "hello", "ts": "1700000000.000100"}, "T0", "C0", BOT)
    assert isinstance(heard, Overheard)
    assert heard.signs == Signs(is_first=True)


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


def test_mentions_without_any_other_message_are_noticed_until_there_is_one() -> None:
    ears = Ears()
    for _ in range(ALONE):
        assert not [*ears.findings()]
        ears.heard({"type": "app_mention"})
    (finding,) = ears.findings()
    assert finding.verdict is Verdict.WRONG
    assert "message.channels" in finding.sentence
    ears.heard({"type": "message", "channel_type": "im"})
    assert [*ears.findings()]
    ears.heard({"type": "message", "channel_type": "channel"})
    assert not [*ears.findings()]
