"""The pool of earlier answers that discriminators are shown (Shrivastava 2017), so that they forget none."""

from __future__ import annotations

import torch
from torch import Tensor

SIZE = 50


class Pool:
    """Keeps answers of earlier steps; lives in memory only: a training that goes on begins with an empty one."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._kept: list[Tensor] = []

    def exchange(self, made: Tensor, coins: Tensor) -> Tensor:
        """Each row as it is, or with even odds an earlier one in its place.

        :param made: (B, ...) answers of this step.
        :param coins: (B,) in [0, 1), of the rows' own random numbers.
        :returns: like ``made``.
        """
        shown = []
        for row, coin in zip(made, coins.tolist(), strict=True):
            if len(self._kept) < SIZE:
                self._kept.append(row.clone())
                shown.append(row)
            elif coin < 0.5:
                place = int(2 * coin * SIZE)
                shown.append(self._kept[place])
                self._kept[place] = row.clone()
            else:
                shown.append(row)
        return torch.stack(shown)
