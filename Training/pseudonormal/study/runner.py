"""Trainings of a study: each in a folder of its own, gone on with after a break, each a row when it has been judged."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from pseudonormal.evaluate.rows import Row, RowStore
from pseudonormal.training.settings import Settings
from pseudonormal.training.trainable import Trainable
from pseudonormal.training.trained import ENDED, trained

Training = TypeVar("Training")

# Small batches and an average that follows fast: a training of some minutes has a few hundred steps.
SETTINGS = Settings(
    batch=1, learning_rate=2e-3, reuse=6, pool=80, workers=1, average=0.99, checks=8, checkpoint_every=10_000
)


@dataclass
class Runner:
    """Trains and remembers.

    :param out: folder of the study; runs lie in ``out/runs``, rows in ``out/rows.jsonl``.
    :param minutes: of each training, at most.
    :param steps: of each training, at most: where other work shares the cores, minutes are not alike, steps are.
    :param device: "cpu" or a GPU.
    :param about: what rows belong to: they are not taken for those of other scans.
    :param progress: told in a few words what is going on.
    :param stop: once it is set, the training that is going on is saved and ended.
    :param settings: of the trainings; seed, minutes, steps and device are set here.
    :param part: this process's number and how many share the trainings among them.
    """

    out: Path
    minutes: float
    steps: int
    device: str
    about: str
    progress: Callable[[str, float], None] = lambda _, __: None
    stop: threading.Event = field(default_factory=threading.Event)
    settings: Settings = SETTINGS
    part: tuple[int, int] = (1, 1)

    def __post_init__(self) -> None:
        self._rows = RowStore(self._rows_file(self.part[0]))

    def own(self, trainings: Iterable[Training]) -> list[Training]:
        """Those of all trainings that are this process's."""
        return list(trainings)[self.part[0] - 1 :: self.part[1]]

    def ended(self, name: str) -> bool:
        """Whether a run's weights are there."""
        return (self.run(name) / ENDED).exists()

    def networks(
        self, name: str, recipe: Trainable, seed: int, start: Mapping[str, Path] | None = None, batch: int | None = None
    ) -> dict[str, nn.Module]:
        """The networks of a run, trained unless they are there already; in evaluation mode.

        :param name: of the run, unlike all others in the study's folder.
        :param start: weights that single networks begin with.
        :param batch: samples of each stream in a batch; None: as ``settings`` has it.
        :raises InputError: the folder cannot be written.
        :raises Stopped: ``stop`` was set; the next call goes on from there.
        """
        settings = replace(
            self.settings, minutes=self.minutes, steps=self.steps, seed=seed, device=self.device,
            batch=batch or self.settings.batch,
        )  # fmt: skip
        return trained(
            recipe, self.run(name), settings, start=start, stop=self.stop,
            progress=lambda line: self.progress(name, line["done"]),
        )  # fmt: skip

    def run(self, name: str) -> Path:
        """The folder of a run."""
        return self.out / "runs" / f"{name}{self._ending}"

    def row(self, study: str, name: str, make: Callable[[], Row]) -> Row:
        """The row of a training, made unless it is there already.

        :param make: trains and judges.
        """
        key = f"{study}/{self.run(name).name}"
        row = self._rows.get(key)
        if row is None:
            row = self._rows.add([{"key": key, "study": study, "name": name, "minutes": self.minutes, **make()}])[0]
        return row

    @property
    def _ending(self) -> str:
        return f"_{self.minutes:g}min_{self.steps}steps_{self.about[:6]}"

    def steps_of(self, name: str) -> int:
        """Steps of a run that has ended."""
        lines = (self.run(name) / "log.jsonl").read_text(encoding="utf-8").splitlines()
        return int(json.loads(lines[-1])["step"]) if lines else 0

    def rows(self, study: str, seeds: Collection[int] | None = None) -> list[dict[str, Any]]:
        """All rows of a study with these scans and minutes, those of other processes too, by their seed.

        :param seeds: of the rows that are wanted; None: of any.
        """
        found: dict[str, dict[str, Any]] = {}
        for part in range(1, self.part[1] + 1):
            path = self._rows_file(part)
            for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
                try:
                    row = json.loads(line)
                except ValueError:  # another process is just writing it
                    continue
                if row["study"] == study and str(row["key"]).endswith(self._ending):
                    found[str(row["key"])] = row
        wanted = [row for row in found.values() if seeds is None or row["seed"] in seeds]
        return sorted(wanted, key=lambda row: int(row["seed"]))

    def _rows_file(self, part: int) -> Path:
        return self.out / ("rows.jsonl" if self.part[1] == 1 else f"rows_{part}_of_{self.part[1]}.jsonl")
