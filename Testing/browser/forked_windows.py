"""Windows that are forked from a process in which everything is loaded already.

Loading takes a processor three seconds, and every test wants a window of its own. Whether a window starts from nothing
is for the gateway's tests, which start it as people do.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from unittest import mock

LOADED = "PseudoNormalWeb.window.serving"
# wslink reads these when it is loaded, as PseudoNormalWeb.window says
AT_LOADING = {"WSLINK_READY_MSG": "", "WSLINK_WS_COMPRESS": "0", "OMP_NUM_THREADS": "1"}

_forks = multiprocessing.get_context("forkserver")


class ForkedWindow:
    """A window's process: ``stdin`` and ``stdout`` are its pipes."""

    def __init__(self, arguments: list[str], environment: dict[str, str], log: Path, sources: tuple[Path, ...]) -> None:
        """Start it.

        :param arguments: of ``python -m PseudoNormalWeb.window``.
        :param environment: all that it has.
        :param log: gets its stderr.
        :param sources: where its modules are.
        """
        _forks.set_forkserver_preload([LOADED])
        with mock.patch.dict(os.environ, {**AT_LOADING, "PYTHONPATH": os.pathsep.join(map(str, sources))}):
            forkserver.ensure_running()
        told, self._orders = _forks.Pipe(duplex=False)
        self._answers, answers = _forks.Pipe(duplex=False)
        self._process = _forks.Process(target=_serve, args=(arguments, environment, log, told, answers))
        self._process.start()
        told.close()
        answers.close()
        self.stdin = os.fdopen(os.dup(self._orders.fileno()), "wb")
        self.stdout = os.fdopen(os.dup(self._answers.fileno()), "rb")
        self._orders.close()
        self._answers.close()

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended.

        :raises TimeoutError: it did not end within so many seconds.
        """
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise TimeoutError(f"the window did not end within {timeout} s")
        return self._process.exitcode

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()


def _serve(arguments: list[str], environment: dict[str, str], log: Path, told: Connection, answers: Connection) -> None:
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # it was looked up where this process was forked from
    with log.open("ab") as stderr:
        for number, file in enumerate((told, answers, stderr)):
            os.dup2(file.fileno(), number)
    told.close()
    answers.close()
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w", buffering=1)
    sys.argv = ["PseudoNormalWeb.window", *arguments]
    from PseudoNormalWeb.window.__main__ import main

    main()
