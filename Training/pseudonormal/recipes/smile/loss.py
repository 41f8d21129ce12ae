"""What recipe ``smile`` minimises: one sum for segmentor, restorer and painter, another for the discriminator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from pseudonormal.losses import (
    consistency,
    energy_score,
    least_squares,
    log_squared_error,
    row_mean,
    segmentation_loss,
    still_found,
)
from pseudonormal.networks.restorer import Restored
from pseudonormal.recipes.lesion import LIMIT
from pseudonormal.recipes.shape.prior import ShapePrior
from pseudonormal.recipes.smile.options import SmileOptions, Term
from pseudonormal.recipes.smile.rows import KINDS

Batch = Mapping[str, Tensor]
Networks = Mapping[str, nn.Module]

RESTORER_INPUTS = ("fill", "smooth", "mirror", "mirrored", "lesion", "seen")
OWN_ERROR = 0.2  # share of the likelihood of the restorer's own error estimate
RIM = 2  # voxels around a mask where the restorer need not leave alone what it sees
DISEASED = ("labelled", "unlabelled")
WITH_TRUTH = ("simulated", "rehearsal")


@dataclass(frozen=True)
class Weighted:
    """The weights of the terms at this moment of the training."""

    options: SmileOptions
    done: float

    def __getitem__(self, term: Term) -> float:
        return self.options.weight(term, self.done)


def makers_loss(
    networks: Networks,
    teachers: Networks,
    parent: Networks | None,
    batch: Batch,
    weight: Weighted,
    prior: ShapePrior | None = None,
) -> dict[str, Tensor]:
    """The terms for segmentor, restorer and painter; "loss" is their weighted sum.

    Terms whose weight is 0 are not worked out. Every term is a mean over rows, each row alike.

    :param teachers: the networks' moving averages.
    :param parent: the networks that this training began from, if it is to answer like them in painted heads.
    :param prior: judges the shape of what is found in unlabelled scans, if anything does.
    """
    terms: dict[Term, Tensor] = {}
    logits = networks["lesion"](torch.cat([batch["image"], batch["brain"]], 1)).float()
    drawn = _rows(batch, *(kind for kind in KINDS if kind != "unlabelled"))
    if drawn.any():
        terms["seg"] = segmentation_loss(logits[drawn], batch["label"][drawn], batch["label_weight"][drawn])
    unlabelled = _rows(batch, "unlabelled")
    if weight["unl"] and unlabelled.any():
        part = _part(batch, unlabelled)
        with torch.no_grad():
            taught = _seen_by(teachers["lesion"], part["observed"], part).sigmoid()
        terms["unl"] = consistency(logits[unlabelled], taught, part["teacher_weight"], weight.options.sure)
    if prior is not None and weight["prior"] and unlabelled.any():
        terms["prior"] = prior.loss(logits[unlabelled].sigmoid(), (batch["trust"] * batch["brain"])[unlabelled])

    restored = networks["restore"](**{key: batch[key] for key in RESTORER_INPUTS})
    simulated = _rows(batch, *WITH_TRUTH)
    if weight["sim"] and simulated.any():
        terms["sim"] = _simulated(restored, batch, simulated)
    terms["id"] = row_mean((restored.normal - batch["observed"]).abs(), _left_alone(batch))
    normal = composite(restored.normal, batch)
    diseased = _rows(batch, *DISEASED)
    if diseased.any():
        part, made = _part(batch, diseased), normal[diseased]
        if weight["heal"]:
            found = _seen_by(teachers["lesion"], made, part)
            terms["heal"] = still_found(found, part["lesion"] * part["trust"] * part["brain"])
        if weight["cyc"]:
            terms["cyc"] = _cycle(networks["painter"], made, part)
    if weight["adv"]:
        logits_of_made = networks["discriminator"](normal)
        terms["adv"] = least_squares(logits_of_made, 1.0, batch["lesion"] * batch["trust"])
    if parent is not None and weight["keep"]:
        rehearsed = _rows(batch, "rehearsal")
        terms["keep"] = _as_before(parent, logits[rehearsed], restored.normal[rehearsed], _part(batch, rehearsed))

    total = torch.stack([weight[name] * value for name, value in terms.items()]).sum()
    said: dict[str, Tensor] = {name: value.detach() for name, value in terms.items()}
    return {"loss": total, **said, **_gain(restored, batch)}


def discriminator_loss(networks: Networks, batch: Batch, weight: Weighted) -> dict[str, Tensor]:
    """LSGAN: normal tissue is 1, what the restorer put into a lesion 0; nothing before the term sets in."""
    judge = networks["discriminator"]
    if not weight["adv"]:
        idle = torch.stack([parameter.sum() for parameter in judge.parameters()]).sum()
        return {"loss": 0.0 * idle}
    with torch.no_grad():
        restored = networks["restore"](**{key: batch[key] for key in RESTORER_INPUTS})
        made = composite(restored.normal, batch)
    real = _rows(batch, "normal")
    as_made = least_squares(judge(made), 0.0, batch["lesion"] * batch["trust"])
    as_real = least_squares(judge(batch["observed"][real]), 1.0, batch["real"][real]) if real.any() else 0 * as_made
    return {"loss": (as_made + as_real) / 2, "judge": ((as_made + as_real) / 2).detach()}


def composite(normal: Tensor, batch: Batch) -> Tensor:
    """The restored tissue inside the mask, the scan itself outside, exactly; standardised intensities."""
    return torch.where(batch["lesion"] > 0.5, normal, batch["observed"])


def _simulated(restored: Restored, batch: Batch, rows: Tensor) -> Tensor:
    """``log MSE`` inside the lesion, and the likelihood of the restorer's own error estimate (recipe ``restore``)."""
    inside = (batch["lesion"] * batch["truth_weight"])[rows]
    error = (restored.normal - batch["truth"])[rows]
    scale = restored.log_error[rows]
    likelihood = error.detach().abs() * torch.exp(-scale) + scale
    return log_squared_error(restored.normal[rows], batch["truth"][rows], inside) + OWN_ERROR * row_mean(
        likelihood, inside
    )


