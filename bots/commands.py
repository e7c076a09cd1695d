"""Commands that people give in words, the same on every platform: presets, retry, reset, help."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from core.errors import Refused
from core.preset import DEFAULT, Preset

if TYPE_CHECKING:
    from core.preset import Choice, Origin
    from core.relay import Relay
    from core.thread import Thread

HELP = """\
Mention me with a question and I answer in the thread; I remember what was said there.

- `preset show`: how I answer here, and where that is set
- `preset set NAME`: use one of the presets of this deployment
- `preset set model MODEL`: use another model in this channel
- `preset set instructions TEXT`: tell me how to answer in this channel
- `preset reset`: back to what the wider place says
- `retry`: answer the last question of this thread again, with all in mind that was said before
- `reset`: forget this thread so far and begin anew
- `help`: this list"""

_PRESET_FIELDS = ("model", "instructions")
# A command is the whole message, so that a question that begins with such a word stays a question.
_SIMPLE = re.compile(r"(?P<verb>help|retry|reset|preset(?:\s+(?:show|reset|set))?)[.!]?", re.IGNORECASE)
_SET = re.compile(r"preset\s+set\s+(?P<what>\S+)(?:\s+(?P<value>.+))?", re.IGNORECASE | re.DOTALL)


def is_command(words: str) -> bool:
    """Would these words be obeyed, if somebody said them to the bot?"""
    return bool(_SET.fullmatch(words.strip()) or _SIMPLE.fullmatch(words.strip()))


async def obey(words: str, relay: Relay, thread: Thread, by: str) -> str | None:
    """Do what *words* command and return what to tell; None when they are no command. *by*: who asks, for the record."""
    words = words.strip()
    if setting := _SET.fullmatch(words):
        return await _set(setting["what"], setting["value"], relay, thread, by)
    if not (simple := _SIMPLE.fullmatch(words)):
        return None
    match simple["verb"].lower().split():
        case ["help"]:
            told = HELP
        case ["retry"]:
            told = await retry(relay, thread)
        case ["reset"]:
            told = await reset(relay, thread)
        case ["preset", "reset"]:
            told = await clear_preset(relay, thread, by)
        case ["preset", "set"]:
            told = _how_to_set(relay)
        case _:
            told = await show_preset(relay, thread)
    return told


async def retry(relay: Relay, thread: Thread) -> str:
    """Have the last question of the thread answered again; return what to tell."""
    if await relay.retry(thread):
        return "I'm answering the last question again: see its message above."
    return "There is no question in this thread that I remember, so there is nothing to answer again."


async def reset(relay: Relay, thread: Thread) -> str:
    """Forget the thread so far; return what to tell."""
    await relay.reset(thread)
    return "Done: I've forgotten what was said in this thread so far. Your next question begins anew."


async def show_preset(relay: Relay, thread: Thread) -> str:
    """Return how *thread* is answered, and where each field of that is set."""
    return _explained(await relay.choice(thread), thread)


async def set_preset(relay: Relay, thread: Thread, wish: Preset, by: str) -> str:
    """Set *wish* for the channel of *thread*; return what to tell, also when it can't be."""
    try:
        await relay.use_preset(thread.channel, wish, by)
    except Refused as refused:
        return refused.sentence
    return "Done. From the next question on:\n\n" + await show_preset(relay, thread)


async def clear_preset(relay: Relay, thread: Thread, by: str) -> str:
    """Let the channel of *thread* inherit everything again; return what to tell."""
    await relay.clear_preset(thread.channel, by)
    return "Done. From the next question on:\n\n" + await show_preset(relay, thread)


async def _set(what: str, value: str | None, relay: Relay, thread: Thread, by: str) -> str:
    if what.lower() in _PRESET_FIELDS:
        if value is None:
            return _how_to_set(relay)
        wish = Preset(model=value.strip()) if what.lower() == "model" else Preset(instructions=value.strip())
        return await set_preset(relay, thread, wish, by)
    if value is not None:
        return _how_to_set(relay)
    return await set_preset(relay, thread, Preset(name=what), by)


def _how_to_set(relay: Relay) -> str:
    names = ", ".join(f"`{name}`" for name in relay.preset_names)
    return (
        "Say which: `preset set NAME`, `preset set model MODEL` or `preset set instructions TEXT`. "
        f"Presets of this deployment: {names}."
    )


def _explained(choice: Choice, thread: Thread) -> str:
    lines = []
    for field in ("name", *_PRESET_FIELDS, "fallbacks"):
        origin = choice.origins.get(field)
        if origin is not None and origin.value:
            label = "preset" if field == "name" else field
            lines.append(f"- **{label}**: {_quoted(origin.value)} ({_where(origin, thread)})")
    return "\n".join(lines)


def _quoted(value: str) -> str:
    line = " ".join(value.split()).replace("`", "ˋ")
    return f"`{line}`"


def _where(origin: Origin, thread: Thread) -> str:
    if origin.place == DEFAULT:
        return "default of this deployment"
    if origin.place == thread.channel:
        return "set in this channel"
    return "set for the whole workspace" if origin.place == thread.workspace else "set in a wider place"
