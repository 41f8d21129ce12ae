"""What recipe ``translation`` minimises: with pairs of map and scan, and without (cyclegan)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from pseudonormal.losses import least_squares, row_mean, segmentation_loss
from pseudonormal.recipes.translation.maps import label_count
from pseudonormal.recipes.translation.networks import FINDER, JUDGE, LABELLER, MAP_JUDGE, TRANSLATOR
from pseudonormal.recipes.translation.options import TranslationOptions

Batch = Mapping[str, Tensor]
Networks = Mapping[str, nn.Module]

AROUND = 0.1  # weight of the background, which is easy
RIM = 2  # voxels around a lesion that may change with it
GRAIN = 0.1  # standard deviation of the noise that the finder sees with: it shall not be moved by what no eye sees


def paired_loss(
    networks: Networks, batch: Batch, options: TranslationOptions, sigma: float, done: float
) -> dict[str, Tensor]:
    """The translator's: ``adv + 10 L1 + 10 outside + label``, for pix2pixhd its feature matching too; rows alike.

    :param sigma: of the noise that the judge sees with.
    :param done: share of the training that is over; what the finder says counts by it, for it has to learn first.
    """
    image = networks[TRANSLATOR](batch["labels"], batch["latent"])
    noise = sigma * batch["noise"]
    seen = networks[JUDGE].layers(image + noise, batch["labels"])  # type: ignore[operator]  # a LabelledDiscriminator
    terms = {
        "image": row_mean((image - batch["image"]).abs(), _voxels(batch, batch["brain"], options)),
        "adv": _as_wanted([layers[-1] for layers in seen], 1.0, batch["brain"]),
        "outside": _changed_outside(networks, batch, image),
    }
    if options.finds:
        terms["label"] = done * finder_loss(networks, {**batch, "image": image})
    if options.translator == "pix2pixhd":
        with torch.no_grad():
            real = networks[JUDGE].layers(batch["image"] + noise, batch["labels"])  # type: ignore[operator]
        terms["feature"] = _apart(seen, real)
    return _sum(terms, options)


def finder_loss(networks: Networks, batch: Batch) -> Tensor:
    """How far what is found in "image" is from the lesions of the map."""
    logits = networks[FINDER](batch["image"] + GRAIN * batch["noise"]).float()
    return segmentation_loss(logits, batch["lesion"], batch["brain"] * (batch["trust"] > 0))


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
        "outside": _changed_outside(networks, batch, made),
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


def _changed_outside(networks: Networks, batch: Batch, image: Tensor) -> Tensor:
    """How much else an image changes when the lesion is taken out of its map: ``|G(m, z) - G(m without, z)|``.

    Scans teach the image with the lesion; without this, what it looks like without is anybody's guess, and
    normalisation alone makes one lesion change a whole slice.
    """
    ill = batch["lesion"].flatten(1).any(1)
    if not ill.any():
        return image.new_zeros(())
    lesion, inside = batch["lesion"][ill], batch["inside"][ill]
    pool = functional.max_pool2d if lesion.ndim == 4 else functional.max_pool3d
    rim = pool(lesion, 2 * RIM + 1, stride=1, padding=RIM)
    normal = networks[TRANSLATOR](batch["normal"][ill], batch["latent"][ill])
    return row_mean((image[ill] - normal).abs(), inside * (1 - rim)) * ill.float().mean()  # other rows count as 0


def _apart(seen: Sequence[Sequence[Tensor]], real: Sequence[Sequence[Tensor]]) -> Tensor:
    """Feature matching (Wang 2018): mean absolute difference of the judge's layers, logits left out."""
    pairs = [pair for some, others in zip(seen, real, strict=True) for pair in zip(some[:-1], others[:-1], strict=True)]
    return torch.stack([(one - other).abs().mean() for one, other in pairs]).mean()


def _voxels(batch: Batch, inside: Tensor, options: TranslationOptions) -> Tensor:
    """Weights: little for the background, more for lesions, none where a reviewer does not trust what is drawn."""
    counted = AROUND + (1 - AROUND) * inside + options.lesion_weight * batch["lesion"]
    return counted * (batch["trust"] > 0)


def _as_wanted(answers: Sequence[Tensor], wanted: float, weight: Tensor) -> Tensor:
    return torch.stack([least_squares(answer, wanted, weight) for answer in answers]).mean()


def _sum(terms: Mapping[str, Tensor], options: TranslationOptions) -> dict[str, Tensor]:
    total = torch.stack([getattr(options, f"{name}_weight") * value for name, value in terms.items()]).sum()
    return {"loss": total, **{name: value.detach() for name, value in terms.items()}}
