"""Names are looked up within Slack's budget, once for a while, side by side, and never waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import pytest

from bots.slack.api import Api
from bots.slack.naming import FRESH, PEOPLE_A_MINUTE, REST, REST_WITHOUT_LEAVE, UNKNOWN_FOR, Naming
from core.errors import ChatBusy, ChatError, ChatForbidden, ChatLimited, ThreadGone
from sandbox.replies import Reply
from tests.clock import Clock

if TYPE_CHECKING:
    from tests.bots.slack.conftest import House

MINUTE = 60.0


class Directory:
    """What Slack would tell, as its door does. Each call waits until it may be answered."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.trouble: ChatError | None = None
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.under_way = 0
        self.most_at_once = 0

    def language_of(self, user: str) -> str:
        return "de" if user in self.asked else ""

    async def names_of_person(self, user: str) -> Mapping[str, str]:
        return {user: f"name of {user}"} if await self._told(user) else {}

    async def names_of_channel(self, channel: str) -> Mapping[str, str]:
        return {channel: f"room-{channel}"} if await self._told(channel) else {}

    async def names_of_groups(self) -> Mapping[str, str]:
        await self._told("groups")
        return {"S1": "team-1", "S2": "team-2"}

    async def _told(self, what: str) -> bool:
        self.asked.append(what)
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        await self.may_answer.wait()
        self.under_way -= 1
        if self.trouble:
            raise self.trouble
        return True


@pytest.fixture
def slack() -> Directory:
    return Directory()


@pytest.fixture
def found(slack: Directory, clock: Clock) -> Naming:
    return Naming(cast("Api", slack), tells=True, clock=clock)


def said(*ids: str, user: str = "U0ADA") -> dict[str, Any]:
    return {"user": user, "text": " ".join(f"<{one}>" for one in ids)}


async def test_all_who_are_named_are_asked_for_side_by_side_and_once(found: Naming, slack: Directory) -> None:
    slack.may_answer.clear()
    message = said("@U1", "@U2", "#C1", "#C2|labelled", "!subteam^S1", "!subteam^S2")
    looking = asyncio.gather(*(found.of(message) for _ in range(5)))
    while slack.under_way < 5:
        await asyncio.sleep(0)
    slack.may_answer.set()
    for names in await looking:
        assert names.words == {
            "U0ADA": '"name of U0ADA"',
            "U1": '"name of U1"',
            "U2": '"name of U2"',
            "C1": "room-C1",
            "C2": "labelled",
            "S1": "team-1",
            "S2": "team-2",
        }
        assert names.people["U0ADA"] == "name of U0ADA"
    assert sorted(slack.asked) == ["C1", "U0ADA", "U1", "U2", "groups"]
    assert slack.most_at_once == 5


async def test_a_name_is_believed_for_a_while(found: Naming, slack: Directory, clock: Clock) -> None:
    (await found.people(["U1"])).get("U1", "")
    clock.now += FRESH - 1
    assert (await found.people(["U1"])).get("U1", "") == "name of U1"
    assert slack.asked == ["U1"]
    clock.now += 2
    slack.trouble = ChatBusy("away")
    assert (await found.people(["U1"])).get("U1", "") == "name of U1", "better an old one than none"
    assert slack.asked == ["U1", "U1"]


async def test_two_hundred_people_a_minute_stay_within_the_budget(
    found: Naming, slack: Directory, clock: Clock
) -> None:
    for number in range(200):
        clock.now += MINUTE / 200
        await found.of(said(user=f"U{number}"))
    assert len(slack.asked) <= 2 * PEOPLE_A_MINUTE
    for number in range(200):  # who was asked for already costs nothing
        await found.of(said(user=f"U{number % 10}"))
    assert len(slack.asked) <= 2 * PEOPLE_A_MINUTE + 1


async def test_a_hundred_mentions_ask_for_no_more_than_there_is(found: Naming, slack: Directory) -> None:
    names = await found.of(said(*(f"@U{number:03}" for number in range(100))))
    assert len(slack.asked) == PEOPLE_A_MINUTE
    assert "someone" in names.words.values()


@pytest.mark.parametrize(
    ("trouble", "rest"),
    [
        (ChatBusy("away"), REST),
        (ChatLimited("slowly", retry_after=50.0), 50.0),
        (ChatForbidden("no", code="missing_scope"), REST_WITHOUT_LEAVE),
    ],
    ids=["away", "limited", "forbidden"],
)
async def test_after_trouble_nothing_is_asked_for_a_while(
    found: Naming, slack: Directory, clock: Clock, trouble: ChatError, rest: float
) -> None:
    slack.trouble = trouble
    assert (await found.people(["U1"])).get("U1", "") == ""
    slack.trouble = None
    clock.now += rest - 3
    assert (await found.people(["U1"])).get("U1", "") == (await found.people(["U2"])).get("U2", "") == ""
    assert slack.asked == ["U1"]
    clock.now += 5
    assert (await found.people(["U1"])).get("U1", "") == "name of U1"


