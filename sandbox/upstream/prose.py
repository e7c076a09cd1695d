"""The emulator's prose for when nothing in particular is known: Markdown with some variety."""

from __future__ import annotations

import random
import re

from sandbox.upstream.tongue import tongue_of

_NOT_TOPICS = (
    "a about again all am an and any are as at be but by can could did do does for from give go had has have "
    "he hello help hey hi how i if in into is it its know let like long make may me more much my no not of on "
    "one or our out please say see she should show so some such tell than that the their them then there these "
    "they this to us use want was we were what when where which who why will with word words would write you "
    "your essay list table code compare explain describe python steps answer between difference "
)
_SMALL = frozenset(_NOT_TOPICS.split())
_TOPIC_CHARACTERS = 40
_SAYS_SO_FROM = 40  # words: a shorter text has no room for it
_OPENINGS = (
    "Good question.",
    "Here's how I'd look at {topic}.",
    "In short: {topic} is simpler than it seems.",
    "Let's take {topic} one part at a time.",
    "There are a few sides to {topic}.",
)
_SENTENCES = (
    "The first thing to know about {topic} is **what it is for**; the rest follows from there.",
    "Most people meet {topic} through an example, and that's a fine way to begin.",
    "It helps to keep the parts that change apart from the parts that don't.",
    "If you have to choose, prefer the option that you can undo.",
    "A small test early on tells you more about {topic} than a long plan.",
    "Watch for the edge cases: *empty*, *very large*, and *twice at the same time*.",
    "In practice, two thirds of the trouble with {topic} comes from unclear names.",
    "What matters is that somebody else can follow it a year from now.",
    "You can measure it: write down a number before you change anything.",
    "When in doubt, ask the person who will have to live with the result.",
    "None of this is urgent, yet it's cheaper today than next month.",
    "The usual mistake is to begin with the tool instead of the question.",
)
_CLOSINGS = (
    "Shall I go deeper into any of these?",
    "Tell me more about your case, and I can be more precise.",
    "That's the gist; ask away if something is unclear.",
    "Does that help?",
)
_STEPS = (
    "**Look first.** Write down what you know about {topic}, and what you only assume.",
    "**Pick one goal.** Say in a sentence what is better afterwards.",
    "**Start small.** The smallest version of {topic} that works beats the largest that doesn't.",
    "**Try it** with somebody who hasn't seen it yet.",
    "**Measure.** Compare with the number you wrote down.",
    "**Tidy up**, and leave a note for whoever comes next.",
)
MADE_UP = "*(Made up by the emulator.)*"
_WELCOMES = ("You're welcome!", "Any time.", "Glad that helped.")
_GREETINGS = ("Hello! What can I do for you?", "Hi there! How can I help?", "Hey! What's on your mind?")
# What is said without a question, or with none that wants an answer.
SMALL_TALK = (
    (r"^\W*(?:hi|hello|hey|good (?:morning|afternoon|evening))\b[^?]{0,20}$", _GREETINGS),
    (r"\bhow are you\b|\bhow(?:'s| is) it going\b|^\W*what'?s up\b", ("Fine, as far as an emulator can be. And you?",)),
    (r"^\W*(?:bye|goodbye|see you|good night)\b[^?]{0,30}$", ("See you!", "Until next time.")),
    (
        r"^\W*(?:ok(?:ay)?|nice|cool|great|perfect|wow|lol|haha|got it|i see|good (?:job|bot))\b[^?]{0,10}$",
        ("Good. I'm here if there is more.", "Fine with me. What's next?"),
    ),
    (r"\b(?:tell|know|make)\b.*\bjokes?\b", ("Why did the thread go home? It had lost its needle.",)),
    (r"^\W*sorry\b[^?]{0,30}$", ("No harm done.",)),
)
_CODE = {
    "python": 'def tidy(words: list[str]) -> list[str]:\n    """Return the words once each, in order."""\n    return sorted({word.strip() for word in words if word.strip()})',
    "javascript": "export function tidy(words) {\n  const kept = words.map((word) => word.trim()).filter(Boolean);\n  return [...new Set(kept)].sort();\n}",
    "sql": "SELECT word, count(*) AS times\nFROM words\nWHERE word <> ''\nGROUP BY word\nORDER BY times DESC;",
    "bash": "#!/usr/bin/env bash\nset -euo pipefail\nsort --unique \"${1:-/dev/stdin}\" | grep --invert-match '^$'",
    "rust": "fn tidy(words: &[&str]) -> Vec<String> {\n    let kept: std::collections::BTreeSet<_> = words.iter().map(|w| w.trim()).collect();\n    kept.into_iter().map(String::from).collect()\n}",
}
_TRAITS = (("Easy to learn", "yes", "fairly"), ("Speed", "good", "very good"), ("Maturity", "high", "growing"),
           ("Cost", "low", "medium"), ("Best for", "everyday work", "special cases"))  # fmt: skip


