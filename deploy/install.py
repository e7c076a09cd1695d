"""Installs into .venv what a lock file lists, and says every few seconds how far that is; pip alone is silent for long.

For the Makefile: `python deploy/install.py LOCK_FILE [MORE…]`, where MORE is what pip is to install after that. Runs with
the Python that .venv is to have, and needs nothing else.
"""

from __future__ import annotations

import fcntl
import os
import queue
import re
import shlex
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

VENV = Path(".venv")
PYTHON = VENV / "bin/python"
OFTEN, SELDOM = (
    0.5,
    4.0,
)  # seconds between two signs of life: on a terminal, where the line is written anew, and elsewhere
KEPT = 40  # lines of pip's, for a failure
COLLECTING = re.compile(r"(?:Collecting|Requirement already satisfied:) ([\w.-]+)")


class Progress:
    """One line that says what is going on and for how long."""

    def __init__(self) -> None:
        self._is_terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self._began = self._said = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def show(self, what: str) -> None:
        """Say it, if it is time to."""
        now = time.monotonic()
        if now - self._said >= (OFTEN if self._is_terminal else SELDOM):
            self._said = now
            words = f"  {self.seconds:3.0f} s  {what}"
            print(f"\r{words[:78]:<78}" if self._is_terminal else f"{words}\n", end="", flush=True)

    def say(self, what: str) -> None:
        """Say it in a line of its own."""
        print(f"\r{what:<78}".rstrip() if self._is_terminal else what, flush=True)


def main(lock: Path, more: list[str]) -> int:
    packages = len(re.findall(r"^[\w.-]+==", lock.read_text(), re.MULTILINE))
    progress = Progress()
    with _alone(progress):
        if not (VENV / "bin/pip").exists():  # it is made last
            progress.say("Making .venv, a place for what Bobbin needs; that takes some ten seconds.")
            if code := _run([sys.executable, "-m", "venv", str(VENV)], progress, lambda _: "making .venv"):
                return code
        progress.say(f"Installing up to {packages} packages into .venv; that takes a minute or two.")
        words = ["install", "--progress-bar", "off", "--require-hashes", "-r", str(lock)]
        if code := _pip(words, packages, progress):
            return code
        if more and (code := _pip(["install", *more], 1, progress)):
            return code
    progress.say(f"Installed, after {progress.seconds:.0f} seconds.")
    return 0


@contextmanager
def _alone(progress: Progress) -> Iterator[None]:
    """While the context lasts no other make installs here; waits for one that does."""
    folder = os.open(".", os.O_RDONLY)
    try:
        is_said = False
        while not _is_locked(folder):
            if not is_said:
                progress.say("Another make is installing here; this one waits for it.")
                is_said = True
            progress.show("waiting for the other one")
            time.sleep(OFTEN)
        yield
    finally:
        os.close(folder)


def _is_locked(folder: int) -> bool:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _pip(words: list[str], packages: int, progress: Progress) -> int:
    there = _installed()
    collected, is_installing = 0, False

    def tell(line: str) -> str:
        nonlocal collected, is_installing
        collected += bool(COLLECTING.match(line))
        is_installing |= line.startswith("Installing collected packages")
        if is_installing:
            return f"installing: {_installed() - there} packages are in place"
        return f"downloading: {collected} of up to {packages} packages"

    return _run([str(PYTHON), "-m", "pip", "--disable-pip-version-check", *words], progress, tell)


def _installed() -> int:
    return sum(1 for _ in VENV.glob("lib/python3*/site-packages/*.dist-info"))


def _run(command: list[str], progress: Progress, tell: Callable[[str], str]) -> int:
    """Run *command*; *tell* makes of each of its lines, or of an empty one when there was none, what is going on."""
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    last: deque[str] = deque(maxlen=KEPT)
    for line in _lines(process):
        if line:
            last.append(line)
        progress.show(tell(line))
    if process.wait():
        progress.say(f"This failed: {shlex.join(command)}\n")
        print("".join(last), end="", file=sys.stderr, flush=True)
    return process.returncode


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    """What it says, line by line; an empty text whenever it has been silent for a while."""
    said: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        for line in process.stdout or ():
            said.put(line)
        said.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = said.get(timeout=OFTEN)
        except queue.Empty:
            line = ""
        if line is None:
            return
        yield line


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
