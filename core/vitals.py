"""How the process is doing: its log, and what keeps it from being ready."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import TYPE_CHECKING

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from structlog.typing import EventDict, Processor, WrappedLogger

REDACTED = "[redacted]"
SHORTEST_SECRET = 6  # characters; blotting out shorter ones would leave holes in every word, and no token is so short
SECONDS = (
    0.05,
    0.1,
    0.25,
    0.5,
    1,
    2,
    4,
    8,
    15,
    30,
    60,
    120,
    300,
    900,
)  # of the histograms: models may think for minutes


class Metrics:
    """What is counted and measured; docs/metrics.md says what each means and when to worry."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        of = self._registry = CollectorRegistry()
        self.turns = Counter("bobbin_turns", "Turns that ended", ["status"], registry=of)
        self.first_text = Histogram(
            "bobbin_first_text_seconds",
            "From accepting a question to the first text of its answer shown",
            buckets=SECONDS,
            registry=of,
        )
        self.given_up = Counter("bobbin_shows_given_up", "Ended turns that their chat never showed", registry=of)
        self.unclear = Counter(
            "bobbin_chat_replies_unclear", "Replies to a show that can't be understood", ["chat"], registry=of
        )
        self.calls = Counter("bobbin_upstream_calls", "Calls by model and outcome", ["model", "outcome"], registry=of)
        self.unnamed = Counter(
            "bobbin_conversations_unnamed",
            "Answers whose conversation can't go on, since the service gave it no usable id",
            registry=of,
        )
        self.unreadable = Counter(
            "bobbin_unreadable", "Things from a chat that could not be read", ["chat", "what"], registry=of
        )
        self.restarts = Counter(
            "bobbin_restarts", "Times that listening to a chat broke and was begun again", ["chat"], registry=of
        )
        self.first_byte = Histogram(
            "bobbin_upstream_first_byte_seconds", "From a call to its first byte", buckets=SECONDS, registry=of
        )
        self.whole = Histogram(
            "bobbin_upstream_seconds", "From a call to its answer's end", buckets=SECONDS, registry=of
        )
        self.waiting = Gauge("bobbin_upstream_waiting", "Questions that wait for a slot", registry=of)
        self.in_flight = Gauge("bobbin_upstream_in_flight", "Calls under way", registry=of)
        self.down = Gauge(
            "bobbin_upstream_down", "1 while a model is not asked, since it is down", ["model"], registry=of
        )
        self.tokens_aside = Gauge(
            "bobbin_tokens_aside", "Tokens set aside, since the service refuses them", registry=of
        )
        self.refused = Counter(
            "bobbin_web_refused", "Connections and requests that the web door refused", ["why"], registry=of
        )

    def page(self) -> bytes:
        """Return all of it as Prometheus reads it."""
        return generate_latest(self._registry)


class Vitals:
    """What works and what doesn't, by name of the part; asked by the health page."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self._troubles: dict[str, str] = {}
        self._well = asyncio.Event()
        self._well.set()

    def expect(self, part: str) -> None:
        """Count *part* as not ready until it is `up`."""
        self.down(part, "starting")

    def up(self, part: str) -> None:
        """Say that *part* works."""
        self._troubles.pop(part, None)
        if not self._troubles:
            self._well.set()

    def down(self, part: str, why: str) -> None:
        """Say that *part* does not work. *why* is shown to whoever asks for readiness: no secrets."""
        self._troubles[part] = why
        self._well.clear()

    @property
    def troubles(self) -> dict[str, str]:
        """Part → why it isn't ready; empty when all is well."""
        return dict(self._troubles)

    async def well(self) -> None:
        """Wait until every part works."""
        await self._well.wait()


def set_up_log(level: str, *, as_json: bool, secrets: Iterable[str] = ()) -> None:
    """Send our log and every library's to standard error, one line an event, with *secrets* blotted out."""
    redactor = Redactor(secrets)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    # The traceback is formatted before the blotting, and each line is rendered after it.
    rendering: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        redactor,
        renderer,
    ]
    handler = logging.StreamHandler()
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=rendering))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("httpx", "httpcore", "aiohttp.access", "alembic", "procrastinate", "psycopg.pool"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLevelName(level)))


class Redactor:
    """Takes known secrets out of what is written, and as a processor out of everything that is logged."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = {secret for secret in secrets if len(secret) >= SHORTEST_SECRET}
        self._secrets = sorted(known, key=len, reverse=True)

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {key: self._clean(value) for key, value in event.items()}

    def over(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        return text

    def _clean(self, value: object) -> object:
        if isinstance(value, int | float | None):
            return value
        if isinstance(value, list | tuple):
            return [self._clean(item) for item in value]
        if isinstance(value, dict):
            return {self.over(str(key)): self._clean(item) for key, item in value.items()}
        return self.over(value if isinstance(value, str) else repr(value))
