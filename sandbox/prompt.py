"""Asks for lines in a terminal that can do more than that: history, completion, and answers above what is being typed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import ANSI
from prompt_toolkit.patch_stdout import patch_stdout

Complete = Callable[[str], Iterable[tuple[str, str]]]


class _Completer(Completer):
    def __init__(self, complete: Complete) -> None:
        self._complete = complete

    def get_completions(self, document: Document, _: CompleteEvent) -> Iterable[Completion]:
        for word, begun in self._complete(document.text_before_cursor):
            yield Completion(word, start_position=-len(begun))


async def prompted(words: Callable[[], str], complete: Complete) -> AsyncIterator[str]:
    """What is typed, line by line, until Ctrl-D or Ctrl-C. *words* stand before it. The history is not kept in a file."""
    session: PromptSession[str] = PromptSession(completer=_Completer(complete), complete_while_typing=True)
    with patch_stdout(raw=True):  # what we print has been made safe, and has colours
        while True:
            try:
                # Signals are the loop's, which ends everything.
                yield await session.prompt_async(
                    lambda: ANSI(words()), handle_sigint=False, set_exception_handler=False
                )
            except (EOFError, KeyboardInterrupt):
                return
