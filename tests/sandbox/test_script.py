"""Lines of scripts: what they do, what is said of those that make no sense, and that what is written is read again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import SetupError
from sandbox.line import Deed, Line, Sent, write
from sandbox.script import MOST_BYTES, Reader, pasted, read_file, read_script

BOTH = ("slack", "discord")
FIRST = "slack ada #general: @bobbin hello\n"


def read(script: str) -> list[Line]:
    return list(read_script(script, "talk.txt", BOTH))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("again", Line("slack", "ada", "thread", "@bobbin again")),
        ("/bobbin help", Line("slack", "ada", "thread", "/bobbin help")),
        ("discord ben dm: hi", Line("discord", "ben", "dm", "hi")),
        ("slack ben thread  1 : hi", Line("slack", "ben", "thread 1", "hi")),
        (":edit hi", Line("slack", "ada", "", "hi", deed=Deed.EDIT)),
        ("slack ben #random: :edit hi", Line("slack", "ben", "#random", "hi", deed=Deed.EDIT)),
        ("slack ben anywhere: :delete", Line("slack", "ben", "", "", deed=Deed.DELETE)),
        (":click Try again", Line("slack", "ada", "", "Try again", deed=Deed.CLICK)),
        (":react eyes", Line("slack", "ada", "", "eyes", deed=Deed.REACT)),
        (":as ben", Line("slack", "ben", "", "", deed=Deed.AS)),
        (":kill", Line("", "", "", "", deed=Deed.KILL)),
        (":fault  cut   off", Line("", "", "", "cut off", deed=Deed.FAULT)),
        (":tada: good", Line("slack", "ada", "thread", "@bobbin :tada: good")),
        (":) good", Line("slack", "ada", "thread", "@bobbin :) good")),
        ("slack ada #random: \\:kill", Line("slack", "ada", "#random", ":kill")),
        ("slack ada #random: one\n  | two\n  |\n\t| # three", Line("slack", "ada", "#random", "one\ntwo\n\n# three")),
        (
            'discord ada dm: :file "a b.txt" data:text/plain;base64,aGk= look',
            Line("discord", "ada", "dm", "look", files=(Sent("a b.txt", b"hi", "text/plain"),)),
        ),
        (
            "discord ada dm: :file a data:a/b;base64,aGk= :file b data:a/b;base64, /ask hi",
            Line("discord", "ada", "dm", "/ask hi", files=(Sent("a", b"hi", "a/b"), Sent("b", b"", "a/b"))),
        ),
        ("discord ada #random back 2: :reply hi", Line("discord", "ada", "#random", "hi", deed=Deed.REPLY, back=2)),
        (
            "discord ada dm: :reply :file a data:a/b;base64,aGk= hi",
            Line("discord", "ada", "dm", "hi", deed=Deed.REPLY, files=(Sent("a", b"hi", "a/b"),)),
        ),
        ("discord ada #random: :thread Side", Line("discord", "ada", "#random", "Side", deed=Deed.THREAD)),
        ('slack ben thread "out of: stock": hi', Line("slack", "ben", 'thread "out of: stock"', "hi")),
        ("slack ben #random: :menu Ask Bobbin", Line("slack", "ben", "#random", "Ask Bobbin", deed=Deed.MENU)),
        (
            ":fill Your question = a = b\n  | c",
            Line("slack", "ada", "form", "Your question = a = b\nc", deed=Deed.FILL),
        ),
        ("slack ben form: :send", Line("slack", "ben", "form", "", deed=Deed.SEND)),
        (":close", Line("slack", "ada", "form", "", deed=Deed.CLOSE)),
        ("slack ben form: :click More", Line("slack", "ben", "form", "More", deed=Deed.CLICK)),
        ("discord ben #random: :delete ada", Line("discord", "ben", "#random", "ada", deed=Deed.DELETE)),
        ("slack ada dm: \\\\:kill", Line("slack", "ada", "dm", "\\:kill")),
    ],
)
def test_a_line_says_what_is_done(text: str, line: Line) -> None:
    [_, found] = read(FIRST + text)
    assert found == replace(line, where="talk.txt:2: ")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("slack ada general: hi", "I don't understand 'slack ada general: hi'. Write\nPLATFORM PERSON PLACE: TEXT"),
        ("matrix ada #general: hi", "I don't understand 'matrix ada #general: hi'."),
        ("slack: hi", "I don't understand 'slack: hi'."),
        ("slack " + "x" * 500, "I don't understand 'slack xxxxxxxxx"),
        ("slack ben thread 2: hi", "There is no thread 2: only 1 things were said outside of threads there before."),
        ("discord ben thread: hi", "There is no thread on Discord yet. Say something in #general first."),
        (":edti hi", "There is no :edti."),
        (":say hi", "There is no :say."),
        (":edit", ":edit needs something behind it."),
        (":send that", ":send takes nothing behind it."),
        (":fill hello", "Write :fill LABEL = TEXT, not 'hello'."),
        ("slack ada form: hi", "What is done in a form is :fill, :click, :send and :close."),
        ("slack ada form: :edit hi", "What is done in a form is :fill, :click, :send and :close."),
        ("slack ada #general back 1: hi", "“back” is for what is done to a message."),
        ("slack ada form back 1: :click OK", "“back” is for what is done to a message."),
        ("slack ada dm: " + ":file a data:a/b;base64, " * 11, "A message takes 10 files."),
        ("slack ada dm: :kill", ":kill is nobody's: write it alone."),
        (":fault fire", "There is no fault “fire”. There are: down, cut, amnesia, limit, redeliver"),
        (":fault cut on", "There is no fault “cut on”."),
        (":file nowhere.txt", "nowhere.txt: No such file or directory."),
        (":file a\0b", "'a\\x00b' is no name of a file."),
        (":file a data:text/plain;base64,a look", "The content of a is not base64."),
        ("slack ada anywhere: hi", "Things are said in one PLACE."),
        ("slack ada #general: " + "x" * 5_000_000, "That has 5,000,000 characters; 40,000 are the most."),
        (":meanwhile", ":meanwhile needs a line after it."),
    ],
)
def test_a_line_that_makes_no_sense_is_said_with_its_place(text: str, why: str) -> None:
    with pytest.raises(SetupError) as error:
        read(f"{FIRST}# a comment\n\n{text}\n")
    assert error.value.sentence.startswith(f"talk.txt:4: {why}")
    assert len(error.value.sentence) < 3_000


@pytest.mark.parametrize("first", ["hello", ":edit hello", ":as ben"])
def test_the_first_line_has_to_say_who_and_where(first: str) -> None:
    with pytest.raises(SetupError, match="PLATFORM"):
        read(first)


def test_a_line_may_come_in_the_middle_of_an_answer() -> None:
    lines = read(f"{FIRST}:meanwhile\n:kill\n:start\n")
    assert [(one.deed, one.is_meanwhile) for one in lines] == [
        (Deed.SAY, False),
        (Deed.KILL, True),
        (Deed.START, False),
    ]


def test_a_script_of_the_time_before_there_was_more_than_talking() -> None:
    script = (
        "# a comment\r\n"
        "\r\n"
        "slack ada #general: @bobbin Remember: 12:30\r\n"
        "slack ben thread: @bobbin and now?\r\n"
        "more\u2028of it\r\n"
        "discord ada #general: /preset set model=o3"
    )
    assert [(one.person, one.place, one.text) for one in read(script)] == [
        ("ada", "#general", "@bobbin Remember: 12:30"),
        ("ben", "thread", "@bobbin and now?"),
        ("ben", "thread", "@bobbin more\u2028of it"),
        ("ada", "#general", "/preset set model=o3"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        Line("slack", "ada", "#general", "@bobbin hi"),
        Line("slack", "ada", "#general", ":kill"),
        Line("slack", "ada", "#general", "one\n\n  two\n# three\n| four"),
        Line("slack", "ada", "#general", "a\u2028b\x0bc"),
        Line("discord", "dana", "dm", "new", deed=Deed.EDIT),
        Line("discord", "dana", "", "", deed=Deed.DELETE),
        Line("discord", "dana", "#general", "a: b", deed=Deed.CLICK, is_meanwhile=True),
        Line("discord", "dana", "#general", "", files=(Sent("a b.bin", b"\0\xff", "image/png"),)),
        Line("discord", "dana", "#general", "one\ntwo", files=(Sent("a", b"", "text/plain"), Sent("b", b"", "a/b"))),
        Line("discord", "dana", "#general", ":file x", deed=Deed.REPLY, files=(Sent("a", b"", "text/plain"),), back=3),
        Line("discord", "dana", 'thread "a: b"', "\\:kill"),
        Line("discord", "dana", "#general", "Side", deed=Deed.THREAD),
        Line("slack", "dana", "form", "Question = one\n\ntwo", deed=Deed.FILL),
        Line("slack", "dana", "form", "", deed=Deed.SEND),
        Line("slack", "dana", "", "Ask Bobbin", deed=Deed.MENU),
        Line("", "", "", "down off", deed=Deed.FAULT),
        Line("", "", "", "", deed=Deed.START),
    ],
)
def test_what_is_written_is_read_again(line: Line) -> None:
    [found] = read(write(line))
    assert found == replace(line, where=found.where)


def test_several_lines_that_are_pasted_are_done_one_by_one_and_a_text_of_several_is_one() -> None:
    assert pasted("slack ada dm: one\n# a comment\n:kill\n") == ["slack ada dm: one", ":kill"]
    assert pasted("def f():\n    return 1\n") == ["def f():\n    return 1"]
    assert pasted("  \n") == []


def test_what_could_not_be_done_is_nothing_to_go_on_from() -> None:
    reader = Reader(BOTH)
    reader.done(reader.read("slack ada #general: one"))
    reader.read("discord ben dm: two")
    assert reader.read("three").person == "ada"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"# a\n\nslack ada #general: caf\xe9", "talk.txt is not UTF-8 text (line 3). Save it as UTF-8."),
        ("slack ada #general: hi".encode("utf-16"), "talk.txt is not UTF-8 text (line 1). Save it as UTF-8."),
        (b"x" * (MOST_BYTES + 1), "talk.txt is larger than 10 MB."),
    ],
)
def test_a_file_that_is_no_script_is_said(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "talk.txt"
    file.write_bytes(content)
    with pytest.raises(SetupError) as error:
        read_file(file)
    assert error.value.sentence == f"{tmp_path}/{said}"


def test_what_some_editors_put_before_a_text_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "talk.txt"
    file.write_bytes("\ufeff# talk".encode())
    assert read_file(file) == "# talk"


def test_a_file_is_looked_for_beside_the_script(tmp_path: Path) -> None:
    (tmp_path / "note.md").write_text("hello")
    script = f"{FIRST}:file note.md look at this"
    [_, line] = read_script(script, str(tmp_path / "talk.txt"), BOTH)
    assert (line.files, line.text) == ((Sent("note.md", b"hello", "text/markdown"),), "look at this")
