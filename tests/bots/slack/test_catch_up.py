"""What was missed is read back within bounds, in order, and never at the cost of what comes live."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from bots.listening.catch_up import CatchUp
from bots.listening.events import Edited, Heard, Overheard, Said
from bots.listening.mark import Mark
from bots.listening.router import Router
from bots.slack import connection
from bots.slack.api import Api
from bots.slack.catch_up import BOUNDS, OVERLAP, SEEN_NOTE, SlackReader
from bots.slack.events import read_message
from bots.slack.ids import SCALE, Place, key_of
from bots.slack.naming import Naming
from bots.slack.pace import Pace
from bots.slack.roots import Roots
from core.errors import StorageUnavailable
from core.turn import Accepted, Turn
from core.vitals import Vitals
from sandbox.slack import Failure

if TYPE_CHECKING:
    from sandbox.slack import Message
    from tests.bots.slack.conftest import House


async def tell_nobody(said: Said, sentence: str) -> None:
    """Everybody may ask."""


class Listening(Router):
    """Remembers what it was handed, and what of that was recorded."""

    def __init__(self, house: House) -> None:
        async def record(said: Said) -> Accepted:
            return await house.relay.hear(said.question, said.note.write())

        super().__init__(house.relay, SCALE, hours=24, record=record, accepted=lambda *_: None, refused=tell_nobody)
        self.taken: list[Said] = []
        self.revised: list[str] = []
        self.is_storing = True

    async def hear(self, heard: Heard) -> None:
        if not self.is_storing:
            raise StorageUnavailable
        await super().hear(heard)
        if isinstance(heard, Overheard) and isinstance(heard.said, Edited):
            heard = heard.said
        if isinstance(heard, Edited):
            self.revised.append(heard.question.text)
        elif isinstance(heard, Said):
            self.taken.append(heard)


@dataclass
class Away:
    """A bot that was away since an hour ago, and has been asked nothing before."""

    house: House
    router: Listening
    reader: SlackReader
    catch_up: CatchUp[Place]

    @property
    def texts(self) -> list[str]:
        return [said.question.text for said in self.router.taken]

    async def asked(self, text: str, thread_ts: str | None = None, *, ago: float = 0.0) -> Message:
        """A question that was heard before, *ago* so many seconds; and answered."""
        self.house.slack.turn_clock_back(ago)
        said = await self.house.slack.say("ada", "general", f"@bobbin {text}", thread_ts)
        await self.house.slack.say("bobbin", "general", "Because.", thread_ts or said.ts)
        self.house.slack.turn_clock_back(0)
        await self.house.relay.ask(self.said(said).question)
        return said

    async def stored(self, said: Message) -> Turn:
        turn = await self.house.ledger.turn(key_of(self.house.slack.team_id, said.channel, said.ts))
        assert turn
        return turn

    async def all_read(self, within: float = 30.0) -> None:
        """Run until all is read that can be, and noted."""
        async with asyncio.timeout(within):
            await self.catch_up.run()
        await self.catch_up.mark.keep()

    async def before(self, live: Message) -> None:
        """A message comes live."""
        await self.catch_up.before(self.said(live))

    def bound(self, **bounds: float) -> None:
        self.reader.bounds = self.catch_up._bounds = replace(BOUNDS, **bounds)  # type: ignore[arg-type]

    def said(self, said: Message) -> Said:
        """What the live event of a message would be read as."""
        message = {"user": said.user, "text": said.text, "ts": said.ts, "thread_ts": said.thread_ts}
        heard = read_message(message, self.house.slack.team_id, said.channel, self.house.slack.bot_user_id)
        assert isinstance(heard, Said)
        return heard


@pytest.fixture
async def away(house: House, request: pytest.FixtureRequest) -> AsyncIterator[Away]:
    pace = Pace()
    api = Api(house.section, pace)
    await house.ledger.write_note(SEEN_NOTE, f"{time.time() - 3600:.6f}")
    async with api.session():
        bounds = getattr(request, "param", {})
        naming = Naming(api, tells=True)
        reader = SlackReader(
            api, pace, await api.who_am_i(), house.vitals.metrics, naming=naming, roots=Roots(house.ledger), **bounds
        )
        mark = Mark(house.ledger, SEEN_NOTE, SCALE, overlap=OVERLAP)
        router = Listening(house)
        house.slack.faults.lose_events = True
        yield Away(house, router, reader, CatchUp(reader, router, house.relay, mark, house.vitals.metrics))


async def seen(house: House) -> str:
    return await house.ledger.note(SEEN_NOTE) or ""


async def test_the_note_moves_on_when_all_is_read(house: House, away: Away) -> None:
    said = await house.slack.say("ada", "general", "@bobbin tea?")
    before = await seen(house)
    await away.catch_up.begin()
    await away.catch_up.mark.keep()
    assert await seen(house) == before, "something may still be missing"
    await away.all_read()
    assert away.texts == ["tea?"]
    assert await seen(house) == said.ts


async def test_who_was_never_there_has_missed_nothing(house: House, away: Away) -> None:
    await house.ledger.write_note(SEEN_NOTE, "")
    await house.slack.say("ada", "general", "@bobbin tea?")
    await away.catch_up.begin()
    await away.all_read()
    assert not away.router.taken
    assert await seen(house)


async def test_what_was_missed_where_a_thread_began_comes_before_what_comes_live(house: House, away: Away) -> None:
    root = await house.slack.say("ada", "general", "@bobbin one")
    elsewhere = await house.slack.say("ada", "random", "@bobbin elsewhere")
    await away.catch_up.begin()
    await away.before(elsewhere)
    assert not away.router.taken, "the first message of a thread waits for nothing"
    live = await house.slack.say("ada", "general", "@bobbin two", root.ts)
    await away.before(live)
    assert away.texts[0] == "one"
    await away.all_read()
    assert sorted(away.texts) == ["elsewhere", "one", "two"]


async def test_what_was_missed_in_a_known_thread_comes_before_what_comes_live(house: House, away: Away) -> None:
    root = await house.slack.say("ada", "general", "@bobbin zero")
    await house.relay.ask(away.said(root).question)
    await house.slack.say("ben", "general", "chatter", root.ts)
    await house.slack.say("ben", "general", "@bobbin one", root.ts)
    await away.catch_up.begin()
    live = await house.slack.say("ada", "general", "@bobbin two", root.ts)
    await away.before(live)
    assert away.texts == ["one", "two"]
    assert house.calls("conversations.history") == 0, "it is enough to read this thread"


async def test_a_rate_limit_is_waited_out_and_what_is_live_waits_for_nothing(house: House, away: Away) -> None:
    root = await house.slack.say("ada", "general", "@bobbin tea?")
    house.slack.faults.rate_limit("conversations.history", retry_after=60)
    await away.catch_up.begin()
    running = asyncio.create_task(away.catch_up.run())
    await house.until(lambda: house.calls("conversations.history") and away.catch_up._round.refusals)
    live = await house.slack.say("ada", "general", "@bobbin coffee?", root.ts)
    await away.before(live)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert house.calls("conversations.history") + house.calls("conversations.replies") == 1
    await away.catch_up.mark.keep()
    assert float(await seen(house)) < float(root.ts), "something may still be missing"


async def test_after_a_rate_limit_the_rest_is_read(house: House, away: Away) -> None:
    await house.slack.say("ada", "general", "@bobbin tea?")
    house.slack.faults.rate_limit("conversations.history", retry_after=1)
    await away.catch_up.begin()
    await away.all_read(within=15)
    assert away.texts == ["tea?"]
    assert house.calls("conversations.history") == 3, "one refused, and two channels"


@pytest.mark.parametrize("away", [{"kept_for_finding": 0}], indirect=True)
async def test_a_slack_that_is_always_busy_is_left_alone(house: House, away: Away) -> None:
    away.bound(pause=1e-3)
    house.slack.faults.fail("conversations.history", Failure(status=503), times=100)
    await away.catch_up.begin()
    await away.all_read()
    assert house.calls("conversations.history") == BOUNDS.refusals


async def test_only_threads_with_something_new_are_read(house: House, away: Away) -> None:
    await away.asked("answered, and no more", ago=600)
    old = await away.asked("talked about, before", ago=7200)
    house.slack.turn_clock_back(7000)
    await house.slack.say("ben", "general", "chatter", old.ts)
    house.slack.turn_clock_back(0)
    news = await away.asked("talked about, since", ago=7200)
    await house.slack.say("ben", "general", "@bobbin and then?", news.ts)
    await away.catch_up.begin()
    await away.all_read()
    assert away.texts == ["and then?"]
    assert [call.arguments["ts"] for call in house.slack.calls if call.method == "conversations.replies"] == [news.ts]


@pytest.mark.parametrize("scope", ["im:read", "channels:history"])
async def test_a_scope_that_lacks_costs_only_what_it_is_for(house: House, away: Away, scope: str) -> None:
    house.slack.installation.scopes.discard(scope)
    secret = house.slack.add_channel("secret", "ada", house.slack.bot_user_id, private=True)
    await house.slack.say("ada", secret, "@bobbin tea?")
    await house.slack.say("ada", "general", "@bobbin coffee?")
    await away.catch_up.begin()
    await away.all_read()
    assert away.texts == ([] if scope == "im:read" else ["tea?"])


async def test_a_place_that_is_refused_leaves_the_others(house: House, away: Away) -> None:
    await house.slack.say("ada", "general", "@bobbin tea?")
    await house.slack.say("ada", "random", "@bobbin coffee?")
    house.slack.faults.fail("conversations.history", Failure(error="not_in_channel"))
    await away.catch_up.begin()
    await away.all_read()
    assert len(away.router.taken) == 1


async def test_there_is_an_end_to_what_is_read(house: House, away: Away) -> None:
    for number in range(BOUNDS.messages + 20):
        await house.slack.say("ada", "general", f"@bobbin {number}")
    await away.catch_up.begin()
    await away.all_read()
    assert away.texts == [str(number) for number in range(20, BOUNDS.messages + 20)]
    assert house.calls("conversations.history") <= 4


async def test_what_can_not_be_recorded_is_read_again(house: House, away: Away) -> None:
    await house.slack.say("ada", "general", "@bobbin tea?")
    away.router.is_storing = False
    await away.catch_up.begin()
    running = asyncio.create_task(away.catch_up.run())
    await house.until(lambda: house.calls("conversations.history"))
    away.router.is_storing = True
    await house.until(lambda: away.router.taken)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert away.texts == ["tea?"]


async def test_after_a_longer_absence_it_looks_again(house: House, away: Away) -> None:
    class Socket:
        states = iter([True, False, True, True])

        async def is_connected(self) -> bool:
            return next(self.states, True)

    again: list[asyncio.Task[None]] = []

    def back() -> None:
        again.append(asyncio.create_task(away.catch_up.again()))

    await away.catch_up.begin()
    running = asyncio.create_task(away.catch_up.run())
    await house.until(lambda: away.catch_up._round.is_over)
    await house.slack.say("ada", "general", "@bobbin tea?")
    watching = asyncio.create_task(connection.watch(Socket(), Vitals(), back, 0.001))  # type: ignore[arg-type]
    await house.until(lambda: away.router.taken)
    watching.cancel()
    await asyncio.gather(running, watching, *again, return_exceptions=True)
    assert away.texts == ["tea?"]


@pytest.mark.parametrize("days", [2, -2], ids=["ahead", "behind"])
async def test_a_live_question_is_asked_whatever_this_machines_clock_says(house: House, days: int) -> None:
    """Slack brings nothing that is older than two hours, so that it is the clock which is wrong."""
    house.slack.turn_clock_back(days * 86_400)
    async with house.listening():
        turn = await house.asked("@bobbin in time")
    assert turn.question.text == "in time"


# Changes of what was asked before


async def test_an_edit_of_a_threads_first_question_is_heard_afterwards(house: House, away: Away) -> None:
    root = await away.asked("tea?", ago=7200)
    await house.slack.edit(root, "@bobbin coffee?")
    await away.catch_up.begin()
    await away.all_read()
    assert (await away.stored(root)).question.text == "coffee?"
    assert not away.router.taken


async def test_an_edit_of_a_threads_newest_question_is_heard_with_what_was_said_since(house: House, away: Away) -> None:
    root = await away.asked("tea?", ago=7200)
    newest = await away.asked("milk?", root.ts, ago=7100)
    await house.slack.edit(newest, "lemon?")
    await house.slack.say("ben", "general", "@bobbin sugar?", root.ts)
    await away.catch_up.begin()
    await away.all_read()
    assert (await away.stored(newest)).question.text == "lemon?"
    assert away.texts == ["sugar?"]
    assert away.router.revised == ["lemon?"]


async def test_a_question_that_was_made_a_command_is_let_be(house: House, away: Away) -> None:
    root = await away.asked("tea?", ago=7200)
    await house.slack.edit(root, "@bobbin reset")
    await away.catch_up.begin()
    await away.all_read()
    assert (await away.stored(root)).question.text == "tea?"


async def test_a_missed_question_that_was_edited_is_asked_as_it_is_now(house: House, away: Away) -> None:
    said = await house.slack.say("ada", "general", "@bobbin tea?")
    await house.slack.edit(said, "@bobbin coffee?")
    await away.catch_up.begin()
    await away.all_read()
    assert (await away.stored(said)).question.text == "coffee?"


async def test_what_was_edited_and_never_asked_is_let_be(house: House, away: Away) -> None:
    """So long ago, its edit was heard, or came too late to be answered."""
    await away.asked("tea?", ago=7200)
    house.slack.turn_clock_back(7000)
    chatter = await house.slack.say("ben", "general", "chatter")
    house.slack.turn_clock_back(0)
    await house.slack.edit(chatter, "@bobbin chatter?")
    await away.catch_up.begin()
    await away.all_read()
    assert away.router.revised == ["chatter?"]
    assert await house.ledger.turn(key_of(house.slack.team_id, chatter.channel, chatter.ts)) is None


async def test_a_deletion_of_a_threads_first_question_is_heard_afterwards(house: House, away: Away) -> None:
    root = await away.asked("tea?", ago=7200)
    await house.slack.delete(root)
    await away.catch_up.begin()
    await away.all_read()
    assert (await away.stored(root)).is_withdrawn


async def test_a_deletion_of_a_threads_newest_question_is_heard_with_what_was_said_since(
    house: House, away: Away
) -> None:
    root = await away.asked("tea?", ago=7200)
    newest = await away.asked("milk?", root.ts, ago=7100)
    await house.slack.delete(newest)
    await house.slack.say("ben", "general", "chatter", root.ts)
    await away.catch_up.begin()
    await away.all_read()
    assert (await away.stored(newest)).is_withdrawn
    assert not (await away.stored(root)).is_withdrawn


@pytest.mark.parametrize("doubt", ["it stands there", "it is quite new", "the range is cut", "the channel is closed"])
async def test_in_doubt_nothing_was_deleted(
    house: House, away: Away, monkeypatch: pytest.MonkeyPatch, doubt: str
) -> None:
    root = await away.asked("tea?", ago=7200)
    newest = await away.asked("milk?", root.ts, ago=0 if doubt == "it is quite new" else 7100)
    if doubt != "it stands there":
        await house.slack.delete(newest)
    for number in range(4):
        await house.slack.say("ben", "general", f"chatter {number}", root.ts)
    if doubt == "the range is cut":
        away.bound(page=3, pages=1)
    if doubt == "the channel is closed":
        house.slack.faults.fail("conversations.replies", Failure(error="not_in_channel"))
    await away.catch_up.begin()
    await away.all_read()
    assert house.calls("conversations.replies") == 1
    assert not (await away.stored(newest)).is_withdrawn


@pytest.mark.parametrize("ts", ["nan", "1e400", "soon", "", "9" * 400, "99999999999.000000"])
async def test_what_is_no_time_hides_nothing_that_is_missed_later(house: House, ts: str) -> None:
    async with house.listening():
        turn = await house.asked("@bobbin before")
        house.slack.send_raw({"type": "message", "channel": "C1", "subtype": "channel_join", "ts": ts})
        await house.slack.wait_for(lambda: not house.slack.under_way)
    assert await seen(house) == turn.question.key.rpartition("/")[2]


async def test_a_note_that_holds_no_time_is_not_believed(house: House, away: Away) -> None:
    await house.ledger.write_note(SEEN_NOTE, "nan")
    await away.catch_up.begin()
    await away.all_read()
    assert 0 < float(await seen(house)) <= time.time()
