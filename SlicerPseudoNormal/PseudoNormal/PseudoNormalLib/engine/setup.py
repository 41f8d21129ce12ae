"""Setting the engine up on this computer at the user's wish: one installation at a time, followed and cancelled."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PseudoNormalLib.engine.background import Background, Call
from PseudoNormalLib.engine.connection import LOCAL, EngineConnection
from PseudoNormalLib.engine.environment import (
    announcement,
    find_python,
    is_complete,
    make_environment,
    read_marker,
    remove_environment,
)
from PseudoNormalLib.engine.errors import EngineError
from PseudoNormalLib.i18n import _
from PseudoNormalLib.signals import Signal

REQUIREMENT = "pseudonormal"
"""What pip installs unless the user names a file or an address."""


class EngineSetup:
    """Makes the engine's environment in a folder, and chooses it once it is complete.

    :param folder: takes the environment; also of one that was begun earlier.
    :ivar said: emitted with each line that the installation says.
    :ivar ended: emitted with one line when it was done, failed or cancelled.
    """

    def __init__(self, background: Background, connection: EngineConnection, folder: Path) -> None:
        self.said, self.ended = Signal(), Signal()
        self.folder = folder
        self._background, self._connection = background, connection
        self._call: Call | None = None

    @property
    def running(self) -> bool:
        """Whether an installation is under way."""
        return self._call is not None

    @property
    def removable(self) -> bool:
        """Whether the folder holds an environment, finished or not."""
        return read_marker(self.folder) is not None

    @property
    def complete(self) -> bool:
        """Whether the folder holds a finished environment."""
        return is_complete(self.folder)

    def announcement(self, requirement: str) -> str:
        """What will be downloaded, how much, and where it goes."""
        return announcement(self.folder, requirement.strip() or REQUIREMENT)

    def start(self, requirement: str) -> None:
        """Install, or go on with an installation that was begun; ``ended`` tells the outcome."""
        if self.running:
            return
        wanted = requirement.strip() or REQUIREMENT
        self._call = self._background.run(
            lambda _call: find_python(), lambda python: self._make(python, wanted), self._failed
        )
        self.said.emit(_("Looking for a Python to make the environment with…"))

    def cancel(self) -> None:
        """End the installation; what was installed so far is kept for the next attempt."""
        if self._call is not None:
            self._call.cancel()
            self._end(_("Cancelled; the next attempt goes on from here."))

    def remove(self) -> None:
        """Delete the environment again; an engine that runs from it is ended first."""
        if str(self._connection.choice.python).startswith(str(self.folder)):
            self._connection.close()
            self._connection.choose(replace(self._connection.choice, python=""))
        self._call = self._background.run(
            lambda _call: remove_environment(self.folder), lambda _none: self._end(_("Removed.")), self._failed
        )

    def _make(self, python: Path | None, requirement: str) -> None:
        if python is None:
            self._end(_("This computer has no Python 3.10 to 3.13; install one from python.org and try again."))
            return
        self._call = make_environment(
            self._background,
            self.folder,
            python,
            requirement,
            on_line=self.said.emit,
            on_done=self._done,
            on_failed=self._failed,
        )

    def _done(self, python: Path) -> None:
        self._connection.choose(replace(self._connection.choice, kind=LOCAL, python=str(python)))
        self._connection.start()
        self._end(_("The engine is installed."))

    def _failed(self, error: EngineError | Exception) -> None:
        self._end(str(error))

    def _end(self, line: str) -> None:
        self._call = None
        self.ended.emit(line)
