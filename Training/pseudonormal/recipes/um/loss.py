"""What recipe ``um`` minimises: one sum for the generator, another for the discriminator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from pseudonormal.losses import least_squares, row_mean, segmentation_loss
from pseudonormal.recipes.um.options import UmOptions

Batch = Mapping[str, Tensor]
Networks = Mapping[str, nn.Module]

JUDGED = 5  # channels that the discriminator sees: the guide, an image, a mask, and where there is one
AROUND = 0.1  # weight of the background, which is easy


def generator_loss(networks: Networks, teachers: Networks, batch: Batch, options: UmOptions) -> dict[str, Tensor]:
    """The terms for the generator; "loss" is their weighted sum, "passed" the share that the gate lets through.

    Every term is a mean over rows, each row alike.

    :param teachers: the networks' moving averages.
    """
    guide = guide_of(batch)
    image, logits = networks["generator"](guide)
    brain, known = batch["brain"], batch["known"]
    judged = networks["discriminator"](seen(batch, image, logits.sigmoid() * known, known))
    terms = {
        "image": row_mean((image - batch["image"]).abs(), AROUND + (1 - AROUND) * brain),
        "adv": _mean([least_squares(answer, 1.0, brain) for answer in judged]),
    }
    drawn = known.flatten(1).any(1)
    if drawn.any():
        terms["seg"] = segmentation_loss(logits[drawn], batch["lesion"][drawn], (known * brain)[drawn])
    passed = {}
    if options.unlabelled and not drawn.all():
        part = {key: value[~drawn] for key, value in batch.items()}
        with torch.no_grad():
            taught = (teachers["generator"](guide[~drawn])[1].sigmoid() >= 0.5).to(image.dtype)
            believed = part["brain"]
            if not options.no_gate:
                believed = believed * gate(networks["discriminator"], part, image[~drawn], taught, options.sure)
        terms["unl"] = segmentation_loss(logits[~drawn], taught, believed)
        passed = {"passed": believed.sum() / part["brain"].sum().clamp_min(1.0)}
    total = torch.stack([getattr(options, f"{name}_weight") * value for name, value in terms.items()]).sum()
    return {"loss": total, **{name: value.detach() for name, value in terms.items()}, **passed}


def discriminator_loss(networks: Networks, batch: Batch) -> dict[str, Tensor]:
    """LSGAN: scans with what is drawn in them are 1, what the generator made of the same guide is 0."""
    judge, brain, known = networks["discriminator"], batch["brain"], batch["known"]
    with torch.no_grad():
        image, logits = networks["generator"](guide_of(batch))
        made = seen(batch, image, logits.sigmoid() * known, known)
    real = seen(batch, batch["image"], batch["lesion"] * known, known)
    as_real = _mean([least_squares(answer, 1.0, brain) for answer in judge(real)])
    as_made = _mean([least_squares(answer, 0.0, brain) for answer in judge(made)])
    return {"loss": (as_real + as_made) / 2}


def gate(judge: nn.Module, batch: Batch, image: Tensor, mask: Tensor, sure: float) -> Tensor:
    """Where the discriminator takes an image with its pseudo-label for real (Hung 2018, AdvSemiSeg).

    It judges the pair, not the image alone, so that a mask beside the lesion is not believed because the image is
    good.

    :param image: (B, 1, *S) made; mask likewise, a pseudo-label.
    :returns: (B, 1, *S) of 0 and 1.
    """
    answers = judge(seen(batch, image, mask, torch.ones_like(mask)))
    size = mask.shape[2:]
    mode = "bilinear" if mask.ndim == 4 else "trilinear"
    shown = [functional.interpolate(answer, size=size, mode=mode, align_corners=False) for answer in answers]
    return (_mean(shown) > sure).to(mask.dtype)


def guide_of(batch: Batch) -> Tensor:
    """(B, 2, *S): value of the superpixels, and boundaries."""
    return torch.cat([batch["value"], batch["edges"]], 1)


def seen(batch: Batch, image: Tensor, mask: Tensor, known: Tensor) -> Tensor:
    """What the discriminator looks at, (B, 5, *S)."""
    return torch.cat([batch["value"], batch["edges"], image + batch["noise"], mask, known], 1)


def _mean(values: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(values)).mean(0)
