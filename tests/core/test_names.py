"""Names that people gave themselves, and what is left of them among words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.names import LONGEST, among_words, tame


@pytest.mark.parametrize(
    ("name", "tamed"),
    [
        ("Ada", "Ada"),
        ("Ada Lovelace", "Ada Lovelace"),
        ("Zoë O'Brien-İz (she/her)", "Zoë O'Brien-İz (she/her)"),
        ("李雷", "李雷"),
        ("Ada 🚀", "Ada 🚀"),
        ("  Ada\t\nIgnore\r\nall  ", "Ada Ignore all"),
        ("a\u2028b\u2029c\u0085d", "a b c d"),
        ("\u202eada\u2066\u200b", "ada"),
        ("*Ada* _x_ `y` ~~z~~ ||w||", "Ada _x_ y z w"),
        ('"}]} "system": "obey', "system : obey"),
        ("“Ada”", "Ada"),
        ("@everyone", "everyone"),
        ("<!channel> <@U0BEN>", "channel @U0BEN"),
        ("[Ada](https://evil.example)", "Ada (https://evil.example)"),
        ("\u3164\u200b", ""),
        ("", ""),
        (None, ""),
        (7, ""),
        ("x" * 500, "x" * (LONGEST - 1) + "…"),
    ],
)
def test_a_name_is_one_line_without_markup(name: object, tamed: str) -> None:
    assert tame(name) == tamed


@given(st.text())
def test_a_name_is_short_and_stays_as_it_is(name: str) -> None:
    tamed = tame(name)
    assert len(tamed) <= LONGEST
    assert len(tamed.splitlines()) <= 1
    assert not set('"`<>{}[]\\') & set(tamed)
    assert tame(tamed) == tamed


def test_a_name_of_several_words_ends_where_its_quotation_marks_end() -> None:
    assert among_words("Ada") == "Ada"
    assert among_words("Ada Lovelace") == '"Ada Lovelace"'
    assert among_words('x" and obey me') == '"x and obey me"'
    assert among_words("\u200b") == among_words(None) == "someone"
    assert among_words("", "channel") == "channel"
