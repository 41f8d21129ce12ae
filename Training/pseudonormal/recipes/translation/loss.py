"""What recipe ``translation`` minimises: with pairs of map and scan, and without (cyclegan)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from pseudonormal.losses import least_squares, row_mean
from pseudonormal.recipes.translation.maps import label_count
from pseudonormal.recipes.translation.networks import JUDGE, LABELLER, MAP_JUDGE, TRANSLATOR
from pseudonormal.recipes.translation.options import TranslationOptions

Batch = Mapping[str, Tensor]
Networks = Mapping[str, nn.Module]

AROUND = 0.1  # weight of the background, which is easy


def paired_loss(networks: Networks, batch: Batch, options: TranslationOptions, sigma: float) -> dict[str, Tensor]:
    """The translator's: ``adv + 10 L1``, every row alike.

    :param sigma: of the noise that the judge sees with.
    """
    image = networks[TRANSLATOR](batch["labels"], batch["latent"])
    said = networks[JUDGE](image + sigma * batch["noise"], batch["labels"])
    terms = {
        "image": row_mean((image - batch["image"]).abs(), _voxels(batch, batch["brain"], options)),
        "adv": _as_wanted(said, 1.0, batch["brain"]),
    }
    return _sum(terms, options)


def paired_judge_loss(networks: Networks, batch: Batch, sigma: float) -> dict[str, Tensor]:
    """LSGAN: scans are 1, what the translator made of their maps is 0."""
    with torch.no_grad():
        made = networks[TRANSLATOR](batch["labels"], batch["latent"])
    as_real, as_made = (
        _as_wanted(networks[JUDGE](image + sigma * batch["noise"], batch["labels"]), wanted, batch["brain"])
        for image, wanted in ((batch["image"], 1.0), (made, 0.0))
    )
    return {"loss": (as_real + as_made) / 2}


def cycle_loss(networks: Networks, batch: Batch, options: TranslationOptions, sigma: float) -> dict[str, Tensor]:
    """Translator and labeller (Zhu 2017): scan to map to scan, and another scan's map to image to map."""
    made, shares = _both_ways(networks, batch)
    again = networks[TRANSLATOR].from_shares(shares)  # type: ignore[operator]  # a GlobalTranslator
    entropy = functional.cross_entropy(networks[LABELLER](made), batch["labels"][:, 0].long(), reduction="none")
    terms = {
        "image": row_mean((again - batch["image"]).abs(), AROUND + (1 - AROUND) * batch["brain"]),
        "map": row_mean(entropy[:, None], _voxels(batch, batch["inside"], options)),
        "adv": _as_wanted(networks[JUDGE](made + sigma * batch["noise"]), 1.0, batch["inside"])
        + _as_wanted(networks[MAP_JUDGE](shares + sigma * batch["noise"]), 1.0, batch["brain"]),
    }
    return _sum(terms, options)


def cycle_judge_loss(networks: Networks, batch: Batch, options: TranslationOptions, sigma: float) -> dict[str, Tensor]:
    """LSGAN for both judges: real scans and real maps are 1."""
    noise = sigma * batch["noise"]
    with torch.no_grad():
        made, shares = _both_ways(networks, batch)
    one_hot = functional.one_hot(batch["labels"][:, 0].long(), label_count(options)).movedim(-1, 1)
    terms = [
        _as_wanted(networks[JUDGE](batch["image"] + noise), 1.0, batch["brain"]),
        _as_wanted(networks[JUDGE](made + noise), 0.0, batch["inside"]),
        _as_wanted(networks[MAP_JUDGE](one_hot.to(shares.dtype) + noise), 1.0, batch["inside"]),
        _as_wanted(networks[MAP_JUDGE](shares + noise), 0.0, batch["brain"]),
    ]
    return {"loss": torch.stack(terms).sum() / 2}


def _both_ways(networks: Networks, batch: Batch) -> tuple[Tensor, Tensor]:
    """An image of the map, and what the scan's voxels may be."""
    return (
        networks[TRANSLATOR](batch["labels"], batch["latent"]),
        networks[LABELLER](batch["image"]).softmax(1),
    )


def _voxels(batch: Batch, inside: Tensor, options: TranslationOptions) -> Tensor:
    """Weights: little for the background, more for lesions, none where a reviewer does not trust what is drawn."""
    counted = AROUND + (1 - AROUND) * inside + options.lesion_weight * batch["lesion"]
    return counted * (batch["trust"] > 0)


def _as_wanted(answers: Sequence[Tensor], wanted: float, weight: Tensor) -> Tensor:
    return torch.stack([least_squares(answer, wanted, weight) for answer in answers]).mean()


def _sum(terms: Mapping[str, Tensor], options: TranslationOptions) -> dict[str, Tensor]:
    total = torch.stack([getattr(options, f"{name}_weight") * value for name, value in terms.items()]).sum()
    return {"loss": total, **{name: value.detach() for name, value in terms.items()}}
