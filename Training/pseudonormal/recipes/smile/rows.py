"""From a sample to the row of a batch that the losses see: appearance, standardisation, weight maps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.lesions.appearance import FAMILIES
from pseudonormal.painting.render import bias_field
from pseudonormal.recipes.lesion import BIAS_ODDS, BRIGHT_ODDS, LIMIT, SPREAD
from pseudonormal.recipes.restore import FAMILY_ODDS, SPANS, network_inputs
from pseudonormal.recipes.smile.painting import painter_noise, soft_edge

GUIDED_ODDS = 0.6
KINDS = {"simulated": 0, "labelled": 1, "unlabelled": 2, "normal": 3, "rehearsal": 4}

Array = NDArray[np.float32]


def row(sample: dict[str, Any], dimensions: int, rng: Generator) -> dict[str, Any]:
    """Draw what may vary from use to use, and work out what the row can teach.

    All arrays are of the patch's shape, float32. ``v`` are scaled intensities; ``u = (v - mean) / deviation`` are
    standardised by the patch's normal tissue, for the restorer; ``z = (v - median) / sigma`` by the brain's, for the
    segmentor.

    - "image": z as the segmentor sees it in training; "brain"
    - "label", "label_weight": lesions, and where they are known (0 everywhere in an unlabelled row)
    - "teacher_weight": where only the segmentor's own average can teach (0 wherever a label does)
    - "fill", "smooth", "mirror", "mirrored", "lesion", "seen": the restorer's inputs, u
    - "observed": the scan with its lesion, u
    - "truth", "truth_weight": the scan without, u, and where that is known
    - "trust": 0 where nothing may be learnt
    - "real": normal tissue, for the discriminator; "soft", "noise", "noise_again": the painter's inputs
    - "mean", "deviation", "median", "sigma", "kind" (of ``KINDS``): numbers, as arrays of one voxel

    :param sample: from :class:`pseudonormal.recipes.smile.drawing.Drawing`.
    """
    image, fill, smooth, mirror, known, trust, opacity = (
        sample[key].astype(np.float32) for key in ("image", "fill", "smooth", "mirror", "known", "trust", "opacity")
    )
    brain, hole, stream = sample["brain"], sample["hole"], sample["stream"]
    inputs = network_inputs(fill, smooth, hole, brain, mirror, sample["mirrored"])
    mean, deviation = inputs.pop("scale")
    truth = (image - mean) / np.float32(deviation)
    simulated = stream in ("simulated", "rehearsal") and bool(opacity.any())
    observed = _with_lesion(truth, opacity, sample["contrast"], rng) if simulated else truth
    label = sample["label"] | (opacity > 0.5) if simulated else sample["label"]
    if simulated:  # whatever is not known around it, this lesion is
        known = np.maximum(known, (opacity > 0).astype(np.float32)) * trust
    guided = stream == "normal" or rng.random() < GUIDED_ODDS
    seen = np.where(hole, observed - inputs["fill"], 0) if guided else np.zeros_like(fill)
    median, sigma = sample["scale"]
    z = (observed * deviation + mean - median) / np.float32(sigma)
    unlabelled = stream == "unlabelled"
    maps = {
        **inputs,
        "image": _as_scanned(z, brain, rng, strongly=unlabelled),
        "brain": brain,
        "label": label,
        "label_weight": known * brain,
        "teacher_weight": trust * brain * (known == 0) if unlabelled else np.zeros_like(trust),
        "seen": seen,
        "observed": observed,
        "truth": truth,
        "truth_weight": trust * brain if simulated or stream == "normal" else np.zeros_like(trust),
        "trust": trust,
        "real": trust * brain * ~sample["doubtful"] if stream == "normal" else np.zeros_like(trust),
        "soft": soft_edge(hole),
        "noise": painter_noise(hole.shape, rng),
        "noise_again": painter_noise(hole.shape, rng),
    }
    numbers = {"mean": mean, "deviation": deviation, "median": median, "sigma": sigma, "kind": KINDS[stream]}
    flip = -1 if rng.random() < 0.5 else 1
    arrays = {key: np.ascontiguousarray(value[:, :, ::flip], np.float32) for key, value in maps.items()}
    arrays |= {key: np.full((1, 1, 1), value, np.float32) for key, value in numbers.items()}
    plain = {key: array[0] for key, array in arrays.items()} if dimensions == 2 else arrays
    return {"stream": stream, **plain}


def _with_lesion(truth: Array, opacity: Array, contrast: str, rng: Generator) -> Array:
    """A lesion of some family over the truth, of the sign that lesions mostly have in this contrast."""
    family = str(rng.choice(list(FAMILY_ODDS), p=list(FAMILY_ODDS.values())))
    if family.startswith("additive"):
        family = "additive_bright" if rng.random() < BRIGHT_ODDS.get(contrast, 0.5) else "additive_dark"
    # families speak of intensities in [0, 1]; how many deviations of the patch's own tissue that is differs
    span = np.float32(np.exp(rng.uniform(*np.log(SPANS))))
    unit = truth / span + np.float32(0.5)
    painted, _ = FAMILIES[family](unit, opacity, rng)
    return np.where(opacity > 0, (painted - 0.5) * span, truth).astype(np.float32)


def _as_scanned(z: Array, brain: NDArray[np.bool_], rng: Generator, *, strongly: bool) -> Array:
    """Another scanner's view of the same head: bias field, gain, shift, a bent curve, noise, and maybe blur.

    :param strongly: twice as far from the original, for the student of a teacher who sees the original.
    """
    far = 2.0 if strongly else 1.0
    if rng.random() < BIAS_ODDS:
        z = ((1 + SPREAD * z) * bias_field((max(2, z.shape[0]), *z.shape[1:]), rng)[: z.shape[0]] - 1) / SPREAD
    z = z * np.float32(np.exp(rng.normal(0, 0.15 * far))) + np.float32(rng.normal(0, 0.15 * far))
    z = z + np.float32(rng.normal(0, 0.04 * far)) * z * np.abs(z)
    if strongly and rng.random() < 0.5:
        z = ndimage.gaussian_filter(z, float(rng.uniform(0.3, 1.0)))
    if rng.random() < 0.3 * far:
        z = z + rng.standard_normal(z.shape, dtype=np.float32) * np.float32(rng.uniform(0, 0.2 * far))
    return np.where(brain, np.clip(z, *LIMIT), 0).astype(np.float32)