async def test_of_whom_slack_tells_nothing_it_is_not_asked_again_soon(
    found: Naming, slack: Directory, clock: Clock
) -> None:
    slack.trouble = ThreadGone("nobody", code="user_not_found")
    assert (await found.people(["U0GONE"])).get("U0GONE", "") == ""
    slack.trouble = None
    assert (await found.people(["U0GONE"])).get("U0GONE", "") == ""
    assert (await found.people(["U1"])).get("U1", "") == "name of U1", "others are asked for"
    clock.now += UNKNOWN_FOR + 1
    assert (await found.people(["U0GONE"])).get("U0GONE", "") == "name of U0GONE"


async def test_who_is_not_known_in_time_has_no_name_and_later_one(slack: Directory, clock: Clock) -> None:
    found = Naming(cast("Api", slack), tells=True, clock=clock, within=0.01)
    slack.may_answer.clear()
    assert (await found.of(said("@U1"))).words == {"U0ADA": "someone", "U1": "someone"}
    assert slack.under_way


async def test_switched_off_nobody_is_asked_for(slack: Directory, clock: Clock) -> None:
    found = Naming(cast("Api", slack), tells=False, clock=clock)
    names = await found.of(said("@U1|label", "#C1"))
    assert names.words == {"U0ADA": "someone", "U1": "someone", "C1": "room-C1"}
    assert names.author("U1", "written") == ""
    assert (await found.people(["U1"])).get("U1", "") == ""
    assert slack.asked == ["C1"]


# With the local Slack


async def test_questions_of_a_channel_are_taken_in_the_order_in_which_they_were_said(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is known already does not overtake who has to be looked up."""
    house.have_times(names=60.0)
    ada, asked, is_told = house.slack.user("ada").id, [], asyncio.Event()

    async def name(user: str) -> dict[str, str]:
        asked.append(user)
        if user == ada:
            await is_told.wait()
        return {user: "somebody"}

    monkeypatch.setattr(house.chat._naming._people, "_ask", name)
    async with house.listening():
        parent = await house.slack.say("ben", "general", "look")
        await house.slack.say("ada", "general", "@bobbin first", parent.ts)
        await house.until(lambda: ada in asked)
        await house.slack.say("ben", "general", "@bobbin second", parent.ts)
        cai = house.slack.add_user("cai")
        await house.slack.say(cai, "random", "@bobbin elsewhere")
        await house.until(lambda: cai.id in asked)
        await house.until(lambda: len(house.woken) == 1)  # another channel waits for nothing
        is_told.set()
        await house.until(lambda: len(house.woken) == 3)
    thread = house.woken[1]
    assert house.woken[2] == thread
    taken = await house.ledger.take(thread)
    assert taken
    assert taken.turn.question.text == "first"


@pytest.mark.parametrize(
    "body",
    [
        '{"ok": true, "user": {"id": "U1", "team_id": "T1"}}',
        '{"ok": true, "user": {"id": "U1", "team_id": "T1", "profile": [], "real_name": 7}}',
        '{"ok": true, "user": {"id": "U1", "team_id": "T1", "locale": {"de": 7}}}',
        '{"ok": true, "user": "ada"}',
        "<html>",
    ],
)
async def test_people_of_any_shape_are_survived(house: House, body: str) -> None:
    house.slack.faults.odd("users.info", Reply(200, body, "application/json"), None)
    async with house.listening():
        turn = await house.asked("@bobbin why?")
    assert turn.question.text == "why?"
    assert turn.question.asker_name == ""


async def test_with_the_name_comes_the_language(house: House) -> None:
    """In one call, and for what comes after without any."""
    greta = house.slack.add_user("greta", locale="de-DE")
    luigi = house.slack.add_user("luigi", locale="it-IT")
    async with house.listening():
        for who in (greta, greta, luigi):
            await house.slack.say(who, "general", "@bobbin why?")
        await house.until(lambda: len(house.woken) == 3)
    taken = [await house.ledger.take(thread) for thread in house.woken]
    assert [one.turn.question.language for one in taken if one] == ["de", "de", ""]
    asked = [call.arguments["user"] for call in house.slack.calls if call.method == "users.info"]
    assert sorted(asked) == sorted({greta.id, luigi.id, house.slack.bot_user_id})


async def test_people_are_called_by_what_others_see(house: House) -> None:
    ben = house.slack.user("ben")
    cai = house.slack.add_user("cai", display_name="Cai of York")
    async with house.listening():
        turn = await house.asked(f"@bobbin ask <@{ben.id}>", cai)
    assert turn.question.asker_name == "Cai of York"
