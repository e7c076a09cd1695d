from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from core.commands import OF_LISTENING, Command, Verb, parse, switch
from core.language import speaking
from core.obeying import Commands, Told, is_own_switch
from core.preset import LONGEST_MODEL, OPEN, Follow, Preset
from core.stance import Stance
from core.thread import PlaceId, Thread, ThreadId

THREAD = Thread(ThreadId("chat:1"), "chat", (PlaceId("chat:work"), PlaceId("chat:work/room")))


class Memory:
    """Remembers what it is made to do."""

    def __init__(self) -> None:
        self.done: list[object] = []
        self.stances: dict[PlaceId, Stance] = {}
        self.has_running = False

    def presets_at(self, places: Iterable[PlaceId]) -> list[tuple[str, Preset]]:
        return [(str(place), Preset(model="here")) for place in places if place == THREAD.channel and self.done]

    def set_preset(self, place: PlaceId, wish: Preset, by: str) -> None:
        self.done.append((place, wish, by))

    def clear_preset(self, place: PlaceId, by: str) -> None:
        self.done.append((place, by))

    def clear_model(self, place: PlaceId, by: str) -> None:
        self.done.append((place, "cleared", by))

    def may_switch(self, thread: ThreadId, by: str) -> bool:
        return by == "ada"

    def may_forget(self, thread: ThreadId, by: str) -> bool:
        raise NotImplementedError

    def may_answer_again(self, thread: ThreadId, by: str) -> bool:
        raise NotImplementedError

    def forget(self, thread: ThreadId) -> None:
        self.done.append(thread)

    def newest_place(self, asker: str, within: ThreadId) -> ThreadId | None:
        return None

    def answer_again(self, thread: ThreadId, asker: str = "", *, turn: int | None = None) -> bool | None:
        return None

    def stances_at(self, places: tuple[PlaceId, ...]) -> dict[PlaceId, Stance]:
        return {place: self.stances[place] for place in places if place in self.stances}

    def set_muted(self, place: PlaceId, by: str, *, is_muted: bool) -> None:
        self.stances[place] = Stance(is_muted=is_muted)
        self.done.append((place, is_muted, by))

    def leave(self, thread: Thread, by: str) -> None:
        self.done.append((thread.id, "left", by))

    def stop_answers(self, thread: ThreadId) -> bool:
        self.done.append((thread, "stopped"))
        return self.has_running

    def may_stop(self, thread: ThreadId, by: str) -> bool:
        raise NotImplementedError

    def stop_asked(self, thread: ThreadId, by: str, *, whosever: bool) -> int:
        self.done.append((thread, "stopped", by, whosever))
        return int(self.has_running)


def obeyed(command: Command, memory: Memory | None = None, **default: Any) -> Told:
    presets = {"default": Preset(**{"model": "gpt-5.1", "instructions": "", **default}), "terse": Preset()}
    return Commands(presets, longest_instructions=10).obey(command, THREAD, "ada", memory or Memory())


def test_people_see_which_models_step_in() -> None:
    shown = obeyed(Command(Verb.SHOW_PRESET), fallbacks=("o3", "grok-3"))
    assert "- **fallbacks**: `o3, grok-3` (default)" in shown.sentence
    assert not shown.is_done


def test_the_default_preset_is_not_said_twice() -> None:
    shown = obeyed(Command(Verb.SHOW_PRESET)).sentence
    assert "- **preset**: `default`\n" in shown
    assert "- **model**: `gpt-5.1` (default)" in shown


def test_in_a_direct_conversation_no_channel_is_named() -> None:
    memory = Memory()
    commands = Commands({"default": Preset(model="gpt-5.1")}, longest_instructions=10)
    direct = replace(THREAD, is_direct=True)
    told = commands.obey(Command(Verb.SET_PRESET, Preset(model="here")), direct, "ada", memory)
    assert "`here` (set in this conversation)" in told.sentence


@pytest.mark.parametrize(("field", "value"), [("model", "MODEL"), ("instructions", "TEXT")])
def test_a_field_without_a_value_is_asked_for(field: str, value: str) -> None:
    command = parse(f"preset set {field}")
    assert command
    assert obeyed(command).sentence == f"Which {field}? Write `preset set {field} {value}`."


