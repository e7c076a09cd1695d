from __future__ import annotations

from typing import Any, cast

import pytest

from bots.commands import is_command, obey
from core.preset import Choice, Preset, choose
from core.relay import Relay
from core.thread import PlaceId, Thread, ThreadId

THREAD = Thread(ThreadId("chat:1"), "chat", (PlaceId("chat:work"), PlaceId("chat:work/room")))


class Choosing:
    """As much of a relay as this needs."""

    def __init__(self, **default: Any) -> None:
        self._named = {"default": Preset(**{"model": "gpt-5.1", "instructions": "", **default})}

    async def choice(self, thread: Thread) -> Choice:
        return choose(self._named, [])


async def shown(relay: Choosing) -> str:
    return await obey("preset show", cast("Relay", relay), THREAD, "ada") or ""


async def test_people_see_which_models_step_in() -> None:
    assert "- **fallbacks**: `o3, grok-3` (default of this deployment)" in await shown(
        Choosing(fallbacks=("o3", "grok-3"))
    )


async def test_no_fallbacks_no_line() -> None:
    assert "fallbacks" not in await shown(Choosing(fallbacks=()))


@pytest.mark.parametrize(
    "words", ["help", " Reset! ", "retry", "preset", "preset show", "preset set terse", "preset\nset model x"]
)
async def test_what_is_a_command_is_obeyed(words: str) -> None:
    assert is_command(words)


@pytest.mark.parametrize(
    "words", ["help me", "reset my password?", "retry that with less salt", "", "presets", "what is a preset"]
)
async def test_what_is_a_question_stays_one(words: str) -> None:
    assert not is_command(words)
    assert await obey(words, cast("Relay", Choosing()), THREAD, "ada") is None
