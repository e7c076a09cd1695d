"""What the terminal prints: each line as it comes, and nothing that a terminal would obey."""

from __future__ import annotations

import pytest

from sandbox.line import Deed, Line
from sandbox.printed import Printer, has_colours, safe
from sandbox.scenes import Glimpse


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, tab\tand\nline", "plain, tab\tand\nline"),
        ("\x1b[2J\x1b]52;c;ZXZpbA==\x07", "␛[2J␛]52;c;ZXZpbA==␇"),
        ("a\rb\x08\x7f", "a␍b␈␡"),
        ("\x9b31m", "⟨U+009B⟩31m"),
        ("ab\u202ecod.exe\u2066", "ab⟨U+202E⟩cod.exe⟨U+2066⟩"),
        ("one\u2028two\u2029", "one⟨U+2028⟩two⟨U+2029⟩"),
        ("\ud83d", "⟨U+D83D⟩"),
        ("naïve 日本 👩‍💻 עברית", "naïve 日本 👩‍💻 עברית"),
    ],
)
def test_what_would_steer_a_terminal_is_shown_instead(text: str, shown: str) -> None:
    assert safe(text) == shown


def glimpse(text: str, *, key: str = "1", author: str = "bobbin", place: str = "#general") -> Glimpse:
    return Glimpse("slack", place, key, author, text)


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line for line in capsys.readouterr().out.split("\n") if line.strip()]


def test_a_message_is_printed_as_it_grows_and_its_end_when_it_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    printer = Printer()
    printer.show(glimpse("one\ntwo\nth"))
    assert lines(capsys) == ["── slack #general ──", " bobbin │ one"]
    printer.show(glimpse("one\ntwo\nthree\nfour"))
    printer.finish()
    assert lines(capsys) == ["        │ two", "        │ three", "        │ four"]
    printer.finish()
    assert not lines(capsys)


def test_two_answers_at_once_each_have_their_place(capsys: pytest.CaptureFixture[str]) -> None:
    printer = Printer()
    printer.show(glimpse("a1\na2\na3", key="a", place="#one"))
    printer.show(glimpse("b1\nb2\nb3", key="b", place="#two"))
    printer.show(glimpse("a1\na2\na3\na4", key="a", place="#one"))
    printer.finish()
    assert [line for line in lines(capsys) if "──" not in line] == [
        " bobbin │ a1",
        " bobbin │ b1",
        " bobbin │ a2",
        "        │ a3",
        "        │ a4",
        " bobbin │ b2",
        "        │ b3",
    ]


def test_what_is_written_anew_and_what_is_deleted_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    printer = Printer()
    for text in ("one\ntwo", "other", ""):
        printer.show(glimpse(text))
        printer.finish()
    assert lines(capsys)[1:] == [
        " bobbin │ one",
        "        │ two",
        " bobbin ↻",
        "        │ other",
        " bobbin ✗ (deleted)",
    ]


def test_nothing_that_is_printed_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    printer = Printer(in_colour=False)
    evil = "\x1b[2Jevil\u202e"
    printer.show(glimpse(evil, author=evil, place=evil))
    printer.finish()
    printer.act(Line("slack", evil, evil, evil, deed=Deed.CLICK))
    printer.say(evil)
    printer.hint(evil)
    printer.news(evil)
    said = capsys.readouterr().out
    assert said.count("evil") == 8
    assert not {"\x1b", "\u202e"} & set(said)


@pytest.mark.parametrize(
    ("no_color", "term", "is_terminal", "expected"),
    [
        (None, "xterm", True, True),
        ("", "xterm", True, True),
        ("1", "xterm", True, False),
        (None, "dumb", True, False),
        (None, None, True, False),
        (None, "xterm", False, False),
    ],
)
def test_colours_are_for_terminals_that_have_them_and_people_who_want_them(
    monkeypatch: pytest.MonkeyPatch, no_color: str | None, term: str | None, *, is_terminal: bool, expected: bool
) -> None:
    for name, value in (("NO_COLOR", no_color), ("TERM", term)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout.isatty", lambda: is_terminal)
    assert has_colours() is expected
