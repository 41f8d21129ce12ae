"""Where masks of other subjects lie, beside what a generator says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from Testing.shape_scans import drawn_material, write_cases

from pseudonormal.cases import read_cases
from pseudonormal.recipes.shape.labelling import Label
from pseudonormal.recipes.shape.learning import LearningOptions
from pseudonormal.recipes.shape.material import Framed, ShapeMaterial
from pseudonormal.recipes.shape.networks import shape_networks
from pseudonormal.recipes.shape.options import ShapeOptions
from pseudonormal.recipes.shape.place import as_placed
from pseudonormal.recipes.shape.reading import placed_source
from pseudonormal.recipes.shape.rounds import rounds

EDGE = 32
MIDDLE = (16, 16, 16)


def ball(radius, centre=MIDDLE):
    return sum((axis - at) ** 2 for axis, at in zip(np.indices((EDGE,) * 3), centre, strict=True)) <= radius**2


def scan_of(region=None):
    everywhere = np.ones((EDGE,) * 3, bool)
    return Framed("one", np.zeros((EDGE,) * 3, np.float32), everywhere if region is None else region)


def label_of(mask, probability=None):
    sure = mask.astype(np.float32) if probability is None else probability
    return Label(sure, mask, np.ones(1, np.float32))


KNOWN = [ball(9), ball(9.5), ball(10), ball(10, (17, 16, 16))]


def test_a_label_is_as_sure_as_place_agrees():
    found = ball(9) | ball(2, (29, 16, 16))
    found[16:18, 16, 16:20] = False
    [placed] = as_placed([scan_of()], [label_of(found)], KNOWN, one_piece=False)
    assert placed.sure[0, 0, 0] == 1 and placed.sure[12, 16, 16] == 1
    assert not placed.mask[29, 16, 16] and placed.sure[29, 16, 16] < 0.5, "marked where no mask ever lies"
    assert placed.mask[16, 16, 17] and placed.sure[16, 16, 17] < 0.5, "left out where every mask lies"
    rim = ball(10) & ~ball(9)
    assert not placed.mask[ball(11) & ~ball(10)].any() and placed.sure[rim].min() < 0.5
    assert placed.trust == 1


def test_where_masks_disagree_the_label_decides():
    half = [ball(9), ball(10)]
    for found in half:
        [placed] = as_placed([scan_of()], [label_of(found)], half, one_piece=True)
        assert (placed.mask == found).all()


def test_nothing_is_found_beyond_the_scan():
    region = np.ones((EDGE,) * 3, bool)
    region[:10] = False
    [placed] = as_placed([scan_of(region)], [label_of(ball(9) & region)], KNOWN, one_piece=True)
    assert placed.mask.any() and not placed.mask[~region].any()


@pytest.mark.parametrize(
    ("known", "found"),
    [
        ([ball(5, (9, 9, 9)), ball(5, (22, 9, 9)), ball(5, (16, 22, 20))], ball(9)),
        (KNOWN, ball(9, (24, 16, 16))),
        (KNOWN, np.zeros((EDGE,) * 3, bool)),
    ],
    ids=["masks lie anywhere", "scans do not lie as masks do", "nothing was found"],
)
def test_place_that_tells_nothing_changes_nothing(known, found):
    [placed] = as_placed([scan_of()], [label_of(found)], known, one_piece=True)
    assert (placed.mask == found).all() and (placed.sure == 1).all()


class Balls:
    """Always the same."""

    moves = False

    def draw(self, shape, rng):
        return ball(9)


def test_the_first_round_learns_from_what_place_agrees_to(monkeypatch):
    monkeypatch.setattr("pseudonormal.recipes.shape.place.FOUND_THERE", 0.0)  # the generator has learnt nothing yet
    options = ShapeOptions(dimensions=3, edge=EDGE, width=2, latent=4)
    generator = {name: network.eval() for name, network in shape_networks(options).items()}
    material = ShapeMaterial([scan_of()], Balls(), placed=Balls())
    taught = {}

    def learned(same_place):
        def learn(name, recipe, before):
            [taught[same_place]] = recipe.labelled
            return recipe.networks()

        return rounds(material, generator, options, LearningOptions(same_place=same_place), learn, most=1)[0].labels[0]

    first = learned(True)
    learned(False)
    assert (taught[False].mask == first.mask).all() and not (first.mask == ball(9)).all()
    assert (taught[True].mask == ball(9)).all()


def test_masks_of_the_list_tell_place_in_volumes_only(tmp_path):
    cases = read_cases(write_cases(tmp_path))
    wanted = ShapeOptions(dimensions=3, edge=EDGE, voxel_mm=3.0)
    source = placed_source(cases, wanted)
    assert source is not None and source.draw(wanted.shape, np.random.default_rng(0)).any()
    assert placed_source([case for case in cases if case.kind != "shape"], wanted) is None
    assert placed_source(cases, replace(wanted, dimensions=2)) is None
    assert placed_source(cases, replace(wanted, source="ellipses")) is None
    assert drawn_material().placed is None
