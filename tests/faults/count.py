"""What became of the questions: pure counting, from what people see and what the ledger says."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field

TOKEN = re.compile(r"\bq[0-9a-f]{10}\b")
_REMARK = re.compile(r'\{"name": .*"said": ')  # as what was said before a question is quoted
LEFT_OUT = "so this answer leaves out"
SAYS_SO = "Stopped"  # how what is said of an answer begins that somebody stopped
NOT_TAKEN = "I can't take questions right now"  # how StorageUnavailable begins


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of ours. Its token stands in it, and in the answer that is expected."""

    token: str
    platform: str
    thread: str
    expected: str
    most: int = 1  # messages that its answer may take; of more than one, the first begins as expected
    without: str = ""  # the answer without the file that came with the question; empty if none did
    is_follow_up: bool = False  # said in a thread, without a mention

    def is_answered_by(self, texts: Sequence[str]) -> bool:
        if self.most > 1:
            return bool(texts) and texts[0].startswith(self.expected)
        return self.expected in texts

    def is_answered_without_its_file(self, messages: Sequence[Seen]) -> bool:
        """Is there an answer that leaves the file out, and says so?"""
        return any(self.without and one.text == self.without and LEFT_OUT in one.beside for one in messages)


@dataclass(frozen=True, slots=True)
class Seen:
    """A message of the bot's, as people see it. They come in the order in which people see them."""

    platform: str
    thread: str
    text: str
    beside: str = ""  # the small print


@dataclass(frozen=True, slots=True)
class Recorded:
    """A turn, as the ledger has it. They come in the order of their ids."""

    token: str
    problem: str  # or what Bobbin itself answered
    reference: str
    shown: bool
    is_refused: bool = False  # because too much is open already
    is_stopped: bool = False  # by somebody who wanted that


@dataclass(slots=True)
class Tally:
    """One platform's questions. All from `lost` on has to be 0."""

    asked: int = 0
    follow_ups: int = 0  # of these, asked in a thread without a mention
    files: int = 0  # of these, asked with a file that the answer has to quote
    answered: int = 0  # the right answer, once, in its thread
    without: int = 0  # answered without the file, once, and it was said beside the answer that it is left out
    told: int = 0  # a sentence instead of an answer
    stopped: int = 0  # what came so far, and that it was stopped
    silent: int = 0  # refused without a word, since who asked too much is being told that already
    unheard: int = 0  # nobody recorded it: the platform brought it to nobody, or to a process that died just then
    lost: int = 0  # recorded, yet neither answered nor told
    doubled: int = 0  # messages that show an answer again, and turns that were recorded again
    disordered: int = 0  # messages that stand before one that was accepted earlier
    orphans: int = 0  # messages that belong to no turn, or stopped half-way
    repeats: int = 0  # of a question in one and the same conversation of the upstream
    reasons: dict[str, int] = field(default_factory=dict)  # what was told, how often
    details: list[str] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        return not (self.lost or self.doubled or self.disordered or self.orphans or self.repeats)

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def tally(
    asked: Sequence[Asked], seen: Iterable[Seen], recorded: Iterable[Recorded], conversations: Iterable[Sequence[str]]
) -> Tally:
    """Count what became of *asked*. *conversations*: what the upstream was asked in each."""
    found = Tally(
        asked=len(asked),
        follow_ups=sum(question.is_follow_up for question in asked),
        files=sum(bool(question.without) for question in asked),
    )
    turns: dict[str, list[Recorded]] = defaultdict(list)
    for turn in recorded:
        turns[turn.token].append(turn)
    shown = _attributed(asked, seen, turns, found)
    for question in asked:
        _judge(question, shown[question.token], turns[question.token], found)
    _judge_order(asked, shown, turns, found)
    tokens = {question.token for question in asked}
    for questions in conversations:
        counted = Counter(token for text in questions for token in _asked_in(text) if token in tokens)
        for token, times in counted.items():
            if times > 1:
                found.repeats += times - 1
                found.details.append(f"{token}: {times} times in one conversation")
    return found


