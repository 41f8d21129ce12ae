"""What the engine of the moment says of itself: what it runs on, and which models it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PseudoNormalLib.engine.replies import EngineStatus, ModelInfo
from PseudoNormalLib.i18n import _
from PseudoNormalLib.signals import Signal

if TYPE_CHECKING:
    from PseudoNormalLib.engine.client import EngineClient
    from PseudoNormalLib.engine.connection import EngineConnection
    from PseudoNormalLib.engine.errors import EngineError
    from PseudoNormalLib.engine.jobs import EngineJobs
    from PseudoNormalLib.ticks import Stop, Tick


class EngineNews:
    """Asks the engine, when it is another or whenever wanted, and keeps what it said last.

    :ivar told: emitted when it has answered.
    :ivar silent: emitted with one line when it has not.
    :ivar status: what it said last; None where it has never answered.
    :ivar models: what it said last.
    :ivar answers: whether it answered when it was asked last; None before that.
    """

    def __init__(self, jobs: EngineJobs, connection: EngineConnection) -> None:
        self.told, self.silent = Signal(), Signal()
        self.status: EngineStatus | None = None
        self.models: tuple[ModelInfo, ...] = ()
        self.answers: bool | None = None
        self._jobs, self._connection = jobs, connection
        self._asking, self._other = False, False  # whether an answer is awaited, and is no longer the wanted one
        connection.changed.connect(self._changed)

    def ask(self) -> None:
        """Ask, where there is an engine to be asked and nobody waits for its answer."""
        if self._asking or self._connection.state not in ("running", "remote"):
            return

        def both(engine: EngineClient) -> tuple[list[ModelInfo], EngineStatus]:
            return engine.models(), engine.status()

        self._asking = True
        self._jobs.submit(both, self._told, self._silent)

    def ask_every(self, seconds: float, tick: Tick) -> Stop:
        """Ask again and again, until what is returned is called."""
        return tick(self.ask, seconds)

    def _changed(self) -> None:
        self._other = self._asking
        self.ask()

    def _told(self, told: tuple[list[ModelInfo], EngineStatus]) -> None:
        if self._still_wanted():
            self.answers = True
            self.models, self.status = tuple(told[0]), told[1]
            self.told.emit()

    def _silent(self, error: EngineError) -> None:
        if self._still_wanted():
            self.answers = False
            self.silent.emit(str(error))

    def _still_wanted(self) -> bool:
        """An answer has come; where it is another engine's by now, this one is asked."""
        self._asking, other, self._other = False, self._other, False
        if other:
            self.ask()
        return not other


def status_in_words(status: EngineStatus) -> str:
    """What an engine runs on, in one line."""
    line = _("Version {version}, model {model} on {device}")
    return line.format(version=status.version, model=status.model, device=status.device)
