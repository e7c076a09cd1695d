"""Who asks in Slack: what events tell of them, what has to be looked up, and which bots are heard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bots.listening.events import Edited, Ignored, Overheard, Said
from bots.slack.askers import as_said, at_home, with_bots
from bots.slack.events import read_event
from core.access import Rules
from core.admission import Admission
from core.errors import Unwelcome
from core.thread import ThreadId
from sandbox.slack.faults import Failure
from tests.bots.slack.conftest import House

Payload = Callable[[str], dict[str, Any]]
HERE, ELSEWHERE = "T0WORKSPACE", "T0ELSEWHERE"


@pytest.mark.parametrize(
    ("told", "of_event", "is_certain"),
    [
        ({}, {}, True),
        ({}, {"team": ELSEWHERE}, True),  # a workspace of the same organisation
        ({"is_ext_shared_channel": True}, {}, True),
        ({"is_ext_shared_channel": True}, {"team": ELSEWHERE}, False),
        ({"is_ext_shared_channel": True}, {"user_team": ELSEWHERE}, False),
        ({"is_ext_shared_channel": True}, {"user_team": "E0ORG"}, False),
        ({"is_ext_shared_channel": True}, {"user_team": HERE}, True),
        ({"is_ext_shared_channel": None}, {"team": ELSEWHERE}, False),
        ({}, {"channel_type": "im", "team": ELSEWHERE}, False),
        ({}, {"channel_type": "im"}, True),
        ({}, {"user": None}, False),
        ({}, {"user": 7}, False),
    ],
)
def test_what_an_event_tells_of_where_its_author_is_at_home(
    payload: Payload, told: dict[str, Any], of_event: dict[str, Any], is_certain: object
) -> None:
    body = payload("message_channels") | told
    body["event"] |= {"team": HERE} | of_event
    assert at_home(body, HERE) == (body["event"]["user"] if is_certain else "")


def test_an_edit_tells_of_its_author_too(payload: Payload) -> None:
    body = payload("message_changed")
    assert at_home(body, HERE) == body["event"]["message"]["user"]
    body["event"]["message"] = None
    assert not at_home(body, HERE)


@pytest.mark.parametrize(
    "from_a_bot",
    [
        {"subtype": "bot_message", "bot_id": "B0LAMP", "username": "lamp", "user": None},
        {"bot_id": "B0OTHER", "app_id": "A0LAMP", "user": "U0LAMP"},
        {"bot_id": "B0OTHER", "bot_profile": {"id": "B0OTHER", "app_id": "A0LAMP"}, "user": "U0LAMP"},
        {"bot_id": "B0OTHER", "user": "U0ROBOT"},
    ],
)
def test_a_listed_bot_asks_as_people_do(payload: Payload, from_a_bot: dict[str, Any]) -> None:
    listed, own = {"B0LAMP", "A0LAMP", "U0ROBOT"}, {"U0BOT", "B0BOT"}
    body = payload("app_mention")
    body["event"] |= from_a_bot
    del body["event"]["blocks"]  # not all have any
    assert isinstance(read_event(body, "U0BOT"), Overheard)
    said = read_event(with_bots(body, listed, own), "U0BOT")
    assert isinstance(said, Said)
    assert said.question.asker in {"bot:B0LAMP", "bot:A0LAMP", "bot:U0ROBOT"}
    assert isinstance(read_event(with_bots(body, {"B0ELSE"}, own), "U0BOT"), Overheard)
    assert body["event"]["bot_id"] == from_a_bot["bot_id"], "what came is left as it is"


@pytest.mark.parametrize("own", [{"user": "U0BOT"}, {"user": "U0X", "bot_id": "B0BOT"}])
def test_the_bot_itself_is_never_heard(payload: Payload, own: dict[str, Any]) -> None:
    body = payload("app_mention")
    body["event"] |= {"bot_id": "B0BOT", "app_id": "A0APP"} | own
    everything = {"U0BOT", "B0BOT", "A0APP", "U0X"}
    heard = read_event(with_bots(body, everything, {"U0BOT", "B0BOT"}), "U0BOT")
    assert isinstance(heard, Ignored) or (isinstance(heard, Overheard) and heard.is_bots)


def test_a_persons_id_in_the_list_makes_no_bot_of_them(payload: Payload) -> None:
    body = payload("app_mention")
    assert with_bots(body, {body["event"]["user"]}, set())["event"] == body["event"]


@pytest.mark.parametrize("message", [None, 7, [], {}, {"bot_id": 7, "user": [], "bot_profile": "lamp"}])
def test_what_is_malformed_stays_as_it_is(message: Any) -> None:
    assert as_said(message, {"B0LAMP"}, {"B0BOT"}) == message


def test_a_listed_bots_edit_is_one(payload: Payload) -> None:
    body = payload("message_changed")
    for name in ("message", "previous_message"):
        body["event"][name] |= {"bot_id": "B0LAMP", "subtype": "bot_message", "text": f"<@U0BOT> {name}"}
        del body["event"][name]["user"]
        body["event"][name].pop("blocks", None)
    edited = read_event(with_bots(body, {"B0LAMP"}, {"B0BOT"}), "U0BOT")
    assert isinstance(edited, Edited)
    assert edited.question.asker == "bot:B0LAMP"


async def test_whom_slack_does_not_tell_of_is_not_let_in_and_may_try_again(house: House) -> None:
    admission = Admission({"slack": Rules(guests=False)}, {"slack": house.chat}, house.ledger)
    async with house.listening():
        asked = await house.asked("@bobbin why?")
        before = house.calls("users.info")
        thread, ada = asked.question.thread, asked.question.asker
        house.slack.faults.fail("users.info", Failure(status=500), 10)
        for is_news in (True, False):
            with pytest.raises(Unwelcome, match="can't find out right now") as refusal:
                await admission.admit(ada, thread)
            assert refusal.value.is_news is is_news
        house.slack.faults.clear()
        await admission.admit(ada, thread)
        await admission.admit(ada, replace(thread, id=ThreadId(thread.channel)))
        assert house.calls("users.info") == before + 3, "then it is remembered"
