"""Which engine is used: one on this computer, or one elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from PseudoNormalLib.engine.background import Background
from PseudoNormalLib.engine.client import EngineClient
from PseudoNormalLib.engine.errors import EngineError, Unreachable
from PseudoNormalLib.engine.http import on_this_computer
from PseudoNormalLib.engine.process import LocalEngine
from PseudoNormalLib.hosts import Host
from PseudoNormalLib.i18n import _
from PseudoNormalLib.signals import Signal

LOCAL, REMOTE = "local", "remote"
_KEYS = "PseudoNormal/Engine/"
_NAME = "pseudonormal"


@dataclass(frozen=True)
class Choice:
    """The user's choice.

    :param kind: ``local`` or ``remote``.
    :param python: local: the Python of the engine's environment; empty where there is none yet.
    :param device: local: ``auto``, ``cpu``, ``cuda``, ``cuda:1``...
    :param store: local: the folder of the case store; empty for none.
    :param url: remote: its address.
    :param key: remote: its key.
    """

    kind: str = LOCAL
    python: str = ""
    device: str = "auto"
    store: str = ""
    url: str = ""
    key: str = field(default="", repr=False)


@dataclass(frozen=True)
class Tested:
    """Whether an engine answers as it should, in one line."""

    fine: bool
    line: str


class EngineConnection:
    """The engine of the moment.

    :ivar changed: emitted when another engine was chosen, or when the state of the one on this computer changed.
    :ivar said: emitted with each line that the engine on this computer writes into its log.
    :ivar died: emitted with one line when it ended on its own; it is started again.
    :ivar failed: emitted with one line when it does not run and will not be started again without being asked.
    """

    def __init__(self, host: Host, background: Background) -> None:
        self.changed, self.said, self.died, self.failed = Signal(), Signal(), Signal(), Signal()
        self._host = host
        self._background = background
        self._local: LocalEngine | None = None
        self._remote: EngineClient | None = None
        self._choice = Choice(
            **{one.name: host.settings.get(_KEYS + one.name.capitalize(), str(one.default)) for one in fields(Choice)}
        )
        self._set_up()

    @property
    def choice(self) -> Choice:
        """What was chosen; the host's settings keep it, the key too, as it is."""
        return self._choice

    @property
    def state(self) -> str:
        """``remote``, or how the engine on this computer is: see :attr:`LocalEngine.state`.

        It is ``missing`` when it is yet to be installed or pointed at.
        """
        if self._choice.kind == REMOTE:
            return REMOTE
        return self._local.state if self._local is not None else "missing"

    @property
    def log_file(self) -> Path:
        """The log of the engine on this computer."""
        return self._host.data_folder / "engine.log"

    def log_tail(self, lines: int = 200) -> list[str]:
        """The last lines that the engine on this computer said in this session."""
        return self._local.tail(lines) if self._local is not None else []

    def choose(self, choice: Choice) -> None:
        """Keep a choice; an engine on this computer that runs otherwise is ended."""
        if choice == self._choice:
            return
        self._choice = choice
        for one in fields(Choice):
            self._host.settings.set(_KEYS + one.name.capitalize(), str(getattr(choice, one.name)))
        self._set_up()
        self.changed.emit()

    def start(self) -> None:
        """Start the engine on this computer where that is the choice and it does not run; does not wait."""
        if self._local is not None:
            self._local.start()

    def stop(self) -> None:
        """End the engine on this computer; does not wait."""
        if self._local is not None:
            self._local.stop()

    def close(self) -> None:
        """For the end of the session: end the engine on this computer, and wait for that as long as it may take."""
        if self._local is not None:
            self._local.stop()
            self._local.wait_stopped()

    def client(self) -> EngineClient:
        """The engine of the moment; on a worker thread this waits while it starts.

        :raises Unreachable: it does not run, or none was chosen.
        """
        if self._remote is not None:
            return self._remote
        if self._choice.kind == REMOTE:
            raise Unreachable(_("No engine is chosen; enter the address of one."))
        if self._local is None:
            raise Unreachable(_("There is no engine on this computer yet; set it up first."))
        return self._local.client()

    def _set_up(self) -> None:
        if self._local is not None:
            self._local.stop()
        self._local, self._remote = None, None
        choice = self._choice
        if choice.kind == REMOTE:
            self._remote = EngineClient(full_address(choice.url), choice.key) if choice.url.strip() else None
        elif choice.python:
            self._local = self._local_engine((choice.python, "-m", _NAME))

    def _local_engine(self, command: Sequence[str]) -> LocalEngine:
        options = ["--device", self._choice.device, *(["--store", self._choice.store] if self._choice.store else [])]
        engine = LocalEngine(self._background, command, self.log_file, options)
        engine.changed.connect(lambda _state: self.changed.emit() if engine is self._local else None)
        engine.said.connect(self.said.emit)
        engine.died.connect(self.died.emit)
        engine.failed.connect(self.failed.emit)
        return engine


def full_address(url: str) -> str:
    """An address as people type it, with ``http://`` where they left that out."""
    url = url.strip().rstrip("/")
    return url if "://" in url else f"http://{url}"


def check_engine(client: EngineClient) -> Tested:
    """Ask an engine whether it would work for us: ``jobs.submit(check_engine, show)``."""
    try:
        health = client.health()
        if health.name != _NAME:
            return Tested(False, _("What answers at {url} is no PseudoNormal engine.").format(url=client.url))
        status = client.status()
    except EngineError as error:
        return Tested(False, str(error))
    line = _("PseudoNormal {version} answers: model {model} on {device}, {state}.").format(
        version=status.version, model=status.model, device=status.device, state=status.worker
    )
    if not client.url.lower().startswith("https:") and not on_this_computer(client.url):
        line = f"{line} " + _("What is sent there is not encrypted.")
    return Tested(True, line)
