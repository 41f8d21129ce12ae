"""How far a command is: a bar on a terminal, JSON lines with --json, silence elsewhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


class Talk:
    """What a command says while it runs.

    Progress goes to stderr, results to stdout. With ``as_json`` both are JSON objects on stdout, one a line.
    """

    def __init__(self, as_json: bool) -> None:
        """Begin silently; the bar appears with the first :meth:`progress`."""
        self.as_json = as_json
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            disable=as_json or not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None)
        self._started = False

    def __enter__(self) -> Talk:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._bar.stop()

    def progress(self, done: float, total: float, message: str, **facts: str) -> None:
        """Say how far we are, in any unit."""
        if self.as_json:
            self.record("progress", done=round(done, 3), total=total, message=message, **facts)
            return
        if not self._started:
            self._bar.start()
            self._started = True
        self._bar.update(self._task, completed=done, total=total, description=message)

    def record(self, event: str, **facts: Any) -> None:
        """One JSON object on stdout; nothing without --json."""
        if self.as_json:
            sys.stdout.write(json.dumps({"event": event, **facts}, ensure_ascii=False) + "\n")
            sys.stdout.flush()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Take the bar away while something else is printed."""
        if self._started:
            self._bar.stop()
        yield
        if self._started:
            self._bar.start()

    def lines(self, *lines: str, quiet: bool = False) -> None:
        """Text for people on stdout; nothing with --json."""
        if self.as_json:
            return
        console = Console()
        with self.aside():
            for line in lines:
                console.print(line, markup=False, highlight=False, soft_wrap=True, style="dim" if quiet else None)
