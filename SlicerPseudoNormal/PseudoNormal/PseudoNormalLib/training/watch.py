"""Following the engine's trainings: the queue as it is, and one of them line by line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PseudoNormalLib.engine.errors import EngineError, Unknown, Unreachable
from PseudoNormalLib.i18n import _
from PseudoNormalLib.signals import Signal, log_failure

if TYPE_CHECKING:
    from PseudoNormalLib.engine.background import Background, Call
    from PseudoNormalLib.engine.client import EngineClient
    from PseudoNormalLib.engine.training_replies import TrainingStatus

POLL_S, POLL_S_WHEN_IDLE = 0.5, 5.0
NOTHING_SEEN = -1  # no picture's number


class TrainingWatch:
    """Asks again and again on a worker thread and tells on the main thread; nothing here blocks.

    :param client: gives the engine of the moment; raises :class:`EngineError` where there is none.
    :ivar changed: emitted when the trainings, or how one of them is, are other ones: see :attr:`trainings`.
    :ivar followed: emitted with the training that is followed, how it is now, and whether its example is a new one.
    :ivar silent: emitted with one line while the engine does not answer, or serves no case store.
    :ivar answered: emitted when the engine answers for the first time, or again after it was silent.
    :ivar trainings: all that the engine has, the last first.
    :ivar current: the one that is followed; None where there is none.
    :ivar lines: all that it said.
    :ivar example: PNG of a case before and after, or of some of the scans that were made; None where there is none yet.
    """

    def __init__(self, background: Background, client: Callable[[], EngineClient]) -> None:
        self.changed, self.followed, self.silent, self.answered = Signal(), Signal(), Signal(), Signal()
        self.trainings: tuple[TrainingStatus, ...] = ()
        self.current: TrainingStatus | None = None
        self.lines: list[Mapping[str, Any]] = []
        self.example: bytes | None = None
        self._background = background
        self._client = client
        self._call: Call | None = None
        self._chosen = ""
        self._heard_of = False

    @property
    def watching(self) -> bool:
        """Whether the engine is being asked."""
        return self._call is not None

    def start(self) -> None:
        """Begin to ask, from the beginning where the engine is another one."""
        self.stop()
        self._call = self._background.run(self._ask, waits=True)

    def stop(self) -> None:
        """Ask no more."""
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def forget(self) -> None:
        """The engine is another one: what was known is of no use."""
        self.trainings, self.current, self.lines, self.example, self._chosen = (), None, [], None, ""
        self._heard_of = False
        self.changed.emit()

    def follow(self, training: str) -> None:
        """Follow another training, or the same from its beginning."""
        self._chosen = training
        self.start()

    # --- on the worker thread

    def _ask(self, call: Call) -> None:
        chosen, known, seen = self._chosen, 0, NOTHING_SEEN
        while not call.cancelled:
            pause = POLL_S_WHEN_IDLE
            try:
                routes = self._client().trainings
                trainings = routes.all()
                chosen = chosen if any(each.id == chosen for each in trainings) else _most_wanted(trainings)
                self._tell(call, self._heard_all, trainings)
                if chosen:
                    status = routes.status(chosen, since=known)
                    picture = routes.example(chosen) if status.example not in (0, seen) else None
                    self._tell(call, self._heard, status, picture, anew=seen == NOTHING_SEEN)
                    known, seen = status.next, status.example
                if not all(each.over for each in trainings):
                    pause = POLL_S
            except (Unreachable, Unknown) as error:
                self._tell(call, self._not_heard, str(error))
            except EngineError as error:
                log_failure(error)
                self._tell(call, self._not_heard, str(error))
            call.wait(pause)

    def _tell(self, call: Call, listener: Callable[..., Any], *news: Any, **more: Any) -> None:
        self._background.post(lambda: None if call.cancelled else listener(*news, **more))

    # --- on the main thread

    def _not_heard(self, line: str) -> None:
        self._heard_of = False
        self.silent.emit(line)

    def _heard_all(self, trainings: Sequence[TrainingStatus]) -> None:
        if not self._heard_of:
            self._heard_of = True
            self.answered.emit()
        if tuple(trainings) != self.trainings:
            self.trainings = tuple(trainings)
            self.changed.emit()

    def _heard(self, status: TrainingStatus, picture: bytes | None, anew: bool) -> None:
        self.lines[status.next - len(status.log) :] = status.log
        self.example = picture or (None if anew else self.example)
        self.current = status
        self.followed.emit(status)


def metrics_in_words(lines: Sequence[Mapping[str, Any]]) -> str:
    """The newest numbers of a training, as its panel shows them; empty before the first."""
    newest: dict[str, float] = {}
    for line in lines:
        newest.update({name: value for name, value in line.items() if name == "loss" or name.startswith("check_")})
    words = [f"{term_in_words(name)} {value:.3g}" for name, value in newest.items()]
    step = next((line["step"] for line in reversed(lines) if "step" in line), 0)
    return " · ".join([_("step {step}").format(step=f"{step:.0f}"), *words]) if step else ""


def term_in_words(name: str) -> str:
    """A term of the log as people read it."""
    return name.removeprefix("check_").replace("_", " ")


def _most_wanted(trainings: Sequence[TrainingStatus]) -> str:
    """The one that runs, else the last."""
    running = [each.id for each in trainings if each.state == "running"]
    return next(iter([*running, *(each.id for each in trainings)]), "")
