"""What a recipe gives to the trainer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from numpy.random import Generator
from torch import Tensor, nn

from pseudonormal.training.strands import Sample

__all__ = ["Sample", "Trainable", "Turn"]


@dataclass(frozen=True)
class Turn:
    """One player's turn in a step.

    :param player: whose loss is wanted; the networks of the others rest.
    :param done: share of the training that is over, in [0, 1): ramps are functions of it.
    :param teachers: moving averages of all networks, in evaluation mode, without gradients.
    """

    player: str
    done: float
    teachers: Mapping[str, nn.Module]


class Trainable(Protocol):
    """What a recipe is, to be derived from: networks that learn together, samples and losses.

    Everything random is drawn from the generators that are handed in.

    Several processes that train together share the rows of each batch among them, and the gradients of their losses
    are added up, each weighted by its share of the rows. To give what one process with the whole batch gives, a loss
    is a mean over rows, each row's term by itself: voxel weights are normalised within the row. Random numbers that a
    loss needs come with the sample, from :meth:`redraw`.

    :ivar streams: the kinds of samples of which each batch holds its number of rows; () where there is one kind only.
    :ivar options: what it was built with beyond the material, a frozen dataclass of numbers, truth values and words
        that is kept with the run; None where there is nothing to choose.
    :ivar remarks: what whoever trains it should know, one line each: of what it was given, and of what the last check
        found to go wrong, with what to do. They are read when a training begins and after each check.
    """

    name: str
    streams: tuple[str, ...] = ()
    options: Any = None
    remarks: tuple[str, ...] = ()

    @property
    def players(self) -> Mapping[str, tuple[str, ...]]:
        """In the order of their turns in a step, the networks that each one moves."""
        ...

    def networks(self) -> dict[str, nn.Module]:
        """Fresh networks by name."""
        ...

    def samples(self, rng: Generator) -> Iterator[Sample]:
        """An endless stream of samples, many of which are drawn from side by side, in several processes.

        A sample's arrays have one shape (*S), 2D or 3D; whatever else it holds only :meth:`redraw` sees. Three keys
        are the trainer's: "stream" is one of ``streams``; a batch holds samples of one "group" only, all or none
        name one; "share" is the share of a batch's rows that this group takes, 1 where it is not given.
        """
        ...

    def redraw(self, sample: Sample, rng: Generator) -> Sample:
        """Cheap augmentation at each use of a sample: flips, intensities, appearance. Same keys in every stream.

        What it adds need not be of the shape (*S): random numbers that a loss needs come as vectors, (B, 1, N) there.
        """
        ...

    def loss(self, networks: Mapping[str, nn.Module], batch: Mapping[str, Tensor], turn: Turn) -> dict[str, Tensor]:
        """Terms to log, of which ``turn.player`` minimises "loss".

        :param batch: float32 (B, 1, *S) each; the rows of one stream after those of the other, in their order.
        """
        ...

    def progress(self, player: str, done: float) -> float | None:
        """Share of a player's own training that is over, in [0, 1]: its learning rate falls with it (cosine).

        None: it is not its time, and it has no turn in this step.

        :param done: share of the whole training that is over; the answer where nothing else is said.
        """
        return done

    def check(self, networks: Mapping[str, nn.Module], run: Path) -> dict[str, float]:
        """How good the moving averages are now; {} where there is nothing to check.

        Called now and then and at the end, in one process, without gradients. May write ``run/example.png``.
        """
        return {}
