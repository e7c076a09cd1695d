"""Limits how many turns may be open at once, so that nobody's questions keep everybody else's waiting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import TooMany
from core.language import say, say_n

if TYPE_CHECKING:
    from typing import Literal

    Whose = Literal["person", "thread", "workspace"]


@dataclass(frozen=True, slots=True)
class Open:
    """The number of turns that are not done yet: still to be answered, or to be shown."""

    person: int  # of one person in one workspace
    thread: int
    workspace: int
    told: int = 0  # of the person's, those that Bobbin answers by itself, with a hint
    before: int = 0  # of the thread's, those that are still to be answered


@dataclass(frozen=True, slots=True)
class Quota:
    """The number of turns that may be open at once. A question beyond it is refused, not queued."""

    person: int
    thread: int
    workspace: int

    def exceeded(self, opened: Open) -> Whose | None:
        """Return what has no room for one more beside what is *opened*; None if there is room."""
        if opened.person >= self.person:
            return "person"
        if opened.thread >= self.thread:
            return "thread"
        return "workspace" if opened.workspace >= self.workspace else None

    def refusal(self, whose: Whose) -> TooMany:
        """Return what to tell."""
        match whose:
            case "person":
                sentence = say_n(
                    "You have a question open with me, and I take no more at once. Please ask this one again when it is answered.",
                    "You have {n} questions open with me, and I take no more at once. Please ask this one again when one of them is answered.",
                    self.person,
                )
            case "thread":
                sentence = say_n(
                    "A question is open in this thread, and I take no more at once. Please ask this one again when it is answered.",
                    "{n} questions are open in this thread, and I take no more at once. Please ask this one again when one of them is answered.",
                    self.thread,
                )
            case "workspace":
                sentence = say(
                    "I have more questions to answer here than I can keep up with. Please ask this one again in a few minutes."
                )
        return TooMany(sentence)