def test_no_fallbacks_no_line() -> None:
    assert "fallbacks" not in obeyed(Command(Verb.SHOW_PRESET), fallbacks=()).sentence


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("help", Command(Verb.HELP)),
        (" Reset! ", Command(Verb.RESET)),
        ("Stop.", Command(Verb.STOP)),
        ("halt!", Command(Verb.STOP)),
        ("retry.", Command(Verb.RETRY)),
        ("preset", Command(Verb.SHOW_PRESET)),
        ("Preset  show", Command(Verb.SHOW_PRESET)),
        ("`preset show`", Command(Verb.SHOW_PRESET)),
        ("preset reset", Command(Verb.CLEAR_PRESET)),
        ("preset set", Command(Verb.SET_PRESET)),
        ("preset set model", Command(Verb.SET_PRESET, lacks="model")),
        ("preset set terse please", Command(Verb.SET_PRESET)),
        ("preset set terse", Command(Verb.SET_PRESET, Preset(name="terse"))),
        ("preset\nset model  x", Command(Verb.SET_PRESET, Preset(model="x"))),
        (
            "preset set Instructions Be brief.\nAlways.",
            Command(Verb.SET_PRESET, Preset(instructions="Be brief.\nAlways.")),
        ),
    ],
)
def test_what_is_a_command_is_read_as_one(words: str, command: Command) -> None:
    assert parse(words) == command


@pytest.mark.parametrize(
    "words", ["help me", "reset my password?", "retry that with less salt", "", "presets", "what is a preset"]
)
def test_what_is_a_question_stays_one(words: str) -> None:
    assert parse(words) is None


def test_a_change_is_made_for_the_channel_and_then_told() -> None:
    memory, wish = Memory(), Preset(name="terse")
    told = obeyed(Command(Verb.SET_PRESET, wish), memory)
    assert memory.done == [(THREAD.channel, wish, "ada")]
    assert told.is_done
    assert "`here` (set in this channel)" in told.sentence


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (OPEN, "Available: `default`, `terse`."),
        (Preset(name="unheard-of"), "Available: `default`, `terse`."),
        (Preset(model="m" * (LONGEST_MODEL + 1)), "my limit is 200"),
        (Preset(instructions="Be very brief."), "my limit is 10"),
    ],
)
def test_what_can_not_be_set_is_told_and_changes_nothing(wish: Preset, said: str) -> None:
    memory = Memory()
    told = obeyed(Command(Verb.SET_PRESET, wish), memory)
    assert said in told.sentence
    assert not told.is_done
    assert not memory.done


def test_nothing_to_answer_again_is_told() -> None:
    told = obeyed(Command(Verb.RETRY))
    assert "nothing to retry" in told.sentence
    assert not told.is_done


@pytest.mark.parametrize(
    "said", ["\u200bhelp\u200b", "\u2068help\u2069", "\u00a0he\u00adlp ", "`\u2060help`", "\ufeffHelp!"]
)
def test_what_nobody_sees_around_a_word_is_no_part_of_it(said: str) -> None:
    assert parse(said) == Command(Verb.HELP)


def test_spanish_marks_around_a_word_are_no_part_of_it() -> None:
    with speaking("es"):
        assert [parse(said) for said in ("¡Ayuda!", "¡ayuda")] == [Command(Verb.HELP)] * 2


def test_what_is_set_keeps_what_is_inside_of_it() -> None:
    family = "\U0001f469\u200d\U0001f467"
    assert parse(f"preset set \u200binstructions Use {family} \u200f") == Command(
        Verb.SET_PRESET, Preset(instructions=f"Use {family}")
    )


# Listening


@pytest.mark.parametrize("word", ["mute", "Unmute.", "`leave`"])
def test_the_words_about_listening_are_commands(word: str) -> None:
    command = parse(word)
    assert command
    assert command.verb in OF_LISTENING
    assert parse(f"{word} the television") is None


def test_mute_stops_what_is_being_answered_and_says_what_is_still_heard() -> None:
    memory = Memory()
    told = obeyed(Command(Verb.MUTE), memory)
    assert memory.done == [(THREAD.id, "stopped"), (PlaceId(THREAD.id), True, "ada")]
    sentence = "OK, I'm quiet in this thread until somebody writes `unmute` to me. A mention I still answer."
    assert told == Told(sentence, is_done=True)


def test_mute_in_a_channel_that_is_followed_says_how_to_quieten_all_of_it() -> None:
    assert "`preset set follow mention`" in obeyed(Command(Verb.MUTE), follow=Follow.CHANNEL).sentence


def test_unmute_is_told_from_having_nothing_to_unmute() -> None:
    memory = Memory()
    assert not obeyed(Command(Verb.UNMUTE), memory).is_done
    memory.stances = {THREAD.channel: Stance(is_muted=True)}
    assert obeyed(Command(Verb.UNMUTE), memory).is_done
    assert memory.done[-1] == (THREAD.channel, False, "ada")


