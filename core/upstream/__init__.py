"""The service that answers: how it is asked, and how its answers are read."""

from core.upstream.client import Stream, Upstream
from core.upstream.prompt import Prompt, Said

__all__ = ["Prompt", "Said", "Stream", "Upstream"]
