"""Random contrasts: which tissue is how bright (domain randomisation, Billot 2023, SynthSeg)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from pseudonormal.painting.tissues import GROUPS

# Typical grey levels of the sequences, WM = 1; air 0. Only their order and rough distance matter: they are jittered.
SEQUENCES: dict[str, dict[str, float]] = {
    "t1": dict(
        white_matter=1.0, cortex=0.70, csf=0.25, cerebellum_white=0.98, cerebellum_cortex=0.70, thalamus=0.86,
        striatum=0.76, pallidum=0.92, brainstem=0.96, limbic=0.70, vessel=0.55,
    ),
    "t2": dict(
        white_matter=1.0, cortex=1.35, csf=2.6, cerebellum_white=1.05, cerebellum_cortex=1.30, thalamus=1.10,
        striatum=1.20, pallidum=0.85, brainstem=1.05, limbic=1.40, vessel=0.8,
    ),
    "flair": dict(
        white_matter=1.0, cortex=1.20, csf=0.28, cerebellum_white=0.98, cerebellum_cortex=1.12, thalamus=1.08,
        striatum=1.15, pallidum=0.92, brainstem=1.02, limbic=1.28, vessel=0.7,
    ),
    "pd": dict(
        white_matter=1.0, cortex=1.25, csf=1.30, cerebellum_white=1.0, cerebellum_cortex=1.22, thalamus=1.12,
        striatum=1.18, pallidum=0.95, brainstem=1.02, limbic=1.25, vessel=0.9,
    ),
}  # fmt: skip
WITH_AGENT = "t1c"  # T1-weighted, after contrast agent: t1 with shining vessels
HIGHEST_GROUP = len(GROUPS) + 64


@dataclass(frozen=True)
class Contrast:
    """How bright each tissue group is.

    :param name: a key of ``SEQUENCES`` or "random".
    :param means: (groups,) at least 0.
    :param deviations: (groups,) standard deviation of the tissue's own texture.
    """

    name: str
    means: NDArray[np.float32]
    deviations: NDArray[np.float32]


def known_sequence(contrast: str) -> str | None:
    """The sequence that the contrast of a scan names; None where nobody knows how to paint it."""
    return contrast if contrast in SEQUENCES else None


def draw_contrast(rng: Generator, name: str | None = None) -> Contrast:
    """Draw a contrast: a jittered sequence, or means that follow nothing known ("random", 35 %).

    Air (group 0) is black in four of five draws, else a dark grey.

    :param name: a key of ``SEQUENCES`` or "random"; None: drawn.
    :returns: means and deviations by group number, white matter of a sequence near 0.6.
    """
    chosen = name or ("random" if rng.random() < 0.35 else str(rng.choice(list(SEQUENCES))))
    means = rng.uniform(0.1, 1.2, HIGHEST_GROUP)
    if chosen == "random":
        means[: len(GROUPS)] = rng.uniform(0.1, 1.0, len(GROUPS))
        # deep nuclei are some mixture of cortex and white matter in every real contrast
        for group in ("thalamus", "striatum", "pallidum", "brainstem", "limbic"):
            share = rng.uniform(-0.2, 1.2)
            means[_index(group)] = share * means[_index("cortex")] + (1 - share) * means[_index("white_matter")]
        means[_index("cerebellum_cortex")] = means[_index("cortex")] * rng.uniform(0.92, 1.08)
        means[_index("cerebellum_white")] = means[_index("white_matter")] * rng.uniform(0.95, 1.05)
    else:
        stretch = rng.uniform(0.6, 1.4)
        for group, level in SEQUENCES[chosen].items():
            means[_index(group)] = 0.6 * (1 + stretch * (level - 1) + rng.normal(0, 0.04))
    means[0] = 0.0 if rng.random() < 0.8 else rng.uniform(0, 0.15)
    deviations = rng.uniform(0.01, 0.06, HIGHEST_GROUP)
    deviations[0] = 0.005
    return Contrast(chosen, np.clip(means, 0, None).astype(np.float32), deviations.astype(np.float32))


def _index(group: str) -> int:
    return list(GROUPS).index(group)
