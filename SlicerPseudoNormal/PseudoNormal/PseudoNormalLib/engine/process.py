"""The engine on this computer: a process of its own, which is started, watched and ended."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from PseudoNormalLib.engine.background import Background
from PseudoNormalLib.engine.client import EngineClient
from PseudoNormalLib.engine.errors import EngineError, Unreachable
from PseudoNormalLib.engine.trees import clean_environment, end_tree, start_tree
from PseudoNormalLib.i18n import _
from PseudoNormalLib.signals import Signal

STARTING_S = 120.0
POLITE_S = 2.0
RESTARTS, RESTARTS_WITHIN_S = 3, 300.0
KEPT_LINES = 1000
LARGEST_LOG = 5 << 20


@dataclass
class _Life:
    """One process from its start to its end; only :meth:`LocalEngine._live` and its reader write here."""

    token: str = field(repr=False)
    process: subprocess.Popen[str] | None = None
    url: str = ""
    stopping: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)


class LocalEngine:
    """An engine process, at most one at a time; started again when it dies, but not for ever.

    :param command: starts ``pseudonormal``; ``serve`` and its options are added.
    :param log_file: what it says is appended there.
    :param options: more options of ``pseudonormal serve``.
    :param port: where it listens, every time that it is started; 0: a free port, another one each time.
    :param token: the key that it wants to see, every time; a new one each time when not given.
    :ivar changed: emitted with the new state: ``stopped``, ``starting``, ``running`` or ``failed``.
    :ivar said: emitted with each line of its log.
    :ivar died: emitted with one line when it ended on its own after having run.
    :ivar failed: emitted with one line when it will not be started again without being asked.
    """

    def __init__(
        self,
        background: Background,
        command: Sequence[str],
        log_file: Path,
        options: Sequence[str] = (),
        *,
        port: int = 0,
        token: str = "",
    ) -> None:
        self.changed, self.said, self.died, self.failed = Signal(), Signal(), Signal(), Signal()
        self.command, self.log_file, self.options = tuple(command), log_file, tuple(options)
        self._background = background
        self._port, self._token = port, token
        self._state = "stopped"
        self._life: _Life | None = None
        self._ending: list[_Life] = []
        self._client: EngineClient | None = None
        self._settled = threading.Event()
        self._settled.set()
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._restarts: deque[float] = deque(maxlen=RESTARTS)

    @property
    def state(self) -> str:
        """``stopped``, ``starting``, ``running`` or ``failed``."""
        return self._state

    @property
    def pid(self) -> int | None:
        """The number of the process, where there is one."""
        return self._life.process.pid if self._life is not None and self._life.process is not None else None

    def client(self) -> EngineClient:
        """The running engine; on a worker thread this waits while it starts.

        :raises Unreachable: it does not run.
        """
        if threading.current_thread() is not threading.main_thread():  # which is the one that hears of the start
            self._settled.wait(STARTING_S)
        client = self._client
        if client is None:
            if self._state == "starting":
                raise Unreachable(_("The engine is still starting; try again in a moment."))
            raise Unreachable(_("The engine is not running; start it first."))
        return client

    def tail(self, lines: int = 200) -> list[str]:
        """The last lines of its log."""
        return list(self._lines)[-lines:]

    def start(self) -> None:
        """Start it, unless it runs or starts already."""
        if self._state in ("starting", "running"):
            return
        self._restarts.clear()
        self._begin()

    def stop(self) -> None:
        """End it with all its processes within 3 s; does not wait."""
        life, self._life, self._client = self._life, None, None
        if life is not None:
            life.stopping.set()
            self._ending = [one for one in self._ending if not one.ended.is_set()] + [life]
            self._background.run(lambda _call: _end(life))
        self._become("stopped")

    def wait_stopped(self, seconds: float = 3.0) -> bool:
        """For the end of the application: block until all that was stopped has ended; whether it has."""
        end = time.monotonic() + seconds
        return all(life.ended.wait(max(0.0, end - time.monotonic())) for life in self._ending)

    # --- on the main thread

    def _begin(self) -> None:
        life = _Life(self._token or secrets.token_urlsafe(32))
        self._life, self._client = life, None
        self._become("starting")
        self._background.run(
            lambda _call: self._live(life),
            lambda code: self._ended(life, code),
            lambda error: self._fail(life, _("The engine could not be started: {reason}").format(reason=error)),
            waits=True,
        )

    def _become(self, state: str) -> None:
        if state != self._state:
            self._state = state
            if state == "starting":
                self._settled.clear()
            else:
                self._settled.set()
            self.changed.emit(state)

    def _ready(self, life: _Life) -> None:
        if life is self._life:
            self._client = EngineClient(life.url, life.token)
            self._become("running")

    def _ended(self, life: _Life, code: int) -> None:
        if life is not self._life:  # it was stopped
            return
        if not life.url:
            last = next((line for line in reversed(self._lines) if line.strip()), _("it said nothing"))
            self._fail(life, _("The engine could not be started: {reason}").format(reason=last))
            return
        how = _("signal {code}").format(code=-code) if code < 0 else _("exit code {code}").format(code=code)
        now = time.monotonic()
        if len(self._restarts) == RESTARTS and now - self._restarts[0] < RESTARTS_WITHIN_S:
            line = _("The engine ended again and again ({how}); look at its log, then start it yourself.")
            self._fail(life, line.format(how=how))
            return
        self._restarts.append(now)
        self._begin()
        self.died.emit(_("The engine ended unexpectedly ({how}); it is being started again.").format(how=how))

    def _fail(self, life: _Life, line: str) -> None:
        if life is self._life:
            self._life, self._client = None, None
            self._become("failed")
            self.failed.emit(line)

    # --- on worker threads

    def _live(self, life: _Life) -> int:
        """Run the process to its end; its exit code."""
        try:
            self.log_file.parent.mkdir(parents=True, exist_ok=True)
            if self.log_file.is_file() and self.log_file.stat().st_size > LARGEST_LOG:
                self.log_file.replace(self.log_file.with_suffix(".old.log"))
            serve = ("serve", "--host", "127.0.0.1", "--port", str(self._port), "--json")
            environment = clean_environment() | {"PSEUDONORMAL_TOKEN": life.token}
            with self.log_file.open("a", encoding="utf-8") as log:
                parent = ("--parent", str(os.getpid()))
                life.process = start_tree((*self.command, *serve, *parent, *self.options), environment)
                if life.stopping.is_set():
                    end_tree(life.process)
                return self._follow(life, life.process, log)
        except OSError as error:
            raise EngineError(f"{error.strerror or error}: {error.filename or self.command[0]}") from error
        finally:
            life.ended.set()

    def _follow(self, life: _Life, process: subprocess.Popen[str], log: TextIO) -> int:
        reader = threading.Thread(target=self._read, args=(life, process, log), daemon=True)
        patience = threading.Timer(STARTING_S, lambda: None if life.url else end_tree(process))
        patience.daemon = True
        reader.start()
        patience.start()
        code = process.wait()
        patience.cancel()
        end_tree(process)  # what it left behind, which would keep its output open too
        reader.join(1.0)
        return code

    def _read(self, life: _Life, process: subprocess.Popen[str], log: TextIO) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if not life.url and (url := _url_in(line)):
                life.url = url
                self._background.post(lambda: self._ready(life))
                continue
            log.write(line)
            log.flush()
            text = line.rstrip()
            self._lines.append(text)
            self._background.post(lambda text=text: self.said.emit(text))


def _url_in(line: str) -> str:
    """The address in the line by which the engine says that it listens, else nothing."""
    try:
        facts = json.loads(line)
    except ValueError:
        return ""
    return str(facts.get("url", "")) if isinstance(facts, dict) else ""


def _end(life: _Life) -> None:
    """Ask it to end; when it does not, make it."""
    if life.process is None:  # it is only being started, and ended at once
        return
    life.process.terminate()
    if not life.ended.wait(POLITE_S):
        end_tree(life.process)
