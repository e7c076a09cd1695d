"""How a form is filled in by lines."""

from __future__ import annotations

import pytest

from core.errors import SetupError
from sandbox.scenes.form import Field, Filled

QUESTION = Field("Your question", "q", ("Explain this.",))
SUM = Field("a = b", "sum", ())
WHO = Field("Who sees it?", "who", ("all",), {"Everyone": "all", "Only me": "me"})
COLOURS = Field("Colours", "colours", (), {"Red, light": "r", "Blue": "b"}, takes_many=True)
FIELDS = [QUESTION, SUM, WHO, COLOURS]


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("your  QUESTION = what is a = b?\n  why?", "q", ("what is a = b?\n  why?",)),
        ("Your question =", "q", ()),
        ("a = b = c", "sum", ("c",)),
        ("Who sees it? = only me", "who", ("me",)),
        ("Colours = Red, light\nBlue", "colours", ("r", "b")),
    ],
)
def test_a_line_fills_in_what_it_names(text: str, name: str, values: tuple[str, ...]) -> None:
    filled = Filled()
    filled.fill("ada", "form 1", FIELDS, text)
    assert filled.of("ada", "form 1") == {name: values}
    assert filled.of("ben", "form 1") == {}
    assert filled.of("ada", "form 2") == {}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Colour = Blue", "nothing to fill in called “Colour”. There is: Your question, a = b, Who sees it?, Colours."),
        ("Colours = Green", "“Colours” has no choice “green”. There is: Red, light, Blue."),
        ("Who sees it? = Everyone\nOnly me", "“Who sees it?” takes one choice."),
    ],
)
def test_what_can_not_be_filled_in_is_said_with_what_can(text: str, why: str) -> None:
    with pytest.raises(SetupError) as error:
        Filled().fill("ada", "form 1", FIELDS, text)
    assert error.value.sentence.endswith(why)


@pytest.mark.parametrize(
    ("field", "values"), [(QUESTION, ("one\ntwo",)), (QUESTION, ()), (WHO, ("me",)), (COLOURS, ("r", "b"))]
)
def test_what_is_written_fills_in_the_same(field: Field, values: tuple[str, ...]) -> None:
    filled = Filled()
    filled.fill("ada", "form 1", FIELDS, field.written(values))
    assert filled.of("ada", "form 1") == {field.name: values}


def test_what_there_is_to_fill_in_is_shown() -> None:
    assert [one.shown for one in FIELDS] == [
        "Your question = Explain this.",
        "a = b =",
        "Who sees it? = Everyone (Everyone | Only me)",
        "Colours = (Red, light | Blue)",
    ]
