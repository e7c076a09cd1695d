"""The emulator's memory of stateful conversations."""

from __future__ import annotations

import uuid
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sandbox.upstream.mind import Turn

CONVERSATIONS = 10_000  # kept at once; the least recently used goes first


@dataclass(slots=True)
class Conversation:
    """One conversation, and how it was used."""

    id: str
    turns: list[Turn] = field(default_factory=list)
    answering: int = 0  # turns that are being answered at this moment
    overlapping: int = 0  # turns that began while another was being answered

    @contextmanager
    def turn(self, turn: Turn) -> Iterator[None]:
        """Hear a question. It is in the history from now on, however the answer ends."""
        self.overlapping += self.answering > 0
        self.answering += 1
        self.turns.append(turn)
        try:
            yield
        finally:
            self.answering -= 1

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "answering": self.answering,
            "overlapping": self.overlapping,
            "turns": [{"question": turn.question, "answer": turn.answer, "model": turn.model} for turn in self.turns],
        }


class Memory:
    """The stateful conversations, by id."""

    def __init__(self, bound: int = CONVERSATIONS) -> None:
        self._bound = bound
        self.conversations: OrderedDict[str, Conversation] = OrderedDict()

    def open(self, name: str | None = None) -> Conversation:
        """Begin a conversation, under this id or a new one."""
        conversation = Conversation(name or str(uuid.uuid4()))
        self.conversations[conversation.id] = conversation
        while len(self.conversations) > self._bound:
            self.conversations.popitem(last=False)
        return conversation

    def find(self, name: str) -> Conversation | None:
        found = self.conversations.get(name)
        if found:
            self.conversations.move_to_end(name)
        return found

    def forget(self, name: str) -> None:
        self.conversations.pop(name, None)
