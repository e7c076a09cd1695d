"""Where the bot follows: what it remembers of that, what it asks the database, and what it hears as a question."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from bots.listening.events import Edited, Overheard, Said
from bots.listening.mark import Scale
from bots.listening.quiet import TO_NOBODY, Addressing, RepliesTo
from bots.listening.router import LOOKED_AGAIN_AFTER, YOUNG, Router
from bots.reply.note import Note
from core.commands import Command, Verb
from core.following import Following, WhyNot
from core.preset import Follow, Preset
from core.relay import Relay
from core.storage.database import open_database
from core.storage.ledger import Ledger
from core.storage.migrate import migrate
from core.thread import PlaceId, Thread, ThreadId
from core.turn import NOTHING_SHOWN, Accepted, Question, QuestionKey

SCALE = Scale(a_second=1_000_000)
CHANNEL = PlaceId("chat:work/room")


def thread(name: str = "1") -> Thread:
    return Thread(ThreadId(f"chat:work/room/{name}"), "chat", (PlaceId("chat:work"), CHANNEL))


class Counting(Ledger):
    """Counts how often it is asked how the bot stands somewhere."""

    reads = 0

    async def standing(self, thread: Thread) -> Any:
        self.reads += 1
        return await super().standing(thread)


@dataclass
class Place:
    """A router, and people."""

    ledger: Counting
    follow: Follow = Follow.THREAD
    thumbs: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    is_alone: bool = True

    def __post_init__(self) -> None:
        presets = {"default": Preset(model="m", instructions="", follow=self.follow)}
        self.relay = Relay(self.ledger, lambda _: None, presets, longest_question=1_000, is_alone=self.is_alone)
        self.router = Router(
            self.relay,
            SCALE,
            hours=24,
            record=self._record,
            accepted=lambda turn, _: self.asked.append(turn.question.text),
            refused=self._tell,
            names=lambda: ("bobbin",),
            thumb=self._thumb,
            tell=self._tell,
        )
        self._said = 0

    async def _record(self, said: Said) -> Accepted:
        return await self.relay.hear(said.question, NOTHING_SHOWN)

    async def _thumb(self, said: Said) -> None:
        self.thumbs.append(said.question.text)

    async def _tell(self, said: Said, sentence: str) -> None:
        self.told.append(sentence)

    async def _nothing(self, _: Said) -> None:
        return

    def said(
        self, text: str, who: str = "ada", where: Thread | None = None, key: str = "", kind: type[Said] = Said
    ) -> Said:
        self._said += 1
        question = Question(QuestionKey(key or f"{self._said}"), where or thread(), who, text)
        return kind(question, Note(None), SCALE.at(2_000_000_000 + self._said))

    async def call(self, text: str, who: str = "ada", where: Thread | None = None) -> None:
        """By a mention; it is answered at once."""
        said = self.said(text, who, where)
        await self.router.hear_live(said, self._nothing)
        await self.answer(said.question.thread, "Because.")

    async def answer(self, where: Thread, text: str) -> None:
        while taken := await self.ledger.take(where.id):
            turn = taken.turn if taken.turn.is_over else taken.turn.start("m").finish(text)
            await self.ledger.conclude(turn, None, epoch=0)
            await self.ledger.settle(turn.settle())

    async def say(
        self,
        text: str,
        who: str = "ada",
        where: Thread | None = None,
        addressing: Addressing = TO_NOBODY,
        age: int | None = None,
        **more: Any,
    ) -> None:
        """*age* of the thread, in seconds."""
        said = self.said(text, who, where, **more)
        began = 0 if age is None else said.position - age * SCALE.a_second
        await self.router.hear_live(Overheard(said, addressing, began=began), self._nothing)


@pytest.fixture
async def ledger(sqlite_url: str) -> AsyncIterator[Counting]:
    database = open_database(sqlite_url)
    await migrate(database)
    yield Counting(database)
    await database.close()


@pytest.fixture
def place(ledger: Counting) -> Place:
    return Place(ledger)


async def test_where_it_was_never_called_the_database_is_asked_once(place: Place) -> None:
    for number in range(20):
        await place.say(f"word {number}?", who="ada" if number % 2 else "ben")
    assert place.ledger.reads == 1
    assert not place.asked


async def test_what_begins_a_thread_costs_one_question_for_the_whole_channel(place: Place) -> None:
    for number in range(20):
        await place.say("hello?", where=thread(f"root-{number}"), addressing=Addressing(is_first=True))
    assert place.ledger.reads == 1


async def test_where_only_mentions_are_heard_the_database_is_asked_once_until_it_is_called(ledger: Counting) -> None:
    place = Place(ledger, Follow.MENTION)
    await place.call("why?")
    for _ in range(20):
        await place.say("and then?")
    assert place.ledger.reads == 1
    assert len(place.told) == 1
    await place.call("why not?")
    await place.say("and then?")
    assert place.ledger.reads == 1  # they know
    assert len(place.told) == 1
    assert len(Place(ledger, Follow.MENTION).told) == 0


async def test_people_are_told_once_whatever_process_they_talk_to(ledger: Counting) -> None:
    one, other = Place(ledger, Follow.MENTION), Place(ledger, Follow.MENTION)
    await one.call("why?")
    await one.say("and then?")
    await other.say("and then?")
    assert (len(one.told), len(other.told)) == (1, 0)


async def test_who_talks_to_others_is_told_nothing(ledger: Counting) -> None:
    place = Place(ledger, Follow.MENTION)
    await place.call("why?")
    await place.say("what a day", who="ben")
    assert not place.told


async def test_called_into_a_thread_it_follows_at_once(place: Place) -> None:
    await place.say("nobody asks?")
    await place.call("why?")
    await place.say("and then?")
    assert place.asked == ["why?", "and then?"]


async def test_what_was_read_back_is_not_judged_again_when_it_comes_live(place: Place) -> None:
    await place.call("why?")
    early = Overheard(place.said("tell me about winter", who="ben"), TO_NOBODY)
    await place.router.hear(early)
    await place.call("how?", who="ben")  # from here on, he would be heard
    await place.router.hear_live(early, place._nothing)
    assert place.asked == ["why?", "how?"]
    await place.say("tell me about winter", who="ben")
    assert place.asked == ["why?", "how?", "tell me about winter"]


async def test_another_process_follows_within_seconds(ledger: Counting) -> None:
    now = [0.0]
    one, other = Place(ledger), Place(ledger, is_alone=False)
    other.relay.following._clock = lambda: now[0]
    await other.say("nobody asks?")
    await one.call("why?")
    await other.say("and then?")
    assert not other.asked
    now[0] += 5
    await other.say("and now?")
    assert other.asked == ["and now?"]


async def test_what_comes_before_another_process_has_recorded_the_first_question_waits_for_it(ledger: Counting) -> None:
    one, other = Place(ledger), Place(ledger, is_alone=False)
    reads = ledger.reads
    waiting = asyncio.create_task(other.say("and then?", age=2, key="next"))
    while ledger.reads == reads:
        await asyncio.sleep(0)
    await one.call("why?")
    await waiting
    assert other.asked == ["and then?"]


async def test_a_thread_of_others_is_waited_for_once_and_an_old_one_never(ledger: Counting) -> None:
    place = Place(ledger, is_alone=False)
    await place.say("lunch?", age=1)
    first = ledger.reads
    assert first == 1 + len(LOOKED_AGAIN_AFTER)
    await place.say("at noon?", who="ben", age=3)
    await place.say("and dinner?", where=thread("old"), age=YOUNG + 1)
    assert ledger.reads == first + 1  # what is remembered of the one is believed
    assert not place.asked


async def test_what_began_a_thread_is_not_asked_once_the_bot_is_called_there(ledger: Counting) -> None:
    """As when a process that knows nothing yet reads it back."""
    await Place(ledger).call("why?")
    place = Place(ledger)
    root = place.said("what shall we have for lunch?", key="root")
    await place.router.hear(Overheard(root, Addressing(is_first=True), is_new=True))
    assert not place.asked


async def test_between_people_it_is_quiet_also_in_what_it_has_heard_of_them(place: Place) -> None:
    await place.call("why?")
    await place.say("lunch at twelve?", who="ben", addressing=Addressing(begins_with_other=True, names_other=True))
    await place.say("12:30")
    await place.say("and who pays?", who="ben")
    assert place.asked == ["why?"]
    await place.say("bobbin, who pays?", who="ben")
    assert place.asked == ["why?", "who pays?"]


async def test_what_was_said_before_a_question_is_not_said_since_its_answer(place: Place) -> None:
    """However soon the answer came."""
    await place.call("hello")
    await place.say("the pump leaks", who="ben")
    await place.call("why?")
    await place.say("and then?")
    assert place.asked == ["hello", "why?", "and then?"]


async def test_a_nod_between_two_questions_is_no_talk(place: Place) -> None:
    await place.call("why?")
    await place.say("lol", who="ben")
    await place.say("and then?")
    assert place.asked == ["why?", "and then?"]


async def test_what_it_had_asked_is_answered_with_a_word(place: Place) -> None:
    said = place.said("which one?")
    await place.router.hear_live(said, place._nothing)
    await place.answer(thread(), "Which one do you mean, 1 or 2?")
    await place.say("👍")
    await place.say("2")
    assert place.asked == ["which one?", "👍", "2"]


async def test_thanks_get_a_thumb(place: Place) -> None:
    await place.call("why?")
    await place.say("thank you!")
    assert (place.thumbs, place.asked) == (["thank you!"], ["why?"])


async def test_an_edit_of_a_follow_up_is_an_edit_of_the_question(place: Place) -> None:
    await place.call("why?")
    await place.say("and then?", key="follow-up")
    await place.say("and when?", key="follow-up", kind=Edited)
    turn = await place.ledger.turn(QuestionKey("follow-up"))
    assert turn
    assert turn.question.text == "and when?"
    await place.say("not asked before", kind=Edited)
    assert place.asked == ["why?", "and then?"]


async def test_a_message_that_comes_twice_is_one_question(place: Place) -> None:
    await place.call("why?")
    await place.say("and then?", key="twice")
    await place.say("and then?", key="twice")
    assert place.asked == ["why?", "and then?"]


async def test_muted_it_answers_mentions_and_left_it_comes_back(place: Place) -> None:
    await place.call("why?")
    await place.call("mute", who="ben")
    await place.call("are you there?")
    await place.say("and now?")
    assert place.asked == ["why?", "mute", "are you there?"]
    await place.call("unmute")
    await place.say("and now?")
    assert place.asked[-1] == "and now?"
    await place.answer(thread(), "Now.")
    await place.call("leave")
    await place.say("anybody?")
    assert place.asked[-1] == "leave"
    await place.say("bobbin, anybody?")
    assert place.asked[-1] == "anybody?"
    await place.answer(thread(), "Yes.")
    await place.say("good to know, and now?")
    assert place.asked[-1] == "good to know, and now?"


async def test_what_is_said_by_name_where_it_was_muted_is_not_heard(place: Place) -> None:
    await place.call("why?")
    await place.call("mute")
    await place.say("bobbin, and now?")
    assert place.asked == ["why?", "mute"]


async def test_a_reaction_mutes_a_thread_into_which_it_was_called_and_no_other(place: Place) -> None:
    await place.router.mute(thread("2"), "ben", is_muting=True)
    await place.call("why?")
    await place.router.mute(thread(), "ben", is_muting=True, occasion="1")
    await place.router.mute(thread(), "ben", is_muting=False, occasion="2")
    await place.router.mute(thread(), "ben", is_muting=True, occasion="1")  # told again
    standing = await place.relay.following.standing(thread())
    assert standing
    assert standing.why_not is None
    assert (await place.ledger.look(lambda deeds: deeds.stances_at((PlaceId(thread("2").id),)))) == {}


async def test_a_channel_that_is_followed_hears_what_is_new_there(ledger: Counting) -> None:
    place = Place(ledger, Follow.CHANNEL)
    await place.say("where is the key?", where=thread("new"), addressing=Addressing(is_first=True))
    await place.say("thanks all", where=thread("newer"), addressing=Addressing(is_first=True))
    assert place.asked == ["where is the key?"]
    await place.relay.obey(Command(Verb.SET_PRESET, Preset(follow=Follow.THREAD)), thread(), "ada")
    await place.say("and the other one?", where=thread("newest"), addressing=Addressing(is_first=True))
    assert place.asked == ["where is the key?"]


async def test_a_reply_to_the_bot_is_for_it_whoever_spoke_since(place: Place) -> None:
    await place.call("why?")
    await place.say("I know", who="ben")
    await place.say("as a table, please", addressing=Addressing(replies_to=RepliesTo.BOT))
    assert place.asked == ["why?", "as a table, please"]


async def test_why_nothing_is_heard_is_remembered_within_bounds(ledger: Counting) -> None:
    following = Following(ledger, {"default": Preset(model="m", instructions="")})
    standing = await following.standing(thread())
    assert standing
    assert standing.why_not is WhyNot.NEVER_CALLED
    assert await following.standing(thread()) is None
    following.called(thread().id)
    assert await following.standing(thread()) is not None


async def test_a_channel_that_stands_for_a_thread_is_not_followed_but_replies_are(place: Place) -> None:
    here = Thread(ThreadId(CHANNEL), "chat", thread().within)
    await place.call("why?", where=here)
    await place.say("what a day", where=here)
    await place.say("and then?", where=here, addressing=Addressing(replies_to=RepliesTo.BOT))
    assert place.asked == ["why?", "and then?"]
