"""The service that answers: how it is asked, and how its answers are read."""

from core.upstream.client import Stream, Upstream
from core.upstream.prompt import AnswerSoFar, Prompt

__all__ = ["AnswerSoFar", "Prompt", "Stream", "Upstream"]
