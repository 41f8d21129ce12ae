"""A batch: many scans one after the other, each into a folder of its own, as the command line writes them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from PseudoNormalLib.batch_case import Outcome, Settings, run_case
from PseudoNormalLib.batch_items import BatchScan, Item
from PseudoNormalLib.batch_journal import CANCELLED, DONE, FAILED, RUNNING, Entry, Journal
from PseudoNormalLib.engine.background import Background, Call
from PseudoNormalLib.engine.client import EngineClient
from PseudoNormalLib.engine.errors import Unreachable
from PseudoNormalLib.engine.replies import JobStatus
from PseudoNormalLib.export.atomic import sweep
from PseudoNormalLib.export.case_folder import PAGE
from PseudoNormalLib.i18n import _
from PseudoNormalLib.signals import Signal

WAITING, SKIPPED = "waiting", "done before"
AT_ONCE = 2
"""While the engine works on one case, the next is sent and the last is written."""


@dataclass(frozen=True)
class Row:
    """How one case stands.

    :param state: ``waiting``, ``running``, ``done``, ``done before``, ``failed`` or ``cancelled``.
    :param fraction: of the engine's work on it, 0 to 1.
    :param line: what it is at, what was found, or what went wrong.
    :param page: its report, once there is one.
    """

    case: str
    source: str
    state: str = WAITING
    fraction: float = 0.0
    line: str = ""
    page: Path | None = None


class Batch:
    """Generates pseudo-normals of many scans; the scene is read but never changed.

    A case that fails is noted and the others go on. A batch that was cancelled, or whose process was killed, goes on
    where it was when it is started again with the same output folder.

    :param engine: gives the engine of the moment; raises :class:`EngineError` where there is none.
    :param clock: seconds.
    :ivar changed: emitted with the index of a row that changed.
    :ivar progress: emitted with the fraction done, a message, and the seconds left or None.
    :ivar finished: emitted with one line that sums it up, also after cancelling or when the engine stays away.
    """

    def __init__(
        self,
        background: Background,
        engine: Callable[[], EngineClient],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.changed = Signal()
        self.progress = Signal()
        self.finished = Signal()
        self._background = background
        self._engine = engine
        self._clock = clock
        self._running = False
        self._rows: list[Row] = []
        self._items: Sequence[Item] = ()
        self._entries: list[Entry] = []
        self._out = Path()
        self._journal: Journal
        self._settings = Settings()
        self._into_store = False
        self._calls: dict[int, Call] = {}
        self._begun: dict[int, float] = {}
        self._started = 0.0
        self._stopped = ""

    @property
    def rows(self) -> tuple[Row, ...]:
        """All cases, in order."""
        return tuple(self._rows)

    @property
    def running(self) -> bool:
        """Whether a batch is under way."""
        return self._running

    def start(self, items: Sequence[Item], out: Path, settings: Settings, *, into_store: bool = False) -> None:
        """Begin; ``finished`` is emitted in any case, once this has returned.

        :param out: the folder for the cases' folders; made if it is missing.
        :param into_store: put every case into the engine's case store as well.
        :raises ValueError: it cannot be begun; one line.
        """
        if self._running:
            raise ValueError(_("A batch is under way; wait for it or cancel it"))
        if not items:
            raise ValueError(_("There is no scan to work on; choose another folder or load scans"))
        journal = Journal(out)
        journal.write_summary()  # a folder that cannot be written is said now
        sweep(out)
        self._items, self._out, self._settings, self._into_store = tuple(items), out, settings, into_store
        self._journal = journal
        self._entries = [Entry(item.case, item.source, item.stamp, str(asdict(settings))) for item in items]
        self._rows = [self._first_row(entry) for entry in self._entries]
        self._begun = {}
        self._stopped = ""
        self._running = True
        self._started = self._clock()
        self._background.run(lambda _call: None, lambda _nothing: self._go_on())

    def cancel(self) -> None:
        """End the work; cases that are done stay, the others can be taken up again by another start."""
        if self._running:
            self._stop(_("cancelled"))

    def _first_row(self, entry: Entry) -> Row:
        earlier = self._journal.earlier(entry)
        if earlier is None:
            return Row(entry.case, entry.source)
        return Row(entry.case, entry.source, SKIPPED, 1.0, _found(earlier), self._out / entry.case / PAGE)

    def _go_on(self) -> None:
        """Begin as many cases as may be under way; end when none is left."""
        for index, row in enumerate(self._rows):
            if self._stopped or len(self._calls) >= AT_ONCE:
                break
            if row.state == WAITING:
                self._begin(index)
        self._tell()
        if not self._calls and self._running:
            self._end()

    def _begin(self, index: int) -> None:
        item, folder = self._items[index], self._out / self._items[index].case
        if folder.exists():
            # Not noted: what the journal says of the folder stays true.
            line = _("{folder}: is there already, made from another scan or with other settings; choose another")
            self._set(index, state=FAILED, line=line.format(folder=folder))
            return
        try:
            read = item.begin()
            self._journal.put(self._entries[index])
        except ValueError as error:
            self._fail(index, str(error))
            return
        self._begun[index] = self._clock()
        self._set(index, state=RUNNING, line=_("waits for the engine"))
        self._calls[index] = self._background.run(
            lambda call: self._work(call, index, read, folder),
            lambda outcome: self._done(index, outcome),
            lambda error: self._failed(index, error),
        )

    def _work(self, call: Call, index: int, read: Callable[[], BatchScan], folder: Path) -> Outcome:
        """On a worker thread."""

        def tell(status: JobStatus) -> None:
            self._background.post(lambda: self._heard(call, index, status))

        return run_case(self._engine, call, read(), folder, self._settings, into_store=self._into_store, tell=tell)

    def _heard(self, call: Call, index: int, status: JobStatus) -> None:
        if self._calls.get(index) is call:
            waits = status.state == "queued"
            self._set(index, fraction=status.progress, line=_("waits for the engine") if waits else status.message)
            self._tell()

    def _done(self, index: int, outcome: Outcome) -> None:
        report = outcome.report
        entry = replace(
            self._entries[index],
            state=DONE,
            findings=len(report["findings"]),
            lesion_ml=round(float(report["lesion_ml"]), 3),
            model=f"{report['model']['name']} {report['model']['version']}",
            seconds=round(self._clock() - self._begun[index], 1),
            store_case=outcome.store_case,
        )
        self._calls.pop(index, None)
        self._set(index, state=DONE, fraction=1.0, line=_found(entry), page=self._out / entry.case / PAGE)
        self._note(entry)
        self._go_on()

    def _failed(self, index: int, error: Exception) -> None:
        self._calls.pop(index, None)
        if isinstance(error, Unreachable):
            self._set(index, state=WAITING, fraction=0.0, line="")
            self._stop(str(error))
        else:
            self._fail(index, str(error))
            self._go_on()

    def _fail(self, index: int, line: str) -> None:
        self._set(index, state=FAILED, line=line)
        self._note(replace(self._entries[index], state=FAILED, message=line))

    def _stop(self, reason: str) -> None:
        """Let go of what is under way."""
        self._stopped = reason
        for index, call in self._calls.items():
            call.cancel()
            self._set(index, state=CANCELLED, line=_("cancelled"))
            self._note(replace(self._entries[index], state=CANCELLED))
        self._calls.clear()
        self._end()

    def _end(self) -> None:
        self._running = False
        try:
            self._journal.write_summary()
        except ValueError as error:
            self._stopped = self._stopped or str(error)
        self.finished.emit(self._sum())

    def _note(self, entry: Entry) -> None:
        """Without its journal a batch works all the same, but could not be taken up again: so it is ended."""
        try:
            self._journal.put(entry)
        except ValueError as error:
            self._stopped = str(error)

    def _sum(self) -> str:
        count = {state: sum(row.state == state for row in self._rows) for state in (DONE, SKIPPED, FAILED)}
        parts = [_("{n} of {all} done").format(n=count[DONE] + count[SKIPPED], all=len(self._rows))]
        if count[FAILED]:
            parts.append(_("{n} failed").format(n=count[FAILED]))
        return ", ".join(parts) + (f"; {self._stopped}" if self._stopped else "")

    def _tell(self) -> None:
        ended = [row for row in self._rows if row.state in (DONE, SKIPPED, FAILED)]
        fraction = (len(ended) + sum(row.fraction for row in self._rows if row.state == RUNNING)) / len(self._rows)
        worked = sum(row.state != SKIPPED for row in ended)
        left = (len(self._rows) - len(ended)) * (self._clock() - self._started) / worked if worked else None
        self.progress.emit(fraction, _("{n} of {all}").format(n=len(ended), all=len(self._rows)), left)

    def _set(self, index: int, **changes: Any) -> None:
        self._rows[index] = replace(self._rows[index], **changes)
        self.changed.emit(index)


def _found(entry: Entry) -> str:
    """A finished case in words."""
    if entry.findings is None:  # written in the moment in which an earlier batch was killed
        return _("done before")
    if not entry.findings:
        return _("no finding")
    line = _("{n} finding, {ml:.3g} ml") if entry.findings == 1 else _("{n} findings, {ml:.3g} ml")
    return line.format(n=entry.findings, ml=entry.lesion_ml or 0.0)
