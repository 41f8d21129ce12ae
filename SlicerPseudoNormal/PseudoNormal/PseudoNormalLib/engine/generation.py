"""One pseudo-normal from the scan's sending to the results' arrival, on a worker thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from PseudoNormalLib.engine.background import Call
from PseudoNormalLib.engine.client import EngineClient
from PseudoNormalLib.engine.errors import Busy, Cancelled, EngineError, Unreachable
from PseudoNormalLib.engine.replies import JobStatus
from PseudoNormalLib.engine.transfer import SUFFIXES, FileContent, Volume, as_file, decode
from PseudoNormalLib.i18n import _

POLL_S = 0.15
RETRY_S = 2.0
"""How often an engine whose queue is full is asked again."""
# A network may hiccup; an engine that is silent for longer is gone.
PATIENCE_S = 2.0
# How the bar divides over sending, working and fetching.
SENDING, FETCHING = 0.05, 0.95


@dataclass(frozen=True, eq=False)
class Order:
    """What is to be generated; see :meth:`PseudoNormalLib.engine.jobs.EngineJobs.generate`."""

    volume: Volume | FileContent
    mask: Volume | None = None
    foreground: Volume | None = None
    model: str | None = None
    mode: str = "auto"
    texture: bool = False
    reach_mm: float = 0.0
    contrast: str | None = None
    wanted: frozenset[str] | None = None


@dataclass(frozen=True, eq=False)
class Generated:
    """What a job brought.

    :param report: report.json.
    :param volumes: ``pseudo_normal`` and the others, by the engine's names.
    :param documents: files that are no plain volumes, e.g. report.html, by the engine's names.
    :param job: its id, by which the case store takes over the results.
    """

    report: dict[str, Any]
    volumes: dict[str, Volume]
    documents: dict[str, bytes] = field(default_factory=dict)
    job: str = ""


class LostInMidJob(Unreachable):
    """The engine has stopped answering while it worked for us."""


class Generation:
    """Runs on a worker thread; ``on_progress`` and ``on_log`` are called there."""

    def __init__(
        self, order: Order, call: Call, on_progress: Callable[[JobStatus], Any], on_log: Callable[[str], Any]
    ) -> None:
        self._order = order
        self._call = call
        self._on_progress = on_progress
        self._on_log = on_log

    def run(self, engine: EngineClient) -> Generated:
        """Send, wait, fetch. Where the engine's queue is full, it waits for that too.

        :raises Cancelled: the call was cancelled; the engine has let go of the job by then.
        :raises LostInMidJob: the engine stopped answering once the job had begun.
        :raises EngineError: anything else went wrong.
        """
        job = self._begin(engine)
        try:
            return self._fetch(engine, self._wait(engine, job))
        except Unreachable as error:
            line = _("The engine stopped in the middle of the work; nothing in the scene was changed. {reason}")
            raise LostInMidJob(line.format(reason=error)) from error

    def _begin(self, engine: EngineClient) -> JobStatus:
        order = self._order
        given = {"volume": order.volume, "mask": order.mask, "foreground": order.foreground}
        parts = {role: part for role, part in given.items() if part is not None}
        sent: dict[str, str] = {}
        try:
            for number, (role, part) in enumerate(parts.items()):
                sent[role] = self._send(engine, part, number, len(parts))
            return self._start(engine, sent)
        finally:  # a job has files of its own
            for upload in sent.values():
                with suppress(EngineError):  # the engine forgets them by itself too, only later
                    engine.delete_volume(upload)

    def _send(self, engine: EngineClient, part: Volume | FileContent, number: int, parts: int) -> str:
        def show(fraction: float) -> None:
            done = SENDING * (number + fraction) / parts
            self._show(JobStatus("", "generate", "running", done, _("sending the scan")))

        content = as_file(part)
        return engine.upload(content.data, content.name, show)

    def _start(self, engine: EngineClient, sent: dict[str, str]) -> JobStatus:
        order = self._order
        while True:
            self._show(JobStatus("", "generate", "queued", SENDING, _("waits for the engine")))
            try:
                return engine.start_job(
                    **sent,
                    model=order.model,
                    mode=order.mode,
                    texture=order.texture,
                    reach_mm=order.reach_mm,
                    contrast=order.contrast,
                )
            except Busy:
                self._call.wait(RETRY_S)

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
            if self._call.wait(POLL_S):
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
        return Generated(result["report"], volumes, documents, job.id)

    def _show(self, status: JobStatus) -> None:
        self._stop_if_cancelled()
        self._on_progress(status)

    def _stop_if_cancelled(self) -> None:
        if self._call.cancelled:
            raise Cancelled(_("Cancelled."))
