"""What recipe ``lesion`` puts its lesions into: patches of real scans and of heads painted from label maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.intensity import robust_z_scale
from pseudonormal.lesions.in_place import BrainFrame, InPlace
from pseudonormal.painting.contrast import WITH_AGENT, draw_contrast
from pseudonormal.painting.drainage import drainage
from pseudonormal.painting.render import render
from pseudonormal.training.crops import posed
from pseudonormal.training.streams import Anatomy, Reference

PATCH = 96
REAL_SHARE = 0.6
# FLAIR shows most diseases best and is what people look for lesions on: it is shown more often.
FAVOURED = "flair"
FAVOURED_SHARE = 0.35
FAVOURED_ODDS = 3.0
# A patch of a real FLAIR shows another subject's lesions at their own places instead of any shapes anywhere.
IN_PLACE_ODDS = 0.4
# After contrast agent veins, dura and plexus shine as lesions do, and one scan alone shows that for real.
AGENT_SHARE = 0.25
AGENT_ODDS = 0.5  # of a T1-weighted scan whose veins are known
AGENT_REFERENCE_ODDS = 3.0
AGENT_LOOSE_MM = (0, 4)  # a brain that was cut out loosely shows the sinuses around it


@dataclass(frozen=True)
class Scene:
    """A patch before lesions are put into it; arrays (D, H, W) of one shape.

    :param image: float32, any units.
    :param brain: the foreground.
    :param known: lesions that are there already.
    :param doubtful: voxels that may be abnormal.
    :param sequence: the contrast's name; empty or "random" when it is none that has one.
    :param carried: opacity of lesions that stand at their own places; None: any shape anywhere.
    :param shines: where contrast agent shines, see :func:`pseudonormal.painting.drainage.drainage`; None: nowhere.
    """

    image: NDArray[np.float32]
    brain: NDArray[np.bool_]
    known: NDArray[np.bool_]
    doubtful: NDArray[np.bool_]
    sequence: str
    carried: NDArray[np.float32] | None = None
    shines: NDArray[np.uint8] | None = None


class LesionScenes:
    """Draws scenes from anatomies and references."""

    def __init__(self, anatomies: Sequence[Anatomy], references: Sequence[Reference], in_place: InPlace) -> None:
        """Look where agent gathers in those that have labels, which takes seconds for each."""
        self._anatomies, self._references, self._in_place = anatomies, references, in_place
        self._brains = [BrainFrame.of(reference.brain) for reference in references]
        self._drained = [None if one.labels is None else drainage(one.labels) for one in anatomies]
        t1 = [one.parcels if one.contrast == "t1" else None for one in references]
        self._shining = [None if parcels is None else drainage(parcels) for parcels in t1]
        odds = np.array([_interest(*one) for one in zip(references, self._shining, strict=True)])
        self._odds = odds / odds.sum()

    def draw(self, rng: Generator) -> Scene:
        """A patch of 96³."""
        return self._real(rng) if rng.random() < REAL_SHARE else self._painted(rng)

    def _painted(self, rng: Generator) -> Scene:
        index = int(rng.integers(len(self._anatomies)))
        anatomy, drained = self._anatomies[index], self._drained[index]
        drawn = rng.random()
        if drawn < AGENT_SHARE and drained is not None:
            return _after_agent(anatomy, drained, rng)
        favoured = AGENT_SHARE <= drawn < AGENT_SHARE + FAVOURED_SHARE
        contrast = draw_contrast(rng, FAVOURED if favoured else None)
        groups, inside = posed((anatomy.groups, anatomy.brain), anatomy.brain, PATCH, rng)
        nothing = np.zeros(inside.shape, bool)
        return Scene(render(groups, contrast, rng), inside > 0, nothing, nothing, contrast.name)

    def _real(self, rng: Generator) -> Scene:
        index = int(rng.choice(len(self._odds), p=self._odds))
        reference = self._references[index]
        known = reference.lesion if reference.lesion is not None else np.zeros_like(reference.brain)
        aim = known if known.any() and rng.random() < 0.6 else reference.brain
        places = np.argwhere(aim)
        centre = places[int(rng.integers(len(places)))] + rng.integers(-20, 21, 3)
        starts = [int(np.clip(c - PATCH // 2, 0, n - PATCH)) for c, n in zip(centre, aim.shape, strict=True)]
        box = tuple(slice(s, s + PATCH) for s in starts)
        median, sigma = robust_z_scale(reference.image, reference.brain)
        image = ((reference.image[box] - median) / sigma).astype(np.float32)
        doubtful = reference.doubtful[box] & ~known[box] & (reference.lesion is None)
        carried, shines, sequence = None, None, reference.contrast
        if len(self._in_place) and sequence == FAVOURED and rng.random() < IN_PLACE_ODDS:
            carried = self._in_place.draw(self._brains[index], starts, (PATCH,) * 3, rng)
        shining = self._shining[index]
        if shining is not None and rng.random() < AGENT_ODDS:
            shines, sequence = shining[box], WITH_AGENT
        return Scene(image, reference.brain[box], known[box], doubtful, sequence, carried, shines)


def _interest(reference: Reference, shining: NDArray[np.uint8] | None) -> float:
    """How often a scan is shown, beside others."""
    if reference.contrast == FAVOURED:
        return FAVOURED_ODDS
    return AGENT_REFERENCE_ODDS if shining is not None or reference.contrast == WITH_AGENT else 1.0


def _after_agent(anatomy: Anatomy, drained: NDArray[np.uint8], rng: Generator) -> Scene:
    """A painted T1-weighted head that contrast agent may be painted into, its brain cut out more or less loosely."""
    groups, inside, shines = posed((anatomy.groups, anatomy.brain, drained), anatomy.brain, PATCH, rng)
    loose = int(rng.integers(*AGENT_LOOSE_MM, endpoint=True))
    brain = ndimage.binary_dilation(inside > 0, iterations=loose) if loose else inside > 0
    nothing = np.zeros(brain.shape, bool)
    return Scene(render(groups, draw_contrast(rng, "t1"), rng), brain, nothing, nothing, WITH_AGENT, None, shines)