def _attributed(
    asked: Sequence[Asked], seen: Iterable[Seen], turns: dict[str, list[Recorded]], found: Tally
) -> dict[str, list[tuple[int, Seen]]]:
    """Each question's messages, with their places in the order; what belongs to nothing is an orphan."""
    known = {one.token: one for one in asked}
    told: dict[str, list[Recorded]] = defaultdict(list)  # by thread, what has to be told there
    for one in asked:
        told[one.thread] += [turn for turn in turns[one.token] if turn.problem]
    # Of an answer of several messages, the last one may be a file and small print alone.
    long = defaultdict(list, {one.thread: [one.token] for one in asked if one.most > 1})
    shown: dict[str, list[tuple[int, Seen]]] = defaultdict(list)
    for place, message in enumerate(seen):
        tokens = TOKEN.findall(message.text)[:1]
        if tokens and _says_so([message]):  # where that stands alone, it is another turn's
            told[message.thread] = [turn for turn in told[message.thread] if turn.token != tokens[0]]
        if not tokens and (turn := _told_by(message, told[message.thread])):
            told[message.thread].remove(turn)
            tokens = [turn.token]
        tokens = tokens or long[message.thread]
        question = known.get(tokens[0]) if tokens else None
        if question and question.thread == message.thread:
            shown[question.token].append((place, message))
        elif not message.text.startswith(NOT_TAKEN):
            found.orphans += 1
            found.details.append(f"belongs to nothing in {message.thread}: {message.text[:80]!r}")
    return shown


def _told_by(message: Seen, turns: list[Recorded]) -> Recorded | None:
    return next((turn for turn in turns if _tells(message.text, turn.problem)), None)


def _tells(text: str, problem: str) -> bool:
    """Does *text* say so? Small print shows no code as code."""
    return problem.replace("`", "") in text.replace("`", "")


def _judge(question: Asked, messages: list[tuple[int, Seen]], rows: list[Recorded], found: Tally) -> None:
    is_stopped = any(row.is_stopped for row in rows) and _says_so([message for _, message in messages])
    # What a process had written that died stands above what the next one says of it.
    excess = max(0, len(messages) - question.most - is_stopped) + max(0, len(rows) - 1)
    if excess:
        found.doubled += excess
        found.details.append(f"{question.token}: {len(messages)} messages, {len(rows)} turns")
    texts = [message.text for _, message in messages]
    problems = [row.problem for row in rows if row.problem]
    is_answered = question.is_answered_by(texts)
    is_without = not is_answered and question.is_answered_without_its_file([message for _, message in messages])
    if is_answered:
        found.answered += 1
    elif is_without:
        found.without += 1
    elif is_stopped:
        found.stopped += 1
    elif any(_tells(text, problem) for problem in problems for text in texts):
        found.told += 1
        reason = problems[0].partition(" (Reference")[0]
        found.reasons[reason] = found.reasons.get(reason, 0) + 1
    elif rows and rows[0].is_refused and not texts:
        found.silent += 1
    elif rows:
        found.lost += 1
        found.details.append(f"{question.token}: lost, {rows[0]}, shows {[text[-60:] for text in texts]}")
    else:
        found.unheard += 1
        found.details.append(f"{question.token}: unheard in {question.thread}")
    if texts and not (is_answered or is_without or problems):
        found.orphans += 1
        found.details.append(f"{question.token}: stopped at {texts[0][-60:]!r}")


def _says_so(messages: Sequence[Seen]) -> bool:
    return any(SAYS_SO in part for message in messages for part in (message.text, message.beside))


def _judge_order(
    asked: Sequence[Asked],
    shown: dict[str, list[tuple[int, Seen]]],
    turns: dict[str, list[Recorded]],
    found: Tally,
) -> None:
    """In each thread the first messages of its turns must stand in the order in which the turns were accepted."""
    threads: dict[str, list[str]] = defaultdict(list)
    wanted = {question.token: question.thread for question in asked}
    for token in turns:  # in the order of the ledger
        if token in wanted and shown[token]:
            threads[wanted[token]].append(token)
    for thread, tokens in threads.items():
        places = [shown[token][0][0] for token in tokens]
        descents = sum(later < earlier for earlier, later in itertools.pairwise(places))
        if descents:
            found.disordered += descents
            found.details.append(f"{thread}: {tokens} stand at {places}")


def _asked_in(text: str) -> list[str]:
    """The tokens of the questions in a text, those of earlier turns that it quotes included.

    What people had said by then, a question among it that came to the bot only later, was not asked.
    """
    asked = "\n".join(line for line in text.splitlines() if not _REMARK.match(line))
    return re.findall(r"say exactly: (q[0-9a-f]{10})\b", asked)
