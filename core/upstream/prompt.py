"""The prompt for the upstream, and what it has said so far."""

from __future__ import annotations

from dataclasses import dataclass

from core.thread import ConversationId


@dataclass(frozen=True, slots=True)
class Prompt:
    """One request. An id is sent only together with `stateful`, as the service documents it."""

    model: str  # passed through unchecked: the service's own list lags behind what it serves
    question: str
    conversation: ConversationId | None = None  # None begins a new one
    instructions: str = ""  # the service's `preset`: text of a system prompt, not an id
    references: tuple[str, ...] = ()  # URLs
    stateful: bool = True


@dataclass(frozen=True, slots=True)
class AnswerSoFar:
    """The whole of what the service has said until now."""

    text: str = ""
    conversation: ConversationId | None = None  # None until the service names one
