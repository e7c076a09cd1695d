"""What was missed is read back within bounds, in order, and never at the cost of what comes live."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from bots.sandbox.slack import Failure
from bots.slack import connect
from bots.slack.api import Api
from bots.slack.catch_up import MOST_MESSAGES, SEEN_NOTE, CatchUp
from bots.slack.events import read_message
from bots.slack.pace import Pace
from core.errors import StorageUnavailable
from core.turn import Question
from core.vitals import Vitals

if TYPE_CHECKING:
    from bots.sandbox.slack import Message
    from tests.bots.slack.conftest import House


@dataclass
class Away:
    """A bot that was away since an hour ago, and has been asked nothing before."""

    house: House
    catch_up: CatchUp
    taken: list[Question]
    is_storing: bool = True

    @property
    def texts(self) -> list[str]:
        return [question.text for question in self.taken]

    async def take(self, question: Question) -> None:
        if not self.is_storing:
            raise StorageUnavailable
        await self.house.relay.ask(question)
        self.taken.append(question)

    async def all_read(self) -> None:
        """Run until all is read that can be, and noted."""
        running = asyncio.create_task(self.catch_up.run())
        async with asyncio.timeout(5):
            while not self.catch_up._is_complete and not running.done():
                await asyncio.sleep(0.005)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await self.catch_up.keep_seen()

    def question(self, said: Message) -> Question:
        """What the live event of a message would be read as."""
        message = {"user": said.user, "text": said.text, "ts": said.ts, "thread_ts": said.thread_ts}
        heard = read_message(message, self.house.slack.team_id, said.channel, self.house.slack.bot_user_id)
        assert isinstance(heard, Question)
        return heard


@pytest.fixture
async def away(house: House) -> AsyncIterator[Away]:
    api = Api(house.section, Pace())
    await house.ledger.write_note(SEEN_NOTE, f"{time.time() - 3600:.6f}")
    async with api.session():
        identity = await api.who_am_i()
        away = Away(house, None, [])  # type: ignore[arg-type]
        away.catch_up = CatchUp(api, house.ledger, house.relay, identity, take=away.take, hours=24)
        house.slack.faults.lose_events = True
        yield away


async def seen(house: House) -> str:
    return await house.ledger.note(SEEN_NOTE) or ""


async def test_the_note_moves_on_when_all_is_read(house: House, away: Away) -> None:
    said = await house.slack.say("ada", "general", "@bobbin tea?")
    before = await seen(house)
    await away.catch_up.look()
    await away.catch_up.keep_seen()
    assert await seen(house) == before, "something may still be missing"
    await away.all_read()
    assert away.texts == ["tea?"]
    assert await seen(house) == said.ts


async def test_who_was_never_there_has_missed_nothing(house: House, away: Away) -> None:
    await house.ledger.write_note(SEEN_NOTE, "")
    await house.slack.say("ada", "general", "@bobbin tea?")
    await away.catch_up.look()
    await away.all_read()
    assert not away.taken
    assert await seen(house)


async def test_what_was_missed_where_a_thread_began_comes_before_what_comes_live(house: House, away: Away) -> None:
    root = await house.slack.say("ada", "general", "@bobbin one")
    elsewhere = await house.slack.say("ada", "random", "@bobbin elsewhere")
    await away.catch_up.look()
    await away.catch_up.before(away.question(elsewhere))
    assert not away.taken, "the first message of a thread waits for nothing"
    live = await house.slack.say("ada", "general", "@bobbin two", root.ts)
    await away.catch_up.before(away.question(live))
    assert away.texts[0] == "one"
    await away.all_read()
    assert sorted(away.texts) == ["elsewhere", "one", "two"]


async def test_what_was_missed_in_a_known_thread_comes_before_what_comes_live(house: House, away: Away) -> None:
    root = await house.slack.say("ada", "general", "@bobbin zero")
    await house.relay.ask(away.question(root))
    await house.slack.say("ben", "general", "chatter", root.ts)
    await house.slack.say("ben", "general", "@bobbin one", root.ts)
    await away.catch_up.look()
    live = await house.slack.say("ada", "general", "@bobbin two", root.ts)
    await away.catch_up.before(away.question(live))
    assert away.texts == ["one", "two"]
    assert house.calls("conversations.history") == 0, "it is enough to read this thread"


async def test_a_rate_limit_ends_the_round_quietly(house: House, away: Away) -> None:
    await house.slack.say("ada", "general", "@bobbin tea?")
    house.slack.faults.rate_limit("conversations.history", retry_after=60)
    await away.catch_up.look()
    await away.all_read()
    assert house.calls("conversations.history") == 1
    assert not away.taken


@pytest.mark.parametrize("scope", ["im:read", "channels:history"])
async def test_a_scope_that_lacks_costs_only_what_it_is_for(house: House, away: Away, scope: str) -> None:
    house.slack.installation.scopes.discard(scope)
    secret = house.slack.add_channel("secret", "ada", house.slack.bot_user_id, private=True)
    await house.slack.say("ada", secret, "@bobbin tea?")
    await house.slack.say("ada", "general", "@bobbin coffee?")
    await away.catch_up.look()
    await away.all_read()
    assert away.texts == ([] if scope == "im:read" else ["tea?"])


async def test_a_place_that_is_refused_leaves_the_others(house: House, away: Away) -> None:
    await house.slack.say("ada", "general", "@bobbin tea?")
    await house.slack.say("ada", "random", "@bobbin coffee?")
    house.slack.faults.fail("conversations.history", Failure(error="not_in_channel"))
    await away.catch_up.look()
    await away.all_read()
    assert len(away.taken) == 1


async def test_there_is_an_end_to_what_is_read(house: House, away: Away) -> None:
    for number in range(MOST_MESSAGES + 20):
        await house.slack.say("ada", "general", f"@bobbin {number}")
    await away.catch_up.look()
    await away.all_read()
    assert away.texts == [str(number) for number in range(20, MOST_MESSAGES + 20)]
    assert all(int(call.arguments["limit"]) <= 15 for call in house.slack.calls if "history" in call.method)


async def test_what_can_not_be_recorded_is_read_again(house: House, away: Away) -> None:
    await house.slack.say("ada", "general", "@bobbin tea?")
    away.is_storing = False
    await away.catch_up.look()
    running = asyncio.create_task(away.catch_up.run())
    await house.until(lambda: house.calls("conversations.history"))
    away.is_storing = True
    await house.until(lambda: away.taken)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert away.texts == ["tea?"]


async def test_after_a_longer_absence_it_looks_again(house: House, away: Away, monkeypatch: pytest.MonkeyPatch) -> None:
    class Socket:
        states = iter([True, False, True, True])

        async def is_connected(self) -> bool:
            return next(self.states, True)

    monkeypatch.setattr(connect, "LOOK_INTERVAL", 0.001)
    await away.catch_up.look()
    running = asyncio.create_task(away.catch_up.run())
    await house.until(lambda: away.catch_up._is_complete)
    await house.slack.say("ada", "general", "@bobbin tea?")
    watching = asyncio.create_task(connect.watch(Socket(), Vitals(), away.catch_up.again))  # type: ignore[arg-type]
    await house.until(lambda: away.taken)
    for task in (running, watching):
        task.cancel()
    await asyncio.gather(running, watching, return_exceptions=True)
    assert away.texts == ["tea?"]


async def test_what_slack_brings_too_late_is_not_answered(house: House) -> None:
    house.slack.turn_clock_back(2 * 86_400)
    await house.slack.say("ada", "general", "@bobbin too late")
    house.slack.turn_clock_back(0)
    async with house.listening():
        turn = await house.asked("@bobbin in time")
        await house.slack.wait_for(lambda: not house.slack.under_way)
    assert turn.question.text == "in time"
    assert len(house.woken) == 1
