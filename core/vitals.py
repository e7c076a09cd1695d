"""How the process is doing: its log, and what keeps it from being ready."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Iterable

    from structlog.typing import EventDict, Processor, WrappedLogger

REDACTED = "[redacted]"


class Vitals:
    """What works and what doesn't, by name of the part; asked by the health page."""

    def __init__(self) -> None:
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
    blot = _Blot(secret for secret in secrets if secret)
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
        blot,
        renderer,
    ]
    handler = logging.StreamHandler()
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=rendering))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("httpx", "httpcore", "aiohttp.access", "alembic.runtime.plugins"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLevelName(level)))


class _Blot:
    """A processor that takes known secrets out of everything that is logged."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = sorted(set(secrets), key=len, reverse=True)

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {key: self._clean(value) for key, value in event.items()}

    def _clean(self, value: object) -> object:
        if isinstance(value, int | float | None):
            return value
        text = value if isinstance(value, str) else repr(value)
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        return text
