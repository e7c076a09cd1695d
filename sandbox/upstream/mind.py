"""The emulator's mind: an answer that fits the question, remembers the conversation and obeys its preset.

Pure and deterministic: the same question at the same point of the same conversation has the same answer.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sandbox.upstream import prose
from sandbox.upstream.facts import Facts, ask_of, questions_of
from sandbox.upstream.looking import first_line
from sandbox.upstream.manner import obey, translated
from sandbox.upstream.tongue import HELLO, THANKS, how_one_is, tongue_of

_PIECES = 1_500  # of one answer at most: a very long one comes in larger pieces


@dataclass(slots=True)
class Turn:
    """A question as it was heard, and how far its answer came."""

    question: str
    model: str = ""
    preset: str = ""
    seen: tuple[str, ...] = ()  # what it is referred to, described
    answer: str = ""


def think(turn: Turn, earlier: Sequence[Turn] = ()) -> str:
    """Return the answer to *turn* in a conversation whose earlier turns are *earlier*."""
    ask = ask_of(turn.question)
    if exact := re.search(r"(?:say exactly|repeat after me)\s*:\s*(.+)", ask, re.IGNORECASE | re.DOTALL):
        return _filled_in(exact[1].strip(), turn.question)
    texts = [each.question for each in earlier] + [turn.question]
    body = _remembered(ask, texts) or _of_itself(ask, turn) or _composed(ask)
    quoted = [f"`{name}` ({first_line(text)})" for name, text in _quoted_files(turn.question)]
    if seen := [*quoted, *turn.seen]:
        body = f"I've looked at {', '.join(seen)}.\n\n{body}"
    return obey(turn.preset, body, topic=prose.topic(ask))


def pieces(text: str) -> list[str]:
    """Cut an answer the way models do: mostly word by word, now and then a few at once."""
    tokens = re.findall(r"\s*\S{1,8}|\s+$", text)
    least = len(tokens) // _PIECES
    cut = []
    position = 0
    while position < len(tokens):
        size = 1 + least + (_seed(f"{position}{tokens[position]}") % 7 == 0) * 2
        cut.append("".join(tokens[position : position + size]))
        position += size
    return cut


def _remembered(ask: str, texts: Sequence[str]) -> str:
    """Answer from what was said in this conversation, or admit not to know."""
    facts = Facts(texts)
    before = questions_of(texts)[:-1]
    if re.search(r"\bwhat (?:did|have) I (?:tell|told|ask(?:ed)? you to remember)\b", ask, re.IGNORECASE):
        return facts.told()
    if re.search(r"what .*\bI (?:ask|say|said)\b.*\bfirst\b|\bmy first question\b", ask, re.IGNORECASE):
        return f"The first thing you asked was: “{before[0]}”" if before else "This is the first thing you ask me here."
    if re.search(r"what .*\bI (?:just )?(?:ask|say|said)\b|\bmy (?:last|previous) question\b", ask, re.IGNORECASE):
        return f"Before this you asked: “{before[-1]}”" if before else "You haven't asked me anything before this."
    return facts.asked_for(ask) or facts.noted(ask)


def _of_itself(ask: str, turn: Turn) -> str:
    if re.search(r"\b(?:which|what) (?:\w+ )?model\b.*\b(?:you|this)\b", ask, re.IGNORECASE):
        return f"I'm asked as `{turn.model}`. In truth I'm Bobbin's upstream emulator and no model at all."
    if re.search(
        r"\bwho are you\b|\bwhat are you\b(?=\W*$)|\bare you (?:real|an? (?:ai|bot|model))", ask, re.IGNORECASE
    ):
        return (
            "I'm Bobbin's upstream emulator: I stand in for the real AI service, so that you can try things out "
            "without a token. My answers are made up, but I do remember what you tell me in a conversation."
        )
    if re.search(r"^write a title\b", ask, re.IGNORECASE):
        asked = re.search(r'^\{"question": "((?:[^"\\]|\\.)*)', turn.question, re.MULTILINE)
        return f"All about {prose.topic(asked[1] if asked else ask)}"
    if re.search(r"\b(?:system prompt|preset|your instructions)\b", ask, re.IGNORECASE):
        return (
            "I follow the instructions I was given for this place." if turn.preset else "I was given no instructions."
        )
    return ""


def _composed(ask: str) -> str:
    """Make something up in the form that was asked for."""
    seed = _seed(ask)
    if small := _small_talk(ask, seed):
        return small
    if count := re.search(r"\bcount (?:up )?(?:from \d+ )?to (\d+)", ask, re.IGNORECASE):
        return " ".join(str(number) for number in range(1, min(int(count[1]), 10_000) + 1))
    if words := re.search(r"\b(\d[\d,]*)[ -]words?\b", ask, re.IGNORECASE):  # exactly as many
        return prose.essay(prose.topic(ask), min(int(words[1].replace(",", "")), 50_000), seed)
    tongue = tongue_of(ask)
    compose = next((compose for pattern, compose in _FORMS if re.search(pattern, ask, re.IGNORECASE)), None)
    body = compose(ask, seed) if compose else prose.paragraphs(prose.topic(ask), seed)
    if tongue:
        return f"{translated(body, tongue, prose.topic(ask))}\n\n*({tongue.made_up})*"
    return f"{body}\n\n{prose.MADE_UP}"


def _small_talk(ask: str, seed: int) -> str:
    """What one says to a greeting, to thanks and the like; empty if it is none."""
    if fine := how_one_is(ask):
        return fine
    tongue = tongue_of(ask)
    if THANKS.search(ask):
        return tongue.welcome if tongue else prose.welcome(seed)
    if tongue and HELLO.search(ask):
        return tongue.greeting
    found = next((say for pattern, say in prose.SMALL_TALK if re.search(pattern, ask, re.IGNORECASE)), None)
    return found[seed % len(found)] if found else ""


_FORMS: tuple[tuple[str, Callable[[str, int], str]], ...] = (
    (
        r"\b(?:essay|long answer|in (?:great )?detail|at length|long)\b",
        lambda ask, seed: prose.essay(prose.topic(ask), 700, seed),
    ),
    (r"\b(?:code|function|script|program|regex|snippet)\b", prose.code),
    (r"\b(?:table|compare|comparison|versus|vs\.?|difference between)\b", prose.table),
    (r"\b(?:python|javascript|sql|bash|rust)\b", prose.code),
    (
        r"\b(?:list|steps|how (?:do|can|to)|ideas|tips|ways|checklist|plan)\b",
        lambda ask, seed: prose.steps(prose.topic(ask), seed),
    ),
)


def _filled_in(text: str, question: str) -> str:
    """Return *text* with what the files hold that came with *question*, where it has their names in braces."""
    for name, content in _quoted_files(question):
        text = text.replace(f"{{{name}}}", content.strip())
    return text


def _quoted_files(question: str) -> list[tuple[str, str]]:
    """Return the names and texts that are quoted as `{"file": …, "text": …}`, a line each."""
    found = []
    for line in question.splitlines():
        try:
            quoted = json.loads(line) if line.startswith('{"file"') else {}
        except ValueError:
            continue
        if isinstance(name := quoted.get("file"), str) and isinstance(text := quoted.get("text"), str):
            found.append((name, text))
    return found


def _seed(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8], "big")
