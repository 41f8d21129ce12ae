"""What can be chosen in a training of recipe ``smile``: how many dimensions, which losses, what is left out."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Literal

from pseudonormal.networks.unet import whole_edge
from pseudonormal.training.ranges import check_options

Term = Literal["sim", "seg", "unl", "id", "heal", "cyc", "adv", "keep", "prior"]
PATCH = {2: 128, 3: 64}  # voxels; what a patch has when none is asked for
RAMP = 5.0  # of the sigmoid ramp-up of Laine and Aila (2017)


@dataclass(frozen=True)
class SmileOptions:
    """Weights, ramps and what is left out. Shares of the training are in [0, 1].

    :param dimensions: 3, or 2 for axial slices.
    :param patch: edge in voxels, a multiple of 16; 0: 64 in 3D, 128 in 2D.
    :param labels: share of the masks that may be used, the others count as not drawn.
    :param label_seed: decides which.
    :param mask: where the restorer works in labelled scans: within the drawn mask ("oracle") or within what the
        segmentor found at its last check ("predicted"). In unlabelled scans it is always the latter.
    :param no_unlabelled: leave scans without a mask out.
    :param no_simulation: leave simulated lesions out.
    :param no_normal: leave the stream of normal tissue out.
    :param no_painter: leave the painter and the cycle out.
    :param no_adversary: leave the discriminator out.
    :param sure: probability from which the teacher is believed.
    :param sim_weight: lesions of known truth are restored to it.
    :param seg_weight: lesions of known outline are found.
    :param unl_weight: the segmentor agrees with its own moving average where nobody drew.
    :param id_weight: the restorer leaves alone what is outside the mask.
    :param heal_weight: in the restored image nothing is found any more.
    :param cyc_weight: the painter brings the scan back from pseudo-normal and mask.
    :param adv_weight: the discriminator takes the restored for normal.
    :param prior: a finished run of recipe ``shape``, whose shape space judges what is found in unlabelled scans; empty:
        none.
    :param prior_weight: what is found there is like its own reconstruction from shape space.
    :param keep_weight: in painted heads networks answer as the model that they come from.

    Each ``*_begin`` is the share of the training at which a term sets in, each ``*_end`` where it has its whole weight
    (at once where that is not later).
    """

    dimensions: int = 3
    patch: int = 0
    labels: float = 1.0
    label_seed: int = 0
    mask: str = "oracle"
    no_unlabelled: bool = False
    no_simulation: bool = False
    no_normal: bool = False
    no_painter: bool = False
    no_adversary: bool = False
    sure: float = 0.9
    sim_weight: float = 1.0
    sim_begin: float = 0.0
    sim_end: float = 0.0
    seg_weight: float = 1.0
    seg_begin: float = 0.0
    seg_end: float = 0.0
    unl_weight: float = 0.5
    unl_begin: float = 0.3
    unl_end: float = 0.7
    id_weight: float = 1.0
    id_begin: float = 0.0
    id_end: float = 0.0
    heal_weight: float = 0.1
    heal_begin: float = 0.3
    heal_end: float = 0.7
    cyc_weight: float = 0.5
    cyc_begin: float = 0.1
    cyc_end: float = 0.4
    adv_weight: float = 0.02
    adv_begin: float = 0.6
    adv_end: float = 0.8
    keep_weight: float = 1.0
    keep_begin: float = 0.0
    keep_end: float = 0.0
    prior: str = ""
    prior_weight: float = 0.0
    prior_begin: float = 0.3
    prior_end: float = 0.7

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        :raises InputError: naming the option and what it may be.
        """
        edge = whole_edge(self.patch)
        moments = [field.name for field in fields(self) if field.name.endswith(("_begin", "_end"))]
        check_options(
            self,
            {
                "dimensions": (self.dimensions in PATCH, "2 or 3"),
                "patch": (self.patch in (0, edge), f"a multiple of 16, 32 at least; try {edge}"),
                "mask": (self.mask in ("oracle", "predicted"), "oracle or predicted"),
                "sure": (0.5 <= self.sure < 1, "from 0.5 up to but not 1"),
                "labels": (0 <= self.labels <= 1, "a share from 0 to 1"),
                **{one: (0 <= getattr(self, one) <= 1, "a share of the training, from 0 to 1") for one in moments},
            },
        )

    @property
    def edge(self) -> int:
        """Of a patch, in voxels."""
        return self.patch or PATCH[self.dimensions]

    def weight(self, term: Term, done: float) -> float:
        """A term's weight when a share of the training is over.

        ``weight * exp(-5 (1 - t)^2)`` with t from 0 at its begin to 1 at its end; 0 before, ``weight`` after.
        """
        left_out = {
            "sim": self.no_simulation, "unl": self.no_unlabelled, "cyc": self.no_painter, "adv": self.no_adversary,
            "prior": not self.prior,
        }  # fmt: skip
        if left_out.get(term):
            return 0.0
        begin, end = float(getattr(self, f"{term}_begin")), float(getattr(self, f"{term}_end"))
        whole = float(getattr(self, f"{term}_weight"))
        if done < begin:
            return 0.0
        return whole if done >= end else whole * math.exp(-RAMP * (1 - (done - begin) / (end - begin)) ** 2)
