"""One job of generating in the worker: stages told, cancelling heard, failures put into one line."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn.modules.module import register_module_forward_pre_hook

from pseudonormal import __version__
from pseudonormal.errors import InputError
from pseudonormal.generate.outputs import write_result
from pseudonormal.generate.pipeline import Options, generate
from pseudonormal.models.bundle import Model
from pseudonormal.report.model import Report
from pseudonormal.report.writing import summary
from pseudonormal.scan.contrast import Contrast
from pseudonormal.server.job import CASE
from pseudonormal.server.results import FILES, write_volumes

_LOG = logging.getLogger("pseudonormal.worker")
Tell = Callable[..., None]


class Cancelled(BaseException):
    """The client no longer wants it. Not an :class:`Exception`: nothing on the way may take it for a failure."""


@dataclass(frozen=True)
class Order:
    """What is to be made of which files.

    :param inputs: files by role: "volume", "mask", "foreground".
    :param folder: existing; the results appear in ``folder / CASE``, whole or not at all.
    """

    inputs: Mapping[str, Path]
    folder: Path
    mode: Any = "auto"
    texture: bool = False
    reach_mm: float = 0.0
    contrast: Contrast | None = None


def run(order: Order, load: Callable[[], Model], tell: Tell, cancelled: threading.Event) -> None:
    """Do one job and tell how it went; it never raises.

    :param load: gives the model, from memory where it is warm.
    :param tell: ``tell(what, **facts)`` sends news: "stage", "log" and at last one of "done", "failed", "cancelled".
    :param cancelled: set when the job is no longer wanted.
    """
    try:
        with _stopping_at(cancelled):
            report = _generate(order, load, tell, cancelled)
        tell("done", report=report.model_dump(mode="json"), files=_files(report))
    except Cancelled:
        tell("cancelled")
    except Exception as error:  # noqa: BLE001 - the worker goes on with the next job, whatever became of this one
        tell("failed", error=_in_words(error, order))


def _generate(order: Order, load: Callable[[], Model], tell: Tell, cancelled: threading.Event) -> Report:
    started = time.perf_counter()

    def at(stage: str) -> None:
        if cancelled.is_set():
            raise Cancelled
        tell("stage", stage=stage)
        tell("log", line=f"{time.perf_counter() - started:6.1f} s  {stage}")

    model = load()
    tell("log", line=f"model {model.name} {model.version} on {model.device}")
    options = Options(
        order.inputs.get("mask"),
        order.inputs.get("foreground"),
        order.mode,
        order.texture,
        reach_mm=order.reach_mm,
        contrast=order.contrast,
    )
    result = generate(order.inputs["volume"], model, options, at)
    at("write")
    try:
        report = write_result(result, order.folder, CASE, model, options, write_volumes)
    except (InputError, OSError) as error:
        raise InputError("the engine cannot write its results, its disk may be full; free some space there") from error
    for warning in result.warnings:
        tell("log", line=f"note: {warning}")
    tell("log", line=f"{time.perf_counter() - started:6.1f} s  done: {summary(report)}")
    return report


def _files(report: Report) -> dict[str, str]:
    """The names of the files that were written, by what they hold."""
    return {what: name for what, name in FILES.items() if name in report.files}


@contextmanager
def _stopping_at(cancelled: threading.Event) -> Iterator[None]:
    """Leave off at the next layer of whichever network runs, once the event is set."""

    def look(*_: object) -> None:
        if cancelled.is_set():
            raise Cancelled

    hook = register_module_forward_pre_hook(look)
    try:
        yield
    finally:
        hook.remove()


def _in_words(error: Exception, order: Order) -> str:
    """What went wrong, in one line; files are called after their roles, as clients know them."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return "the engine has not enough memory for a scan of this size; free some, or choose another device"
    text = str(error)
    if not isinstance(error, InputError):
        _LOG.error("a job failed", exc_info=error)
        return f"a defect of PseudoNormal {__version__} ({type(error).__name__}); see the engine's log"
    for role, path in order.inputs.items():
        text = text.replace(str(path), role)
    return " ".join(text.split())