def _left_alone(batch: Batch) -> Tensor:
    """Where the restorer shall say what it sees: away from the mask, and in normal tissue inside it too."""
    pool = functional.max_pool2d if batch["lesion"].ndim == 4 else functional.max_pool3d
    outside = 1 - pool(batch["lesion"], 2 * RIM + 1, stride=1, padding=RIM)
    normal_inside = batch["lesion"] * batch["truth_weight"] * (batch["kind"] == KINDS["normal"])
    return (outside + normal_inside) * batch["brain"] * batch["trust"]


def _cycle(painter: nn.Module, made: Tensor, part: Batch) -> Tensor:
    """The painter brings the scan back: an energy score of two of its draws, in scaled intensities."""
    normal = made * part["deviation"] + part["mean"]
    scan = part["observed"] * part["deviation"] + part["mean"]
    first, second = (painter(normal, part["soft"], part[noise]) for noise in ("noise", "noise_again"))
    return energy_score(first, second, scan, part["lesion"] * part["trust"] * part["brain"])


def _as_before(parent: Networks, logits: Tensor, normal: Tensor, part: Batch) -> Tensor:
    """Answers like the parent's: cross-entropy to its probabilities, distance to its restoration."""
    with torch.no_grad():
        wanted = parent["lesion"](torch.cat([part["image"], part["brain"]], 1)).float().sigmoid()
        tissue = parent["restore"](**{key: part[key] for key in RESTORER_INPUTS}).normal
    entropy = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    inside = part["lesion"] * part["brain"]
    return row_mean(entropy, part["brain"]) + row_mean((normal - tissue).abs(), inside)


def _seen_by(segmentor: nn.Module, standardised: Tensor, part: Batch) -> Tensor:
    """Logits of a segmentor that looks at an image in the restorer's units; its gradient goes into the image."""
    z = (standardised * part["deviation"] + part["mean"] - part["median"]) / part["sigma"]
    logits: Tensor = segmentor(torch.cat([z.clamp(*LIMIT) * part["brain"], part["brain"]], 1)).float()
    return logits


def _gain(restored: Restored, batch: Batch) -> dict[str, Tensor]:
    """Decibels by which the restorer beats the classical fill, in simulated lesions."""
    rows = _rows(batch, *WITH_TRUTH)
    if not rows.any():
        return {}
    inside = (batch["lesion"] * batch["truth_weight"])[rows]
    with torch.no_grad():
        made, filled = (
            log_squared_error(image[rows], batch["truth"][rows], inside) for image in (restored.normal, batch["fill"])
        )
    return {"gain_db": 4.343 * (filled - made)}


def _rows(batch: Batch, *kinds: str) -> Tensor:
    """Which rows of a batch are of these streams, (B,)."""
    kind = batch["kind"].flatten(1)[:, 0]
    wanted = torch.tensor([KINDS[name] for name in kinds], device=kind.device, dtype=kind.dtype)
    return torch.isin(kind, wanted)


def _part(batch: Batch, rows: Tensor) -> dict[str, Tensor]:
    return {key: value[rows] for key, value in batch.items()}
