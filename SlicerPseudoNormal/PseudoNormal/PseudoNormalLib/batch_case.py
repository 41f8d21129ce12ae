"""One case of a batch from its scan to its folder, on a worker thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PseudoNormalLib.batch_items import BatchScan
from PseudoNormalLib.engine.background import Call
from PseudoNormalLib.engine.client import EngineClient
from PseudoNormalLib.engine.errors import Cancelled, EngineError, Unreachable
from PseudoNormalLib.engine.generation import Generation, Order
from PseudoNormalLib.engine.replies import JobStatus
from PseudoNormalLib.export.case_folder import write_case_folder
from PseudoNormalLib.generate import REACH_MM
from PseudoNormalLib.i18n import _

VOLUMES = ("pseudo_normal", "difference", "difference_z", "confidence", "lesion_mask")
PAGE = "report_html"
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
    scan: BatchScan,
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
            return _attempt(_present(engine, call), call, scan, folder, settings, into_store, tell)
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
        if call.wait(RETRY_S):
            raise Cancelled(_("Cancelled."))


def _attempt(
    client: EngineClient,
    call: Call,
    scan: BatchScan,
    folder: Path,
    settings: Settings,
    into_store: bool,
    tell: Callable[[JobStatus], Any],
) -> Outcome:
    if into_store and not client.status().store:
        raise EngineError(_("the engine has no case store; give it one, or do without"))
    order = Order(
        scan.content,
        model=settings.model,
        mode=settings.mode,
        texture=settings.texture,
        reach_mm=REACH_MM if into_store else 0.0,
        contrast=scan.contrast,
        wanted=frozenset((*VOLUMES, PAGE)),
    )
    made = Generation(order, call, tell, lambda _line: None).run(client)
    if call.cancelled:
        raise Cancelled(_("Cancelled."))
    report = _named_after(scan, folder, made.report)
    case = client.add_case(job=made.job, subject=scan.subject).id if into_store else ""
    write_case_folder(folder, made.volumes, report, made.documents[PAGE])
    return Outcome(report, case)


def _named_after(scan: BatchScan, folder: Path, report: dict[str, Any]) -> dict[str, Any]:
    """The report with the names that the user knows; the engine has its own for what it is sent."""
    return {**report, "case": folder.name, "input": {**report["input"], "name": scan.content.name}}
