"""The programs that lie in this package, and how the console's commands start them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_PREFIX = Path(__file__).resolve().parent / "installed"


def program_path(name: str = "icl-probe") -> Path:
    """Where a program lies, `icl-probe` or `onestep`, for `subprocess`.

    >>> import subprocess
    >>> subprocess.run([program_path(), "patch", "--model", "rule-learner"])    # doctest: +SKIP
    """
    return _PREFIX / "bin" / name


def data_folder() -> Path:
    """Where the tasks, probes, studies, small networks and batch files lie that come along.

    >>> sorted(folder.name for folder in data_folder().iterdir())               # doctest: +SKIP
    ['catalogue', 'cluster', 'networks', 'pairs', 'probes', 'studies', 'tasks']
    """
    return _PREFIX / "share" / "icl-probe"


def _run(name: str) -> None:
    # The program takes this process over: signals and exit status are its own.
    program = os.fspath(program_path(name))
    try:
        os.execv(program, [name, *sys.argv[1:]])
    except OSError as error:
        sys.exit(f"{name}: {program} cannot be run ({error.strerror}); install the wheel anew")


def icl_probe() -> None:
    """The command `icl-probe`."""
    _run("icl-probe")


def onestep() -> None:
    """The command `onestep`."""
    _run("onestep")
