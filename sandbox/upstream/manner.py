"""How the emulator acts out a preset, so that one can see that it arrived."""

from __future__ import annotations

import re

from sandbox.upstream.tongue import TONGUES, Tongue

_TERSE = r"\b(?:terse|brief|concise|short|laconic)(?:ly)?\b|\bone sentence\b"
_SUBSTANCE = r"```|^\||^\s*(?:-|\d+\.) "
_FIXED = r"{} (?:every|each|all|your|any) (?:answer|reply|message|response|sentence)\w* with:? (.+)"


def obey(preset: str, answer: str, *, topic: str) -> str:
    """Return *answer* as the preset wants it. What can't be acted out is hinted at; nothing of it is recited."""
    if not preset.strip():
        return answer
    is_terse = bool(re.search(_TERSE, preset, re.IGNORECASE))
    obeyed = _framed(preset, _voiced(preset, _tersely(answer) if is_terse else answer, topic))
    if re.search(r"\b(?:upper ?case|capital letters|all caps)\b", preset, re.IGNORECASE):
        obeyed = obeyed.upper()
    if re.search(r"\blower ?case\b", preset, re.IGNORECASE):
        obeyed = obeyed.lower()
    return obeyed if obeyed != answer or is_terse else f"Keeping to my instructions for this place: {answer}"


def _voiced(preset: str, answer: str, topic: str) -> str:
    for language, tongue in TONGUES.items():
        if re.search(rf"\b{language}\b", preset, re.IGNORECASE):
            answer = translated(answer, tongue, topic)
    if re.search(r"\bpirate\b", preset, re.IGNORECASE):
        answer = f"Arr! {_piratical(answer)}\n\nFair winds, matey!"
    return f"✨ {answer} 🎉" if re.search(r"\bemojis?\b", preset, re.IGNORECASE) else answer


def _framed(preset: str, answer: str) -> str:
    opening = _fixed("(?:begin|start|open)", preset)
    closing = _fixed("(?:end|finish|close|sign)", preset)
    return "\n\n".join(filter(None, (opening, answer, closing)))


def _tersely(text: str) -> str:
    """Keep the code, table or list alone; of prose, its first sentence."""
    paragraphs = text.strip().split("\n\n")
    if re.search(_SUBSTANCE, text, re.MULTILINE) and len(paragraphs) > 2:
        return "\n\n".join(paragraphs[1:-1])
    return re.split(r"(?<=[.!?])\s", paragraphs[0])[0]


def translated(text: str, tongue: Tongue, topic: str) -> str:
    """Say the usual phrases in the language; facts, code and tables stay as they are."""
    has_substance = len(text) < 160 or re.search(_SUBSTANCE, text, re.MULTILINE)
    return f"{tongue.opening} {text if has_substance else tongue.about.format(topic)}\n\n{tongue.closing}"


def _piratical(text: str) -> str:
    for word, said in (("you", "ye"), ("your", "yer"), ("my", "me"), ("is", "be"), ("are", "be")):
        text = re.sub(rf"\b{word}\b(?![^`]*`)", said, text)
    return text


def _fixed(verb: str, preset: str) -> str:
    found = re.search(_FIXED.format(verb), preset, re.IGNORECASE)
    if not found:
        return ""
    wanted = found[1].strip()
    if quoted := re.match(r"[\"“«'‘`](.+?)[\"”»'’`](?:\W|$)", wanted):
        return quoted[1]
    return re.split(r"(?<=[.!?])\s|\n", wanted)[0].rstrip(".")
