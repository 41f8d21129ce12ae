"""``log.jsonl``: how a training goes, one line every few steps."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from pseudonormal.scan.atomic import atomic_file, unwritable
from pseudonormal.training.parallel import Processes

Line = dict[str, float]


class Logbook:
    """Means over the steps since the line before, over all processes' rows.

    Each line covers the steps after the line before up to its own: there is no gap and no step twice.
    """

    def __init__(self, path: Path, step: int, processes: Processes) -> None:
        """Go on after ``step``: lines beyond it tell of steps that were lost with their process.

        :raises InputError: the folder cannot be written or the disk is full.
        """
        self._path, self._processes = path, processes
        self._sums: dict[str, Tensor | float] = {}
        self._weights: dict[str, float] = defaultdict(float)
        self.steps = 0
        if processes.rank == 0 and path.exists():
            kept = [line for line in path.read_text(encoding="utf-8").splitlines() if _step(line) <= step]
            with atomic_file(path) as file:
                file.write("".join(f"{line}\n" for line in kept).encode())

    def add(self, terms: Mapping[str, Tensor], share: float) -> None:
        """Count a step.

        :param terms: means over this process's rows; numbers on a GPU are not waited for.
        :param share: of the batch's rows that these are.
        """
        for name, term in terms.items():
            self._sums[name] = self._sums.get(name, 0.0) + share * term
            self._weights[name] += share
        self.steps += 1

    def means(self) -> Line:
        """Means since the last time, the same in all processes; all have to ask."""
        mine = {name: (float(total), self._weights[name]) for name, total in self._sums.items()}
        self._sums, self._weights, self.steps = {}, defaultdict(float), 0
        told = self._processes.gather(mine)
        names = dict.fromkeys(name for one in told for name in one)
        none = (0.0, 0.0)
        return {
            name: sum(one.get(name, none)[0] for one in told) / sum(one.get(name, none)[1] for one in told)
            for name in names
        }

    def write(self, line: Line) -> None:
        """Add a line; it is on disk when this returns.

        :raises InputError: the folder cannot be written or the disk is full.
        """
        try:
            with self._path.open("a", encoding="utf-8") as log:
                log.write(json.dumps(line) + "\n")
                log.flush()
                os.fsync(log.fileno())
        except OSError as error:
            raise unwritable(self._path.parent, error) from error


def _step(line: str) -> float:
    """The step of a line; infinite for one that was cut short."""
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")
