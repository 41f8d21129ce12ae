"""One pseudo-normal from the scan's sending to the results' arrival, on a worker thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from PseudoNormalLib.engine.client import EngineClient
from PseudoNormalLib.engine.errors import Cancelled, EngineError, Unreachable
from PseudoNormalLib.engine.replies import JobStatus
from PseudoNormalLib.engine.transfer import SUFFIXES, Volume, decode, encode
from PseudoNormalLib.i18n import _

POLL_S = 0.15
# A network may hiccup; an engine that is silent for longer is gone.
PATIENCE_S = 2.0
# How the bar divides over sending, working and fetching.
SENDING, FETCHING = 0.05, 0.95


@dataclass(frozen=True, eq=False)
class Order:
    """What is to be generated; see :meth:`PseudoNormalLib.engine.jobs.EngineJobs.generate`."""

    volume: Volume
    mask: Volume | None
    foreground: Volume | None
    model: str | None
    mode: str
    texture: bool
    wanted: frozenset[str] | None


@dataclass(frozen=True, eq=False)
class Generated:
    """What a job brought.

    :param report: report.json.
    :param volumes: ``pseudo_normal`` and the others, by the engine's names.
    :param documents: files that are no plain volumes, e.g. report.html, by the engine's names.
    :param job: its id, by which the case store takes over the results.
    :param volume: the id of the scan as it was sent.
    """

    report: dict[str, Any]
    volumes: dict[str, Volume]
    documents: dict[str, bytes] = field(default_factory=dict)
    job: str = ""
    volume: str = ""


class LostInMidJob(Unreachable):
    """The engine has stopped answering while it worked for us."""


class Generation:
    """Runs on a worker thread; ``on_progress`` and ``on_log`` are called there."""

    def __init__(self, order: Order, on_progress: Callable[[JobStatus], Any], on_log: Callable[[str], Any]) -> None:
        self._order = order
        self._on_progress = on_progress
        self._on_log = on_log
        self._cancelled = threading.Event()
        self._sent: list[str] = []

    def cancel(self) -> None:
        """From any thread: have :meth:`run` end with ``Cancelled``."""
        self._cancelled.set()

    def run(self, engine: EngineClient) -> Generated:
        """Send, wait, fetch.

        :raises Cancelled: it was cancelled.
        :raises LostInMidJob: the engine stopped answering once the job had begun.
        :raises EngineError: anything else went wrong.
        """
        try:
            job = self._begin(engine)
            try:
                return self._fetch(engine, self._wait(engine, job))
            except LostInMidJob:
                raise
            except Unreachable as error:
                line = _("The engine stopped in the middle of the work; nothing in the scene was changed. {reason}")
                raise LostInMidJob(line.format(reason=error)) from error
        except EngineError:
            self._forget(engine)
            raise

    def _begin(self, engine: EngineClient) -> JobStatus:
        order = self._order
        parts = [part for part in (order.volume, order.mask, order.foreground) if part is not None]

        def send(number: int, part: Volume) -> str:
            def show(fraction: float) -> None:
                done = SENDING * (number + fraction) / len(parts)
                self._show(JobStatus("", "generate", "queued", done, _("sending the scan")))

            sent = engine.upload(encode(part), "volume.nrrd", show)
            self._sent.append(sent)
            return sent

        ids = iter([send(number, part) for number, part in enumerate(parts)])
        self._stop_if_cancelled()
        return engine.start_job(
            next(ids),
            mask=next(ids) if order.mask is not None else None,
            foreground=next(ids) if order.foreground is not None else None,
            model=order.model,
            mode=order.mode,
            texture=order.texture,
        )

    def _wait(self, engine: EngineClient, job: JobStatus) -> JobStatus:
        silent_since: float | None = None
        while True:
            for line in job.log:
                self._on_log(line)
            if job.state == "done":
                return job
            if job.finished:
                raise Cancelled(_("Cancelled.")) if job.state == "cancelled" else EngineError(job.error or job.message)
            working = SENDING + (FETCHING - SENDING) * job.progress
            self._on_progress(replace(job, progress=working))
            if self._cancelled.wait(POLL_S):
                self._end(engine, job)
                raise Cancelled(_("Cancelled."))
            try:
                job = engine.job(job.id, since=job.next)
                silent_since = None
            except Unreachable:
                silent_since = silent_since or time.monotonic()
                if time.monotonic() - silent_since > PATIENCE_S:
                    raise
                job = replace(job, log=())

    def _end(self, engine: EngineClient, job: JobStatus) -> None:
        try:
            engine.cancel_job(job.id)
        except EngineError:  # gone, and the work with it
            return

    def _fetch(self, engine: EngineClient, job: JobStatus) -> Generated:
        result = job.result or {}
        wanted = self._order.wanted
        files = {name: file for name, file in result["files"].items() if wanted is None or name in wanted}
        volumes: dict[str, Volume] = {}
        documents: dict[str, bytes] = {}
        for number, (name, file) in enumerate(files.items()):
            done = FETCHING + (1 - FETCHING) * number / len(files)
            self._show(replace(job, progress=done, message=_("fetching the results"), log=()))
            content = engine.result_file(job.id, file)
            if file.endswith(SUFFIXES) and not file.endswith(".seg.nrrd"):
                volumes[name] = decode(content, file)
            else:
                documents[name] = content
        return Generated(result["report"], volumes, documents, job.id, self._sent[0])

    def _show(self, status: JobStatus) -> None:
        self._stop_if_cancelled()
        self._on_progress(status)

    def _stop_if_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise Cancelled(_("Cancelled."))

    def _forget(self, engine: EngineClient) -> None:
        """Have the engine drop what was sent for nothing; it does so itself when it cannot be told."""
        for sent in self._sent:
            try:
                engine.delete_volume(sent)
            except EngineError:
                return
