"""Which thread a message of ours begins: kept over restarts, and looked up once."""

from __future__ import annotations

import time

import pytest

from bots.listening.events import Overheard, Said
from bots.slack.events import read_message
from bots.slack.ids import ask_id, is_ask, key_of, message_of, place_of, thread_in
from bots.slack.roots import Roots
from core.thread import ThreadId
from core.words import LONGEST_ID

BOT = "U0BOT"
THREAD = thread_in("T1", "C1", ask_id("1.2.abc")).id


class Notes:
    """Remembers what is written, and counts what is read."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.reads = 0

    async def note(self, name: str) -> str | None:
        self.reads += 1
        return self.texts.get(name)

    async def write_note(self, name: str, text: str) -> None:
        assert len(name) <= LONGEST_ID
        self.texts[name] = text


@pytest.fixture
def notes() -> Notes:
    return Notes()


async def test_another_process_knows_it_as_well(notes: Notes) -> None:
    await Roots(notes).keep(THREAD, "5.6")
    later = Roots(notes)
    assert await later.thread_at("T1", "C1", "5.6") == THREAD
    assert await later.place_of(THREAD) == ("C1", "5.6")
    assert await later.thread_at("T1", "C2", "5.6") is None
    assert await later.thread_at("T2", "C1", "5.6") is None


async def test_one_that_has_not_begun_is_nowhere(notes: Notes) -> None:
    assert await Roots(notes).place_of(THREAD) is None
    assert await Roots(notes).place_of(ThreadId("slack:T1/C1/5.6")) == ("C1", "5.6")
    assert await Roots(notes).place_of(ThreadId("slack:T1/D1")) == ("D1", "")


async def test_it_is_looked_up_once(notes: Notes) -> None:
    roots = Roots(notes)
    await roots.keep(THREAD, "5.6")
    for ts in ("5.6", "7.8") * 3:  # and what is no beginning is none for good
        await roots.thread_at("T1", "C1", ts)
    assert notes.reads == 1


async def test_what_was_posted_just_now_may_be_kept_in_a_moment(notes: Notes) -> None:
    roots, other, ts = Roots(notes), Roots(notes), f"{time.time():.6f}"
    assert await roots.thread_at("T1", "C1", ts) is None
    await other.keep(THREAD, ts)
    assert await roots.thread_at("T1", "C1", ts) == THREAD


@pytest.mark.parametrize("text", [f"<@{BOT}> and how?", "and how?"])
@pytest.mark.parametrize("parent", [{"parent_user_id": BOT}, {}])
async def test_what_is_said_below_it_is_said_in_its_thread(notes: Notes, text: str, parent: dict[str, str]) -> None:
    roots = Roots(notes)
    await roots.keep(THREAD, "5.6")
    message = {"user": "U1", "ts": "7.8", "thread_ts": "5.6", "text": text, **parent}
    heard = await roots.settled(read_message(message, "T1", "C1", BOT), message, BOT)
    assert isinstance(heard, Said | Overheard)
    said = heard.said if isinstance(heard, Overheard) else heard
    assert said.question.thread.id == THREAD
    assert said.note.where.thread_ts == "5.6"


@pytest.mark.parametrize("where", [{"thread_ts": "5.6", "parent_user_id": "U2"}, {}, {"thread_ts": "7.8"}])
async def test_for_what_is_said_elsewhere_nothing_is_looked_up(notes: Notes, where: dict[str, str]) -> None:
    message = {"user": "U1", "ts": "7.8", "text": f"<@{BOT}> why?", **where}
    heard = read_message(message, "T1", "C1", BOT)
    assert await Roots(notes).settled(heard, message, BOT) == heard
    assert notes.reads == 0


@pytest.mark.parametrize("occasion", ["1.2.abc", "V0VIEW", "", "a/b", "x" * 5_000, "\N{SNOWMAN}\0"])
def test_any_occasion_makes_an_id_that_can_be_taken_apart(occasion: str) -> None:
    id_ = ask_id(occasion)
    assert id_ == ask_id(occasion)
    key, thread = key_of("T1", "C1", id_), thread_in("T1", "C1", id_).id
    assert is_ask(key)
    assert is_ask(thread)
    assert message_of(key) == ("T1", "C1", id_)
    assert place_of(thread) == ("C1", id_)
