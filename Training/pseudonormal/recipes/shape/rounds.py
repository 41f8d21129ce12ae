"""Noise-robust iterative learning: pseudo-labels teach a segmentor, whose answers are the next pseudo-labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from torch import nn

from pseudonormal.recipes.shape.labelling import Answer, Label, agreement, answer_of, label
from pseudonormal.recipes.shape.learning import Labelled, LearningOptions, LearningRecipe, answer_of_round
from pseudonormal.recipes.shape.masks import some_of
from pseudonormal.recipes.shape.material import Framed, ShapeMaterial
from pseudonormal.recipes.shape.networks import Networks
from pseudonormal.recipes.shape.options import ShapeOptions
from pseudonormal.recipes.shape.outline import as_large
from pseudonormal.recipes.shape.place import as_placed
from pseudonormal.training.trainable import Trainable

ROUNDS = 3
LEAST_GAIN = 0.002  # of the held-out estimate: less is no improvement
KNOWN = 400  # auxiliary masks, enough to tell their mean size
PLACED = 100  # and their mean place

Learn = Callable[[str, Trainable, str | None], Mapping[str, nn.Module]]


@dataclass(frozen=True)
class Round:
    """What stands after a round; round 0 is the generator itself.

    :param labels: of the scans that are learnt from, in their order.
    :param held_out: of those that are not.
    :param estimate: mean trust in the latter: how good they are, as far as can be told without truth.
    :param networks: "segment" of the round; the generator's for round 0.
    """

    number: int
    labels: Sequence[Label]
    held_out: Sequence[Label]
    estimate: float
    networks: Mapping[str, nn.Module]


def rounds(
    material: ShapeMaterial, generator: Networks, options: ShapeOptions, learning: LearningOptions, learn: Learn,
    *, most: int = ROUNDS, told: Callable[[Round], None] = lambda _: None,
) -> list[Round]:  # fmt: skip
    """Label, learn, label again, until the held-out estimate stops rising.

    :param generator: networks of a run of recipe ``shape``.
    :param learn: trains a recipe under a name, beginning with the networks of the round of another name if one is
        given, and returns its networks.
    :param most: rounds at most.
    :param told: hears of each round, the generator's labels first.
    :returns: all rounds that were made; the best by the estimate is :func:`best_of`.
    """
    shapes = generator.get("shapes")

    def labelled(answer: Answer, scans: Sequence[Framed], prior: nn.Module | None) -> list[Label]:
        dimensions, one_piece = options.dimensions, options.one_piece
        return [label(answer, scan, dimensions=dimensions, one_piece=one_piece, shapes=prior) for scan in scans]

    def made(number: int, networks: Mapping[str, nn.Module]) -> Round:
        answer = answer_of_round(networks, options.dimensions)
        fine, fine_held_out = material.fine or material.scans, material.fine_held_out or material.held_out
        prior = None if material.fine else shapes  # shape space knows the coarse frame only
        labels = labelled(answer, fine, prior)
        held_out = labelled(answer, fine_held_out, prior)
        return Round(number, labels, held_out, agreement(held_out or labels), networks)

    labels, held_out = (labelled(answer_of(generator), scans, shapes) for scans in (material.scans, material.held_out))
    done = [Round(0, labels, held_out, agreement(held_out or labels), generator)]
    told(done[0])
    if learning.same_size and material.sized is not None:
        known = some_of(material.sized, options.shape, KNOWN)
        labels = as_large(material.scans, labels, known, options.dimensions)
    if learning.same_place and material.placed is not None:
        known = some_of(material.placed, options.shape, PLACED)
        labels = as_placed(material.scans, labels, known, one_piece=options.one_piece)
    teach = _in_fine_frame(material, labels)
    for number in range(1, most + 1):
        before = f"round_{number - 1}" if number > 1 else None
        networks = learn(f"round_{number}", LearningRecipe(teach, learning, material.held_out), before)
        done.append(made(number, networks))
        told(done[-1])
        if number > 1 and done[-1].estimate < done[-2].estimate + LEAST_GAIN:
            break
        scans = material.fine or material.scans
        teach = [to_learn(scan, one) for scan, one in zip(scans, done[-1].labels, strict=True)]
    return done


def best_of(done: Sequence[Round]) -> Round:
    """The round of the highest estimate; the generator's own labels only where nothing was learnt from them."""
    return max(done[1:] or done, key=lambda one: one.estimate)


def _in_fine_frame(material: ShapeMaterial, labels: Sequence[Label]) -> list[Labelled]:
    """The generator's labels in the frame that is learnt in."""
    if not material.fine:
        return [to_learn(scan, one) for scan, one in zip(material.scans, labels, strict=True)]
    teach = []
    for coarse, fine, one in zip(material.scans, material.fine, labels, strict=True):
        assert coarse.frame is not None
        assert fine.frame is not None
        mask = coarse.frame.to(fine.frame, one.mask.astype("float32")) >= 0.5
        # slices of the fine frame take the trust of the coarse slice that they lie in
        places = [min(len(one.trust) - 1, n * len(one.trust) // len(mask)) for n in range(len(mask))]
        trust = one.trust[places] if len(one.trust) > 1 else one.trust
        sure = coarse.frame.to(fine.frame, one.sure)
        teach.append(Labelled(fine, mask, trust, sure))
    return teach


def to_learn(scan: Framed, one: Label) -> Labelled:
    """A scan with a label, as far trusted as the label says."""
    return Labelled(scan, one.mask, one.trust, one.sure)