def topic(ask: str) -> str:
    """Return the few words that carry the question, as they stand in it."""
    tongue = tongue_of(ask)
    small = _SMALL | tongue.words if tongue else _SMALL
    found = [each for each in re.finditer(r"[^\W\d_][\w'’-]+", ask) if not _is_small(each[0], small)][:3]
    if not found:
        return "this"
    near = [each for each in found if each.end() - found[0].start() <= _TOPIC_CHARACTERS] or found[:1]
    return " ".join(ask[found[0].start() : near[-1].end()].split())


def _is_small(word: str, small: frozenset[str]) -> bool:
    return re.split("['’]", word.lower())[0] in small


def welcome(seed: int) -> str:
    """What is answered to thanks."""
    return _WELCOMES[seed % len(_WELCOMES)]


def paragraphs(about: str, seed: int) -> str:
    chance = random.Random(seed)  # noqa: S311  variety, not secrecy
    said = chance.sample(_SENTENCES, 6)
    middle = chance.randint(2, 3)
    parts = [f"{chance.choice(_OPENINGS)} {' '.join(said[:middle])}", " ".join(said[middle:]), chance.choice(_CLOSINGS)]
    return "\n\n".join(parts).format(topic=about)


def steps(about: str, seed: int) -> str:
    chance = random.Random(seed)  # noqa: S311  variety, not secrecy
    chosen = _STEPS[: chance.randint(4, len(_STEPS))]
    numbered = chance.random() < 0.5
    lines = [f"{f'{number}.' if numbered else '-'} {step}" for number, step in enumerate(chosen, 1)]
    return f"Here's a way to go about {about}:\n\n{{}}\n\n{chance.choice(_CLOSINGS)}".replace(
        "{}", "\n".join(lines).format(topic=about)
    )


def code(ask: str, seed: int) -> str:
    language = next((name for name in _CODE if name in ask.lower()), "python")
    closing = _CLOSINGS[seed % len(_CLOSINGS)]
    return f"Something like this should do:\n\n```{language}\n{_CODE[language]}\n```\n\nIt drops what is empty and sorts the rest. {closing}"


def table(ask: str, seed: int) -> str:
    found = re.search(r"([\w+#.-]+)\s+(?:and|with|to|or|versus|vs\.?)\s+([\w+#.-]+)", ask, re.IGNORECASE)
    left, right = (found[1], found[2].rstrip(".")) if found else ("The one", "The other")
    rows = list(_TRAITS)
    random.Random(seed).shuffle(rows)  # noqa: S311  variety, not secrecy
    body = "\n".join(f"| {trait} | {one} | {other} |" for trait, one, other in rows)
    return f"Side by side:\n\n| | {left} | {right} |\n|---|---|---|\n{body}\n\n{_CLOSINGS[seed % len(_CLOSINGS)]}"


def essay(about: str, words: int, seed: int) -> str:
    """Return a text of exactly so many words (what stands between spaces), under headings, that says who made it up."""
    chance = random.Random(seed)  # noqa: S311  variety, not secrecy
    blocks: list[str] = []
    says_so = words >= _SAYS_SO_FROM
    left = words - len(MADE_UP.split()) * says_so
    while left > 0:
        heading = f"## {len(blocks) // 2 + 1}. {chance.choice(('Of', 'More on', 'Beyond', 'Within', 'Around'))} {about}"
        if left > 60 + len(heading.split()):
            blocks.append(heading)
            left -= len(heading.split())
        sentences = " ".join(chance.sample(_SENTENCES, 5)).format(topic=about).split()[:left]
        left -= len(sentences)
        blocks.append(" ".join(sentences))
    return "\n\n".join([*blocks, *([MADE_UP] if says_so else [])])
