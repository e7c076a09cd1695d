"""Who may change what is everybody's: guests not, and nobody of whom Slack doesn't tell."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bots.slack import people
from sandbox.replies import Reply
from sandbox.slack import Failure

if TYPE_CHECKING:
    from tests.bots.slack.conftest import House

LIMITED = Reply(429, '{"ok": false, "error": "ratelimited"}', "application/json", {"Retry-After": "30"})
SET = "preset set model model-b"


def person(house: House, **fields: Any) -> None:
    """Have Slack tell so of everybody."""
    user = {"id": "U1", "team_id": house.slack.team_id} | fields
    body = json.dumps({"ok": True, "user": user})
    house.slack.faults.odd("users.info", Reply(200, body, "application/json"), None)


async def commanded(house: House, who: str, text: str = SET) -> str:
    answered = await house.slack.command(who, "general", "/bobbin", text)
    return "".join(message.text for message in answered.messages)


async def in_words(house: House, who: str, text: str, thread_ts: str | None = None) -> str:
    before = len(house.woken)
    await house.slack.say(who, "general", f"@bobbin {text}", thread_ts)
    await house.until(lambda: len(house.woken) > before)
    taken = None
    while (found := await house.ledger.take(house.woken[-1])) is not None:
        taken = found
        turn = found.turn if found.turn.is_over else found.turn.start("m").finish("Because.")
        await house.ledger.conclude(turn, None, epoch=found.epoch)
        await house.ledger.settle(turn.settle())
    assert taken
    return taken.turn.answer


@pytest.mark.parametrize(
    "flags",
    [
        {"is_restricted": True},
        {"is_restricted": True, "is_ultra_restricted": True},
        {"is_stranger": True},
        {"team_id": "T0ANOTHER"},
        {"team_id": "T0ANOTHER", "enterprise_user": {"enterprise_id": "E0ANOTHER", "teams": ["T0ANOTHER"]}},
    ],
)
async def test_guests_change_no_preset(house: House, flags: dict[str, Any]) -> None:
    person(house, **flags)
    async with house.listening():
        assert "Guests can't change presets" in await commanded(house, "ben")


async def test_a_member_of_another_workspace_in_the_organisation_is_no_guest(house: House) -> None:
    here = house.slack.team_id
    person(house, team_id="T0ANOTHER", enterprise_user={"enterprise_id": "E1", "teams": ["T0ANOTHER", here]})
    async with house.listening():
        assert "model-b" in await commanded(house, "ben")


async def test_in_an_installation_for_an_organisation_its_people_are_no_guests(house: House) -> None:
    them = people.People(house.chat._api, "E0ORG")
    person(house, team_id="T1", enterprise_user={"enterprise_id": "E0ORG", "teams": ["T1"], "is_admin": True})
    assert await them.look_up("U1") == people.Person(is_member=True, is_admin=True)
    person(house, team_id="T2", enterprise_user={"enterprise_id": "E0OTHER", "teams": ["T2"], "is_owner": True})
    assert await them.look_up("U2") == people.Person(is_member=False, is_admin=False, is_external=True)


@pytest.mark.parametrize("trouble", ["a limit", "a failure", "a page", "nothing of where", "a missing scope"])
async def test_of_whom_slack_does_not_tell_nothing_is_changed(house: House, trouble: str) -> None:
    faults = house.slack.faults
    match trouble:
        case "a limit":
            faults.odd("users.info", LIMITED, None)
        case "a failure":
            faults.fail("users.info", Failure(status=500), 10)
        case "a page":
            faults.odd("users.info", Reply(), None)
        case "nothing of where":
            faults.odd("users.info", Reply(200, '{"ok": true, "user": {"id": "U1"}}', "application/json"), None)
        case _:
            faults.fail("users.info", Failure(error="missing_scope"), 10)
    async with house.listening():
        told = await commanded(house, "ben")
        assert "who is a guest" in told
        assert ("the person who runs me" in told) is (trouble == "a missing scope")
        said = await in_words(house, "ben", SET)
        assert "who is a guest" in said
        faults.clear()
        assert "model-b" in await commanded(house, "ben")


async def test_a_guest_stays_one_while_slack_does_not_tell_and_a_member_too(house: House) -> None:
    async with house.listening():
        person(house, is_restricted=True)
        assert "Guests" in await commanded(house, "ben")
        house.slack.faults.clear()
        assert "model-b" in await commanded(house, "ada")
        house.slack.faults.odd("users.info", LIMITED, None)
        assert "Guests" in await commanded(house, "ben")
        assert "model-c" in await commanded(house, "ada", "preset set model model-c")


async def test_slack_is_asked_of_a_person_once_in_a_while(house: House) -> None:
    now = [0.0]
    them = people.People(house.chat._api, house.slack.team_id, most=1, clock=lambda: now[0])
    ada, ben = (house.slack.user(name).id for name in ("ada", "ben"))
    for _ in range(3):
        await them.look_up(ada)
    assert house.calls("users.info") == 1
    now[0] += people.FRESH + 1
    await them.look_up(ada)
    assert house.calls("users.info") == 2
    await them.look_up(ben)
    await them.look_up(ada)
    assert house.calls("users.info") == 4


async def test_a_shared_thread_is_reset_by_who_began_it_or_manages(house: House) -> None:
    async with house.listening():
        house.slack.add_user("cem")
        root = await house.slack.say("ada", "general", "@bobbin why?")
        await house.until(lambda: house.woken)
        await in_words(house, "ben", "and then?", root.ts)
        assert "someone who manages this channel" in await in_words(house, "ben", "reset", root.ts)
        asked = house.calls("users.info")
        assert "I've forgotten" in await in_words(house, "ada", "reset", root.ts)
        assert house.calls("users.info") == asked, "the thread is hers, whatever else she is"
        await in_words(house, "ada", "why?", root.ts)
        person(house, is_admin=True)
        assert "Trying again" in await in_words(house, "cem", "retry", root.ts)
