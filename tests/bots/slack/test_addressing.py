"""Whom a message in Slack addresses."""

from __future__ import annotations

import pytest

from bots.listening.events import Overheard
from bots.listening.quiet import Addressing
from bots.slack.events import read_message

BOT = "U0BOT"


@pytest.mark.parametrize(
    ("text", "addressing"),
    [
        ("hello", Addressing()),
        ("<@U0BEN> look", Addressing(begins_with_other=True, names_other=True)),
        ("  <@U0BEN|ben> look", Addressing(begins_with_other=True, names_other=True)),
        ("look, <@U0BEN>", Addressing(names_other=True)),
        ("`<@U0BEN>` is an id", Addressing()),
        ("&gt; <@U0BEN> said so\nis that right?", Addressing()),
        ("&gt; so <@U0BEN>\n<@U0BEN> look", Addressing(begins_with_other=True, names_other=True)),
        ("<!here> who knows?", Addressing(calls_all=True)),
        ("<!channel|@channel> who knows?", Addressing(calls_all=True)),
        ("<!subteam^S012|@ops> who knows?", Addressing(calls_all=True)),
        ("by <!date^1392734382^{date}|Monday>", Addressing()),
    ],
)
def test_who_is_called_is_marked(text: str, addressing: Addressing) -> None:
    message = {"user": "U0ADA", "text": text, "ts": "1700000000.000100", "thread_ts": "1700000000.000050"}
    heard = read_message(message, "T0", "C0", BOT)
    assert isinstance(heard, Overheard)
    assert heard.addressing == addressing


def test_what_begins_a_thread_is_known() -> None:
    heard = read_message({"user": "U0ADA", "text": "hello", "ts": "1700000000.000100"}, "T0", "C0", BOT)
    assert isinstance(heard, Overheard)
    assert heard.addressing == Addressing(is_first=True)
