"""Shuts down on SIGINT or SIGTERM: gracefully on the first signal, immediately on the second."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import FrameType

NUMBERS = (signal.SIGINT, signal.SIGTERM)


def end_while_starting() -> None:
    """Have SIGTERM end this process until `until_signalled` listens to it.

    The kernel spares the first process of a container the default of every signal (pid_namespaces(7)).
    """
    if os.getpid() == 1:
        signal.signal(signal.SIGTERM, _end_at_once)


def until_signalled(work: Callable[[asyncio.Event], Coroutine[None, None, None]]) -> None:
    """Run *work* with an event that SIGTERM and Ctrl-C set. A second signal of either kind ends the process at once."""
    # The default ends a process whatever it is at, but not the first one of a container.
    at_once = _end_at_once if os.getpid() == 1 else signal.SIG_DFL

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        def ask_to_stop() -> None:
            for number in NUMBERS:
                loop.remove_signal_handler(number)
                signal.signal(number, at_once)
            stop.set()

        for number in NUMBERS:
            loop.add_signal_handler(number, ask_to_stop)
        await work(stop)

    asyncio.run(run())


def _end_at_once(number: int, _frame: FrameType | None) -> None:
    os._exit(128 + number)  # as a shell tells of a process that a signal ended
