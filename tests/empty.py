"""An environment with the libraries of this one, and nothing of ours."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path


def environment(folder: Path) -> Path:
    """Make it in *folder*; return where its programs are."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)  # noqa: S603
    [there] = folder.glob("lib/python*/site-packages")
    # Folders that are named like this bring no .pth files of their own with them: our editable install stays outside.
    (there / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "bin"


def variables(programs: Path) -> dict[str, str]:
    """What is set for a process that uses these *programs*; nothing of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BOBBIN_", "PYTHON"))}
    return kept | {"PATH": f"{programs}:{os.environ['PATH']}"}
