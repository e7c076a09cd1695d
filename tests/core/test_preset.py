from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.preset import DEFAULT, Preset, choose

NAMED = {DEFAULT: Preset(model="gpt-5.1", instructions=""), "pirate": Preset(instructions="Speak like a pirate.")}
presets = st.builds(Preset, model=st.none() | st.text(min_size=1), instructions=st.none() | st.text())


def test_with_nothing_set_the_deployment_decides() -> None:
    choice = choose(NAMED, [])
    assert (choice.model, choice.instructions) == ("gpt-5.1", "")
    assert choice.origins["model"].place == DEFAULT


def test_each_field_is_inherited_by_itself() -> None:
    choice = choose(NAMED, [("work", Preset(model="o3")), ("room", Preset(instructions="Be brief."))])
    assert (choice.model, choice.instructions) == ("o3", "Be brief.")
    assert (choice.origins["model"].place, choice.origins["instructions"].place) == ("work", "room")


def test_a_named_preset_fills_what_the_place_leaves_open() -> None:
    choice = choose(NAMED, [("room", Preset(name="pirate", model="o3"))])
    assert (choice.model, choice.instructions) == ("o3", "Speak like a pirate.")
    assert choice.origins["name"] == ("pirate", "room")


def test_empty_instructions_are_a_decision_and_open_ones_are_not() -> None:
    wide = ("work", Preset(instructions="Shout."))
    assert choose(NAMED, [wide, ("room", Preset(instructions=""))]).instructions == ""
    assert choose(NAMED, [wide, ("room", Preset())]).instructions == "Shout."


def test_a_preset_that_was_removed_from_the_settings_decides_nothing() -> None:
    assert choose(NAMED, [("room", Preset(name="gone"))]).model == "gpt-5.1"


@given(presets, presets, presets)
def test_it_does_not_matter_in_which_steps_one_inherits(thread: Preset, channel: Preset, workspace: Preset) -> None:
    assert thread.over(channel).over(workspace) == thread.over(channel.over(workspace))


@given(st.lists(st.tuples(st.text(min_size=1), presets)))
def test_the_narrowest_place_that_decides_wins(layers: list[tuple[str, Preset]]) -> None:
    decided = [preset.model for _, preset in layers if preset.model is not None]
    assert choose(NAMED, layers).model == (decided[-1] if decided else "gpt-5.1")


def test_fallbacks_are_inherited_like_any_field_and_deciding_for_none_is_a_decision() -> None:
    named = {
        **NAMED,
        DEFAULT: Preset(model="gpt-5.1", instructions="", fallbacks=("o3",)),
        "alone": Preset(fallbacks=()),
    }
    assert choose(named, [("room", Preset(name="pirate"))]).models == ("gpt-5.1", "o3")
    assert choose(named, [("room", Preset(name="alone"))]).models == ("gpt-5.1",)
    assert choose(named, []).origins["fallbacks"] == ("o3", DEFAULT)


def test_a_model_that_is_its_own_fallback_is_asked_once() -> None:
    named = {DEFAULT: Preset(model="gpt-5.1", instructions="", fallbacks=("o3", "gpt-5.1", "o3"))}
    assert choose(named, []).models == ("gpt-5.1", "o3")
    assert choose(named, [("room", Preset(model="o3"))]).models == ("o3", "gpt-5.1")
