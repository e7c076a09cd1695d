"""Sets up logging: one line per event, never containing message text or secrets."""

from __future__ import annotations

import logging
import math
import sys
import threading
import traceback
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from core.redactor import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from structlog.typing import EventDict, Processor, WrappedLogger

# Whose sentences are written as they are. Any other logger is a library's, whose sentences may quote what people wrote
# or a token: of those only what stands in the library's source is written, and nothing at all below WARNING.
OURS = ("bots", "core", "migrations", "sandbox", "benchmarks")
FIRST = ("timestamp", "level", "event")  # of a line, before its facts
FOREIGN = "a library reports trouble"  # where it says so in words that it put together

log = structlog.get_logger(__name__)


def set_up_log(level: str, *, as_json: bool, secrets: Iterable[str] = ()) -> None:
    """Send our log, and warnings from libraries, to standard error, with *secrets* removed."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
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
    rendering: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        _with_frames,
        _Plain(Redactor(secrets)),
        renderer,
    ]
    handler = _Handler()
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=rendering))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # A library asks its logger before it puts a line together: one that is not to be written costs nothing.
    root.setLevel(max(logging.WARNING, logging.getLevelName(level)))
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    _take_what_python_says()


class _Handler(logging.StreamHandler[Any]):
    """Writes our lines, and of libraries' that they came and from where."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.partition(".")[0] in OURS:
            super().emit(record)
        elif record.levelno >= logging.WARNING:
            super().emit(_of_a_library(record))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's own name for it
        """Python's own would write the line's values, as they are, to standard error."""
        kind = sys.exc_info()[0]
        if kind and not issubclass(kind, OSError):  # else there is nowhere to write to
            sys.stderr.write(f"a log line of {record.name} could not be written: {kind.__name__}\n")


def _of_a_library(record: logging.LogRecord) -> logging.LogRecord:
    """Return a line that says where *record* comes from; its sentence only if that is one of the source itself."""
    is_constant = isinstance(record.msg, str) and " " in record.msg and record.msg in _constants_of(record)
    return logging.makeLogRecord(
        {
            **{name: getattr(record, name) for name in ("name", "levelno", "levelname", "created", "exc_info")},
            "msg": f"{record.msg if is_constant else FOREIGN} ({record.filename}:{record.lineno})",
        }
    )


def _constants_of(record: logging.LogRecord) -> tuple[object, ...]:
    """Return what is written in the source of the function that logs just now."""
    for frame, line in traceback.walk_stack(None):
        if frame.f_code.co_filename == record.pathname and line == record.lineno:
            return frame.f_code.co_consts
    return ()


def _with_frames(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Say of an error its type and where it was raised; its text may quote anything."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["exception"] = "\n".join(_frames(traceback.TracebackException.from_exception(error)))
    return event


def _frames(error: traceback.TracebackException) -> Iterator[str]:
    """Lay *error* out as Python does, without its text."""
    if error.__cause__ is not None:
        yield from _frames(error.__cause__)
        yield "which is the cause of:"
    elif error.__context__ is not None and not error.__suppress_context__:
        yield from _frames(error.__context__)
        yield "while handling which came:"
    yield from (line.rstrip("\n") for line in error.stack.format())
    yield error.exc_type.__qualname__ if error.exc_type else "an error"
    for number, one in enumerate(error.exceptions or (), 1):
        yield f"number {number} in it:"
        yield from _frames(one)


class _Plain:
    """Makes every value one that JSON has, with the secrets taken out. What it has no form for is told by its type."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        first = {key: event[key] for key in FIRST if key in event}
        return {key: self._plain(value) for key, value in {**first, **event}.items()}

    def _plain(self, value: object) -> object:
        match value:
            case str():
                plain: object = self._redactor.over(value)
            case dict():
                plain = {self._redactor.over(str(key)): self._plain(item) for key, item in value.items()}
            case list() | tuple():
                plain = [self._plain(item) for item in value]
            case set() | frozenset():
                plain = sorted((self._plain(item) for item in value), key=str)
            case float() if not math.isfinite(value):
                plain = str(value)
            case int() | float() | None:
                plain = value
            case _:
                plain = type(value).__name__
        return plain


def _take_what_python_says() -> None:
    """Have warnings, and errors that nobody catches, be lines of the log: Python would print their texts."""

    def process_ends(_kind: type[BaseException], error: BaseException, _trace: object) -> None:
        log.critical("an unexpected error ends the process", exc_info=error)

    def thread_ends(args: threading.ExceptHookArgs) -> None:
        log.error("an unexpected error ends a thread", exc_info=args.exc_value)

    def lost(args: Any) -> None:  # sys.UnraisableHookArgs, which type checkers alone know
        log.error("an error is raised where nobody can catch it", exc_info=args.exc_value)

    def warned(  # noqa: PLR0917  # as Python calls it
        message: object,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: object = None,
        line: object = None,
    ) -> None:
        del message, file, line  # it, and the line of source, is what may quote something
        log.warning("Python warns", kind=category.__name__, where=f"{Path(filename).name}:{lineno}")

    sys.excepthook, threading.excepthook, sys.unraisablehook = process_ends, thread_ends, lost
    warnings.showwarning = warned
