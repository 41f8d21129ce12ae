"""What recipe ``shape`` minimises: generators, discriminators and shape space, a player each."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from pseudonormal.losses import row_mean, weighted_dice
from pseudonormal.networks.mask_vae import vae_loss
from pseudonormal.recipes.shape.networks import Networks, judged, painted, segmented
from pseudonormal.recipes.shape.options import ShapeOptions

COARSE = 4  # voxels: a mask says nothing of finer texture, and so must not be asked for it
FIRST_ANSWER = 0.5  # weight of what is asked of the answer before calibration


class Rows:
    """A batch by its streams: pictures and, unpaired, auxiliary masks."""

    def __init__(self, batch: Mapping[str, Tensor]) -> None:
        """Take a batch of :mod:`pseudonormal.recipes.shape.drawing`."""
        is_mask = batch["is_mask"].flatten(1)[:, 0] > 0.5
        self.picture = batch["picture"][~is_mask]
        self.mask = batch["picture"][is_mask]
        self.noise, self.noise_again = batch["noise"][~is_mask], batch["noise"][is_mask]
        self.grain, self.grain_again = batch["grain"][~is_mask], batch["grain"][is_mask]
        self.coins = batch["coin"].flatten(1)[:, 0]
        self.draws = batch["draw"][is_mask].flatten(1)


def makers_loss(networks: Networks, batch: Mapping[str, Tensor], options: ShapeOptions) -> dict[str, Tensor]:
    """Both generators: the two cycles, both judges, and the prior of shape space.

    :returns: "loss", its terms, and what was made: "made_masks", "made_pictures" (detached), for the discriminators.
    """
    rows, noise = Rows(batch), options.noise
    _, logits = segmented(networks, rows.picture)
    probability = logits.sigmoid()
    # binary on the way forward: an opacity could carry the picture
    mask = (logits > 0).to(logits.dtype) + probability - probability.detach()
    said, _ = judged(networks, mask)
    terms = {"adv_mask": row_of(said, 1.0)}
    # both at once: small batches waste a processor
    both = painted(
        networks,
        torch.cat([rows.mask + noise * rows.grain_again, mask + noise * rows.grain]),
        torch.cat([rows.noise_again, rows.noise]),
    )
    picture, back = both.split([len(rows.mask), len(mask)])
    terms["adv_image"] = row_of(networks["judge_images"](picture), 1.0)
    terms["image"] = (coarse(back) - coarse(rows.picture)).abs().flatten(1).mean(1).mean()
    first_again, logits_again = segmented(networks, picture + noise * rows.grain_again, learn_first=True)
    terms["mask"] = _as_drawn(logits_again, rows.mask)
    if first_again is not logits_again:
        terms["mask"] = terms["mask"] + FIRST_ANSWER * _as_drawn(first_again, rows.mask)
    if "shapes" in networks and options.prior_weight:
        shapes = networks["shapes"]
        with torch.no_grad():
            plausible = shapes.shape_at(shapes.place(mask))  # type: ignore[operator]  # a MaskVae
        terms["prior"] = (probability - plausible).abs().flatten(1).mean(1).mean()
    weights = {
        "adv_mask": options.adv_weight, "adv_image": options.adv_weight, "image": options.image_weight,
        "mask": options.mask_weight, "prior": options.prior_weight,
    }  # fmt: skip
    total = torch.stack([weights[name] * value for name, value in terms.items()]).sum()
    made = {"made_masks": mask.detach(), "made_pictures": picture.detach()}
    return {"loss": total, **{name: value.detach() for name, value in terms.items()}, **made}


def judges_loss(networks: Networks, real: Rows, masks: Tensor, pictures: Tensor) -> dict[str, Tensor]:
    """LSGAN: auxiliary masks and pictures are 1, what generators made 0. Shape space itself does not move.

    :param masks: made ones, (B, 1, *S); pictures likewise.
    """
    of_mask = (row_of(judged(networks, real.mask)[0], 1.0) + row_of(judged(networks, masks)[0], 0.0)) / 2
    judge = networks["judge_images"]
    of_image = (row_of(judge(real.picture), 1.0) + row_of(judge(pictures), 0.0)) / 2
    return {"loss": of_mask + of_image, "judge_mask": of_mask.detach(), "judge_image": of_image.detach()}


def shapes_loss(networks: Networks, rows: Rows, beta: float) -> dict[str, Tensor]:
    """Shape space learns auxiliary masks; see :func:`pseudonormal.networks.mask_vae.vae_loss`."""
    logits, mean, log_variance = networks["shapes"](rows.mask, rows.draws)
    return {"loss": vae_loss(logits, mean, log_variance, rows.mask, beta)}


def row_of(said: Tensor, wanted: float) -> Tensor:
    """LSGAN's ``(D - wanted)^2``, each row alike."""
    return (said - wanted).square().flatten(1).mean(1).mean()


def coarse(picture: Tensor) -> Tensor:
    """What is left of a picture without its texture."""
    pool = functional.avg_pool2d if picture.ndim == 4 else functional.avg_pool3d
    return pool(picture, COARSE)


def _as_drawn(logits: Tensor, mask: Tensor) -> Tensor:
    """Dice and cross-entropy of a mask that has come back."""
    entropy = functional.binary_cross_entropy_with_logits(logits, mask, reduction="none")
    return weighted_dice(logits.sigmoid(), mask) + row_mean(entropy, torch.ones_like(mask))
