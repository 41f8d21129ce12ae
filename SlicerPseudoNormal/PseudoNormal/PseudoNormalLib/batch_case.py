"""One case of a batch from its scan to its folder, on a worker thread."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PseudoNormalLib.batch_items import Content
from PseudoNormalLib.engine.background import Call
from PseudoNormalLib.engine.client import EngineClient
from PseudoNormalLib.engine.errors import Busy, Cancelled, EngineError, Unreachable
from PseudoNormalLib.engine.replies import JobStatus
from PseudoNormalLib.engine.transfer import decode
from PseudoNormalLib.export.case_folder import write_case_folder
from PseudoNormalLib.i18n import _

VOLUMES = ("pseudo_normal", "difference", "difference_z", "confidence", "lesion_mask")
PAGE = "report_html"
POLL_S = 0.3
RETRY_S = 2.0
PATIENCE_S = 90.0
"""For so long an engine may be away (it restarts after a crash) before the batch gives up."""
ATTEMPTS = 3


@dataclass(frozen=True)
class Settings:
    """What all cases of a batch are generated with.

    :param model: name of a model; None: the engine's own choice.
    :param mode: "auto", "void" or "guided".
    :param texture: add grain to the pseudo-normals.
    """

    model: str | None = None
    mode: str = "auto"
    texture: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came of a case.

    :param report: the engine's.
    :param store_case: its id in the case store; empty where it was not sent there.
    """

    report: dict[str, Any]
    store_case: str = ""


def run_case(
    engine: Callable[[], EngineClient],
    call: Call,
    content: Content,
    folder: Path,
    settings: Settings,
    *,
    into_store: bool,
    tell: Callable[[JobStatus], Any],
) -> Outcome:
    """Send a scan, have its pseudo-normal generated and write the case's folder; blocks until that is done.

    :param engine: the engine of the moment; one that is away is waited for, and the case begun anew.
    :param call: its cancelling ends the engine's work.
    :param folder: the case's; see :func:`write_case_folder`.
    :param into_store: put the case into the engine's case store too.
    :param tell: called, on this thread, whenever the engine says how far it is.
    :raises EngineError: the engine refused or failed, or stayed away (:class:`Unreachable`).
    :raises ExportError: the folder cannot be written.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _attempt(_present(engine, call), call, content, folder, settings, into_store, tell)
        except Unreachable:
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("the last attempt returns or raises")


def _present(engine: Callable[[], EngineClient], call: Call) -> EngineClient:
    """An engine that answers.

    :raises Unreachable: there is none for too long.
    """
    waited = 0.0
    while True:
        try:
            client = engine()
            client.health()
        except Unreachable:
            if waited >= PATIENCE_S:
                raise
        else:
            return client
        waited += RETRY_S
        _sleep(call, RETRY_S)


def _attempt(
    client: EngineClient,
    call: Call,
    content: Content,
    folder: Path,
    settings: Settings,
    into_store: bool,
    tell: Callable[[JobStatus], Any],
) -> Outcome:
    if into_store and not client.status().store:
        raise EngineError(_("the engine has no case store; give it one, or do without"))
    volume = client.upload(content.data, content.name, lambda _fraction: _stop_if_cancelled(call))
    try:
        status = _finished(client, call, _begun(client, call, volume, settings), tell)
        if status.state != "done" or not status.result:
            raise EngineError(status.error or _("the engine ended the job without a result"))
        report, files = _named_after(content, folder, status.result["report"]), status.result["files"]
        fetched = {
            name: client.result_file(status.id, files[name], lambda _fraction: _stop_if_cancelled(call))
            for name in (*VOLUMES, PAGE)
        }
        page = fetched.pop(PAGE)
        volumes = {name: decode(data, files[name]) for name, data in fetched.items()}
        _stop_if_cancelled(call)
        case = client.add_case(volume, job=status.id).id if into_store else ""
        write_case_folder(folder, volumes, report, page)
        return Outcome(report, case)
    finally:
        with suppress(EngineError):  # it forgets volumes by itself too, only later
            client.delete_volume(volume)


def _begun(client: EngineClient, call: Call, volume: str, settings: Settings) -> JobStatus:
    """The job, begun as soon as the engine's queue has room for it."""
    while True:
        try:
            return client.start_job(volume, model=settings.model, mode=settings.mode, texture=settings.texture)
        except Busy:
            _sleep(call, RETRY_S)


def _finished(client: EngineClient, call: Call, status: JobStatus, tell: Callable[[JobStatus], Any]) -> JobStatus:
    """The job's end."""
    while not status.finished:
        tell(status)
        if call.wait(POLL_S):
            client.cancel_job(status.id)
            raise Cancelled(_("Cancelled."))
        status = client.job(status.id, status.next)
    return status


def _named_after(content: Content, folder: Path, report: dict[str, Any]) -> dict[str, Any]:
    """The report with the names that the user knows; the engine has its own for what it is sent."""
    return {**report, "case": folder.name, "input": {**report["input"], "name": content.name}}


def _sleep(call: Call, seconds: float) -> None:
    call.wait(seconds)
    _stop_if_cancelled(call)


def _stop_if_cancelled(call: Call) -> None:
    if call.cancelled:
        raise Cancelled(_("Cancelled."))
