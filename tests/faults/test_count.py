"""The counting notices everything that it is there to notice."""

from __future__ import annotations

import pytest

from tests.faults.count import LEFT_OUT, SAYS_SO, Asked, Recorded, Seen, Tally, tally

ONE, TWO = "q0000000001", "q0000000002"
PROBLEM = "The AI service is away. (Reference: `abc`)"
ASKED = [Asked(ONE, "slack", "t", f"{ONE} and on"), Asked(TWO, "slack", "t", TWO)]
TURNS = [Recorded(ONE, "", "abc", shown=True), Recorded(TWO, "", "def", shown=True)]


def said(*texts: str, thread: str = "t") -> list[Seen]:
    return [Seen("slack", thread, text) for text in texts]


def figures(found: Tally) -> dict[str, int]:
    return {name: figure for name, figure in found.as_json().items() if isinstance(figure, int) and figure}


def test_all_is_well() -> None:
    asked = [[f"say exactly: {ONE} and on", f"say exactly: {TWO}"]]
    found = tally(ASKED, said(f"{ONE} and on", TWO), TURNS, asked)
    assert (figures(found), found.is_well) == ({"asked": 2, "answered": 2}, True)


def test_a_sentence_instead_of_an_answer_is_told() -> None:
    rows = [Recorded(ONE, PROBLEM, "abc", shown=True), TURNS[1]]
    for text in (PROBLEM, f"{ONE} a\n\n{PROBLEM}", f"{ONE} a\n⚠️ {PROBLEM.replace('`', '')}"):
        found = tally(ASKED, said(text, TWO), rows, [])
        assert (figures(found), found.is_well) == ({"asked": 2, "answered": 1, "told": 1}, True)
        assert found.reasons == {"The AI service is away.": 1}


def test_what_was_stopped_says_so() -> None:
    row = Recorded(ONE, SAYS_SO, "abc", shown=True, is_stopped=True)
    half, alone = Seen("slack", "t", f"{ONE} a", "Stopped."), Seen("slack", "t", "Stopped before a word came.")
    for messages in ([half], [alone], [Seen("slack", "t", f"{ONE} a"), alone]):
        found = tally(ASKED[:1], messages, [row], [])
        assert (figures(found), found.is_well) == ({"asked": 1, "stopped": 1}, True)
    silently = tally(ASKED[:1], said(f"{ONE} a"), [row], [])
    assert (figures(silently), silently.is_well) == ({"asked": 1, "lost": 1}, False)


def test_of_two_that_were_stopped_each_says_so() -> None:
    rows = [Recorded(one, SAYS_SO, "abc", shown=True, is_stopped=True) for one in (ONE, TWO)]
    alone = Seen("slack", "t", "Stopped before a word came.")
    found = tally(ASKED, [Seen("slack", "t", f"{ONE} a", "Stopped."), Seen("slack", "t", f"{TWO} a"), alone], rows, [])
    assert (figures(found), found.is_well) == ({"asked": 2, "stopped": 2}, True)


WITH_FILE = Asked(ONE, "slack", "t", f"{ONE} held", without=f"{ONE} {{a.txt}}", is_follow_up=True)


@pytest.mark.parametrize(
    ("shown", "beside", "becomes"),
    [
        (f"{ONE} held", "", {"answered": 1}),
        (WITH_FILE.without, f'I couldn\'t fetch it, {LEFT_OUT} "a.txt".', {"without": 1}),
        (WITH_FILE.without, "", {"lost": 1, "orphans": 1}),
        (f"{ONE} other", f'I couldn\'t fetch it, {LEFT_OUT} "a.txt".', {"lost": 1, "orphans": 1}),
    ],
    ids=["it was read", "it is said that it is left out", "it is left out silently", "another's was read"],
)
def test_a_file_is_in_the_answer_or_it_is_said_that_it_is_not(shown: str, beside: str, becomes: dict[str, int]) -> None:
    found = tally([WITH_FILE], [Seen("slack", "t", shown, beside)], TURNS[:1], [])
    assert figures(found) == {"asked": 1, "follow_ups": 1, "files": 1, **becomes}
    assert found.is_well is ("lost" not in becomes)