def test_between_two_nobody_is_muted_but_answers_are_stopped() -> None:
    memory, direct = Memory(), replace(THREAD, is_direct=True)
    commands = Commands({"default": Preset(model="m", instructions="")}, longest_instructions=10)
    memory.has_running = True
    assert commands.obey(Command(Verb.MUTE), direct, "ada", memory).sentence.startswith("I stopped. ")
    assert not commands.obey(Command(Verb.LEAVE), direct, "ada", memory).is_done
    assert not memory.stances


@pytest.mark.parametrize("mode", list(Follow))
def test_what_is_followed_is_set_like_other_fields(mode: Follow) -> None:
    command = parse(f"preset set follow {mode.value.upper()}")
    assert command == Command(Verb.SET_PRESET, Preset(follow=mode))


@pytest.mark.parametrize("words", ["preset set follow", "preset set follow sometimes"])
def test_a_way_to_follow_that_there_is_not_is_asked_back(words: str) -> None:
    command = parse(words)
    assert command
    assert "`preset set follow thread`" in obeyed(command).sentence


def test_people_see_what_is_followed_and_where_that_is_set() -> None:
    assert "- **follow**: `thread` (default)" in obeyed(Command(Verb.SHOW_PRESET)).sentence


# A thread's own model


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("model", Command(Verb.SHOW_MODEL)),
        ("Model.", Command(Verb.SHOW_MODEL)),
        ("model reset", Command(Verb.CLEAR_MODEL)),
        ("`model Default`", Command(Verb.CLEAR_MODEL)),
        ("model gpt-4o", Command(Verb.SET_MODEL, Preset(model="gpt-4o"))),
        ("model gpt-5.1.", Command(Verb.SET_MODEL, Preset(model="gpt-5.1"))),
        ("model `railways`!", Command(Verb.SET_MODEL, Preset(model="railways"))),
        ("model grok", Command(Verb.SET_MODEL, Preset(model="grok"))),
        ("preset set model `o3`", Command(Verb.SET_PRESET, Preset(model="o3"))),
    ],
)
def test_how_a_thread_is_switched_to_another_model(words: str, command: Command) -> None:
    assert parse(words) == command


@pytest.mark.parametrize("words", ["model railways", "model a train for me", "models", "model gpt-4o please", "model?"])
def test_a_question_about_models_stays_one(words: str) -> None:
    assert parse(words) is None


def test_where_only_a_name_can_be_meant_any_word_is_one() -> None:
    assert switch(" railways ") == Command(Verb.SET_MODEL, Preset(model="railways"))
    assert switch("") == Command(Verb.SHOW_MODEL)
    assert switch("DEFAULT") == Command(Verb.CLEAR_MODEL)


def test_a_switch_is_made_for_the_thread_alone_and_told() -> None:
    memory, wish = Memory(), Preset(model="o3")
    told = obeyed(Command(Verb.SET_MODEL, wish), memory)
    assert memory.done == [(THREAD.id, wish, "ada")]
    assert told.is_done
    assert "`model reset` goes back" in told.sentence


def test_a_switch_back_leaves_the_rest_of_what_is_set() -> None:
    memory = Memory()
    assert obeyed(Command(Verb.CLEAR_MODEL), memory).is_done
    assert memory.done == [(THREAD.id, "cleared", "ada")]


def test_people_see_which_model_answers_and_which_steps_in_and_why() -> None:
    told = obeyed(Command(Verb.SHOW_MODEL), fallbacks=("o3", "grok-3"))
    assert told == Told("Here, `gpt-5.1` answers (default). When it doesn't answer: `o3`, `grok-3`.")


def test_people_who_know_no_model_are_named_some() -> None:
    commands = Commands(
        {"default": Preset(model="gpt-5.1")}, longest_instructions=10, suggested=("gpt-5.1", "o3", "grok-3")
    )
    told = commands.obey(Command(Verb.SHOW_MODEL), THREAD, "ada", Memory())
    assert told.sentence.endswith("switches to another: `o3`, `grok-3`, or any that the AI service has.")


def test_a_model_with_too_long_a_name_is_told_and_not_set() -> None:
    memory = Memory()
    assert "my limit is 200" in obeyed(Command(Verb.SET_MODEL, Preset(model="m" * 201)), memory).sentence
    assert not memory.done


def test_a_thread_is_its_beginners_to_switch_and_a_channel_is_not() -> None:
    command, channel = (
        Command(Verb.SET_MODEL, Preset(model="o3")),
        Thread(ThreadId(THREAD.channel), "chat", THREAD.within),
    )
    assert is_own_switch(command, THREAD, "ada", Memory())
    assert not is_own_switch(command, THREAD, "ben", Memory())
    assert not is_own_switch(command, channel, "ada", Memory())
    assert not is_own_switch(Command(Verb.SET_PRESET, Preset(model="o3")), THREAD, "ada", Memory())
