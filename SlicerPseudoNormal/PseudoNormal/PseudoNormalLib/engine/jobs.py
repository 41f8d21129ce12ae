"""The engine's jobs from the main thread: nothing here blocks."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeVar

from PseudoNormalLib.engine.background import Background, Call
from PseudoNormalLib.engine.client import EngineClient
from PseudoNormalLib.engine.errors import EngineError
from PseudoNormalLib.engine.generation import Generated, Generation, LostInMidJob, Order
from PseudoNormalLib.engine.replies import JobStatus
from PseudoNormalLib.engine.transfer import Volume
from PseudoNormalLib.i18n import _
from PseudoNormalLib.signals import Signal, log_failure

Outcome = TypeVar("Outcome")

__all__ = ["EngineJobs", "GenerateJob", "Generated"]


class EngineJobs:
    """Asks the engine on worker threads and tells the outcome on the main thread.

    :param client: gives the engine of the moment; raises :class:`EngineError` where there is none.
    :ivar engine_lost: emitted with one line when the engine vanishes in the middle of a job.
    """

    def __init__(self, background: Background, client: Callable[[], EngineClient]) -> None:
        self.engine_lost = Signal()
        self._background = background
        self._client = client

    def submit(
        self,
        work: Callable[[EngineClient], Outcome],
        done: Callable[[Outcome], Any] | None = None,
        failed: Callable[[EngineError], Any] | None = None,
        *,
        instead_of: Call | None = None,
    ) -> Call:
        """Ask the engine something: ``jobs.submit(lambda engine: engine.models(), show, say)``.

        :param work: called on a worker thread with the engine.
        :param done: called on the main thread with what it returned.
        :param failed: called on the main thread with the error; ``str(error)`` is one line.
        :param instead_of: an earlier question, whose answer nobody wants any more: it could come after this one's.
        """
        if instead_of is not None:
            instead_of.cancel()
        return self._background.run(lambda _call: work(self._client()), done, _in_words(failed))

    def generate(  # noqa: PLR0913 - whatever the engine can be told, and whoever listens
        self,
        volume: Volume,
        *,
        mask: Volume | None = None,
        foreground: Volume | None = None,
        model: str | None = None,
        mode: str = "auto",
        texture: bool = False,
        reach_mm: float = 0.0,
        contrast: str | None = None,
        wanted: Collection[str] | None = None,
        on_progress: Callable[[JobStatus], Any] | None = None,
        on_log: Callable[[str], Any] | None = None,
        on_done: Callable[[Generated], Any] | None = None,
        on_failed: Callable[[EngineError], Any] | None = None,
    ) -> GenerateJob:
        """Send a scan, have its pseudo-normal generated, and fetch the results.

        The arrays are read on a worker thread: leave them alone until this has ended.

        :param reach_mm: have the wide difference made as well, which sees so far beyond the mask; 0: do not.
        :param contrast: the scan's, by a word of :data:`PseudoNormalLib.contrast.CONTRASTS`; None: not known.
        :param wanted: the result files to fetch by the engine's names; all when not given.
        :param on_progress: told the job's status with ``progress`` from 0 to 1 over sending, working and fetching.
        :param on_log: told each line of the job's log.
        :param on_failed: told :class:`PseudoNormalLib.engine.errors.Cancelled` when it was cancelled.
        """
        chosen = None if wanted is None else frozenset(wanted)
        order = Order(volume, mask, foreground, model, mode, texture, reach_mm, contrast, chosen)

        def tell(listener: Callable[[Any], Any] | None, what: Any) -> None:
            if listener is not None:
                self._background.post(lambda: listener(what))

        call = Call()
        generation = Generation(order, call, lambda status: tell(on_progress, status), lambda line: tell(on_log, line))

        def failed(error: EngineError) -> None:
            if on_failed is not None:
                on_failed(error)
            if isinstance(error, LostInMidJob):
                self.engine_lost.emit(str(error))

        self._background.run(lambda _call: generation.run(self._client()), on_done, _in_words(failed))
        return GenerateJob(call)


class GenerateJob:
    """A job that was begun."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def cancel(self) -> None:
        """End it; ``on_failed`` is told ``Cancelled`` as soon as the engine has let go of it."""
        self._call.cancel()


def _in_words(failed: Callable[[EngineError], Any] | None) -> Callable[[Exception], Any]:
    """Hand errors of the engine on as they are; any other is a defect, which goes into the log as well."""

    def tell(error: Exception) -> None:
        if not isinstance(error, EngineError):
            log_failure(error)
            line = _("Something unexpected happened ({kind}: {error}); see the log.")
            error = EngineError(line.format(kind=type(error).__name__, error=" ".join(str(error).split())))
        if failed is not None:
            failed(error)

    return tell