@pytest.mark.parametrize(
    ("seen", "rows", "wrong"),
    [
        (said(f"{ONE} and on"), TURNS, {"lost": 1}),
        (said(f"{ONE} and on", TWO, TWO), TURNS, {"doubled": 1}),
        (said(f"{ONE} and on", TWO), [*TURNS, TURNS[1]], {"doubled": 1}),
        (said(TWO, f"{ONE} and on"), TURNS, {"disordered": 1}),
        (said(f"{ONE} and on", TWO, "What?"), TURNS, {"orphans": 1}),
        (said(f"{ONE} and on") + said(TWO, thread="another"), TURNS, {"orphans": 1, "lost": 1}),
        (said(ONE, TWO), TURNS, {"orphans": 1, "lost": 1}),
    ],
    ids=["lost", "shown twice", "recorded twice", "out of order", "belongs to nothing", "elsewhere", "half"],
)
def test_what_is_wrong_is_found(seen: list[Seen], rows: list[Recorded], wrong: dict[str, int]) -> None:
    found = tally(ASKED, seen, rows, [])
    assert {name: figure for name, figure in figures(found).items() if name not in ("asked", "answered")} == wrong
    assert not found.is_well


def test_what_nobody_recorded_was_unheard() -> None:
    found = tally(ASKED, said(f"{ONE} and on"), TURNS[:1], [])
    assert figures(found) == {"asked": 2, "answered": 1, "unheard": 1}


def test_a_question_twice_in_one_conversation_is_found_and_in_two_is_not() -> None:
    retold = f'{{"asked": "say exactly: {TWO}"}}\n\nsay exactly: {ONE} and on'
    once = [[f"say exactly: {ONE} and on", f"say exactly: {TWO}"], [retold]]
    twice = [[f"say exactly: {TWO}", retold]]
    seen = said(f"{ONE} and on", TWO)
    assert tally(ASKED, seen, TURNS, once).repeats == 0
    assert tally(ASKED, seen, TURNS, twice).repeats == 1


def test_what_was_said_before_a_question_was_not_asked_yet() -> None:
    quoted = f'People said:\n\n{{"name": "ada", "said": "say exactly: {TWO}"}}\n\nsay exactly: {ONE} and on'
    assert tally(ASKED, said(f"{ONE} and on", TWO), TURNS, [[quoted, f"say exactly: {TWO}"]]).is_well


def test_a_refusal_at_the_door_belongs_to_nothing_and_is_no_orphan() -> None:
    seen = said(f"{ONE} and on", TWO, "I can't take questions right now, since …")
    assert tally(ASKED, seen, TURNS, []).is_well


def test_who_asks_too_much_and_is_being_told_so_may_get_no_word_more() -> None:
    hint = "You have a question open with me."
    rows = [Recorded(ONE, hint, "abc", shown=True), Recorded(TWO, hint, "def", shown=True, is_refused=True)]
    found = tally(ASKED, said(hint), rows, [])
    assert (figures(found), found.is_well) == ({"asked": 2, "told": 1, "silent": 1}, True)
    refused_without_reason = [rows[0], Recorded(TWO, "Other words.", "def", shown=True)]
    assert tally(ASKED, said(hint), refused_without_reason, []).lost == 1


def test_what_is_told_a_second_time_belongs_to_nothing() -> None:
    rows = [Recorded(ONE, PROBLEM, "abc", shown=True), TURNS[1]]
    assert figures(tally(ASKED, said(PROBLEM, PROBLEM, TWO), rows, []))["orphans"] == 1


@pytest.mark.parametrize(("messages", "doubled"), [(3, 0), (4, 1)])
def test_a_long_answer_has_so_many_messages_and_no_more(messages: int, doubled: int) -> None:
    asked = [Asked(ONE, "slack", "t", ONE, most=3)]
    pages = [f"{ONE}\n\n{ONE}"] * (messages - 1)
    found = tally(asked, said(*pages, "The rest is in the file."), TURNS[:1], [])
    assert (found.answered, found.doubled, found.orphans) == (1, doubled, 0)
