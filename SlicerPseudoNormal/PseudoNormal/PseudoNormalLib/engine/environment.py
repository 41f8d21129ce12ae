"""The engine's own Python environment, apart from Slicer's: found, or made and removed at the user's wish.

Nothing here is called without a click: making one downloads a gigabyte or more.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PseudoNormalLib.engine.background import Background, Call
from PseudoNormalLib.engine.errors import Cancelled, EngineError
from PseudoNormalLib.engine.trees import clean_environment, end_tree, start_tree
from PseudoNormalLib.i18n import _

VERSIONS = ((3, 12), (3, 11), (3, 13), (3, 10))
MARKER = "pseudonormal-environment.json"
_ASKING_S = 60.0
_CAN_MAKE = "import ensurepip, json, sys, venv; print(json.dumps(sys.version_info[:2]))"
_HAS_ENGINE = "import pseudonormal; print(pseudonormal.__version__)"


@dataclass(frozen=True)
class Marker:
    """What a folder with an environment of ours says of itself; ``complete`` is written last."""

    requirement: str
    complete: bool = False
    version: str = ""


def announcement(folder: Path, requirement: str) -> str:
    """What to tell the user before an environment is made."""
    existing = next((one for one in (folder, *folder.parents) if one.exists()), Path(folder.anchor))
    line = _(
        "This installs “{requirement}” and what it needs (PyTorch, MONAI and others) from pip's package index into "
        "{folder}. It downloads from 1 GB (for the processor) to 4 GB (for NVIDIA cards) and takes twice as much "
        "disk; {free} GB are free. Slicer's own Python stays as it is. Nothing of yours is sent."
    )
    free = shutil.disk_usage(existing).free / 1e9
    return line.format(requirement=requirement, folder=folder, free=f"{free:.0f}")


def python_of(folder: Path) -> Path:
    """The Python of an environment."""
    return folder / "env" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def read_marker(folder: Path) -> Marker | None:
    """What was begun or finished in a folder; None where nothing was."""
    try:
        return Marker(**json.loads((folder / MARKER).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def is_complete(folder: Path) -> bool:
    """Whether an environment was made there to the end."""
    marker = read_marker(folder)
    return marker is not None and marker.complete and python_of(folder).exists()


def engine_version(python: str) -> str:
    """The version of the engine that a Python has; blocks, for some seconds when the disk is slow.

    :raises EngineError: it has none, or is no Python.
    """
    answer = _ask(python, _HAS_ENGINE)
    if answer is None:
        raise EngineError(_("{python} has no engine; install it there or choose another.").format(python=python))
    return answer


def find_python() -> Path | None:
    """A Python of this computer from which an environment can be made; blocks, so run it in the background."""
    for version in VERSIONS:
        for candidate in _candidates(version):
            answer = _ask(str(candidate), _CAN_MAKE)
            if answer is not None and tuple(json.loads(answer)) == version:
                return candidate
    return None


def make_environment(
    background: Background,
    folder: Path,
    python: Path,
    requirement: str,
    *,
    on_line: Callable[[str], Any],
    on_done: Callable[[Path], Any],
    on_failed: Callable[[EngineError], Any],
) -> Call:
    """Make an environment with the engine, or finish one that was begun.

    :param python: makes it; see :func:`find_python`.
    :param requirement: what pip is to install: a name, a file or an address.
    :param on_line: told each line that venv and pip say.
    :param on_done: told the environment's Python.
    :param on_failed: told why not, in one line; what was installed so far is kept for the next attempt.
    :returns: its ``cancel`` ends the installation at once; nobody is told then.
    """

    def say(line: str) -> None:
        background.post(lambda: on_line(line))

    def failed(error: Exception) -> None:
        on_failed(error if isinstance(error, EngineError) else EngineError(str(error)))

    return background.run(lambda call: _make(call, folder, python, requirement, say), on_done, failed)


def remove_environment(folder: Path) -> None:
    """Delete an environment, finished or not.

    :raises EngineError: there is none of ours.
    """
    if read_marker(folder) is None:
        raise EngineError(_("{folder} holds no engine that was installed here.").format(folder=folder))
    _write(folder, Marker(requirement="", complete=False))  # what is half removed is not complete
    try:
        shutil.rmtree(folder / "env")
        (folder / MARKER).unlink()
        folder.rmdir()
    except OSError as error:
        reason = error.strerror or str(error)
        raise EngineError(_("{folder} cannot be removed: {reason}.").format(folder=folder, reason=reason)) from error


def _make(call: Call, folder: Path, python: Path, requirement: str, say: Callable[[str], None]) -> Path:
    marker = read_marker(folder)
    if marker is None and folder.exists() and any(folder.iterdir()):
        raise EngineError(_("{folder} holds other things; choose an empty folder.").format(folder=folder))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder, Marker(requirement))
        own = str(python_of(folder))
        if _ask(own, "import pip") is None:
            _run(call, (str(python), "-m", "venv", "--clear", str(folder / "env")), say)
        quietly = ("--no-input", "--disable-pip-version-check", "--progress-bar", "off")
        _run(call, (own, "-m", "pip", "install", *quietly, "--", requirement), say)
        _write(folder, Marker(requirement, complete=True, version=engine_version(own)))
    except OSError as error:
        reason = error.strerror or str(error)
        raise EngineError(_("{folder} cannot be used: {reason}.").format(folder=folder, reason=reason)) from error
    return python_of(folder)


def _run(call: Call, command: Sequence[str], say: Callable[[str], None]) -> None:
    """Run a program to its end, or until nobody wants it any more."""
    process = start_tree(command, clean_environment())
    last: deque[str] = deque(maxlen=20)

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            last.append(line.rstrip())
            say(line.rstrip())

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    while process.poll() is None:
        if call.wait(0.1):
            end_tree(process)
            process.wait()
    reader.join()
    if call.cancelled:
        raise Cancelled(_("Cancelled."))
    if process.returncode != 0:
        errors = [line for line in last if line.upper().startswith("ERROR")]
        reason = (errors or list(last) or [_("exit code {code}").format(code=process.returncode)])[-1]
        raise EngineError(_("The installation failed: {reason}").format(reason=reason))


def _write(folder: Path, marker: Marker) -> None:
    temporary = folder / f"{MARKER}.part"
    temporary.write_text(json.dumps(asdict(marker)), encoding="utf-8")
    temporary.replace(folder / MARKER)


def _ask(python: str, code: str) -> str | None:
    """What a Python prints; None where it fails or there is none."""
    try:
        answer = subprocess.run(
            [python, "-c", code],
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=_ASKING_S,
            check=True,
            creationflags=subprocess.CREATE_NO_WINDOW if sys.platform == "win32" else 0,
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()


def _candidates(version: tuple[int, int]) -> list[Path]:
    """Where a Python of a version may be, on the path first."""
    name = f"python{version[0]}.{version[1]}"
    digits = f"{version[0]}{version[1]}"
    folders = [Path(folder) for folder in ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")]
    framework = Path(f"/Library/Frameworks/Python.framework/Versions/{version[0]}.{version[1]}/bin")
    windows = Path(os.environ.get("LOCALAPPDATA", "/")) / "Programs" / "Python" / f"Python{digits}" / "python.exe"
    on_path = [Path(found) for found in (shutil.which(name), shutil.which("python3"), shutil.which("python")) if found]
    places = [*on_path, *(folder / name for folder in (*folders, framework)), windows]
    return [place for place in dict.fromkeys(places) if place.is_file()]
