"""Lesions that recipe ``um`` puts into other scans lie within them, and what is known of them stays known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import center_of_mass
from Testing.um_heads import SMALL, some_scans

from pseudonormal.cases import read_cases
from pseudonormal.errors import InputError
from pseudonormal.recipes.synthesizer import Synthetic
from pseudonormal.recipes.um.calm import LesionLike
from pseudonormal.recipes.um.carrying import LARGEST, Way, carried
from pseudonormal.recipes.um.cuts import Cuts
from pseudonormal.recipes.um.material import sorted_units
from pseudonormal.recipes.um.options import UmOptions
from pseudonormal.recipes.um.recipe import um_generator
from pseudonormal.recipes.um.superpixels import means
from pseudonormal.recipes.um.synthesizing import CALM, SLAB, SLICES, UmSynthesizer
from pseudonormal.scan.scan import Geometry
from pseudonormal.synthesize.dataset import Plan, begin, make_all, write_list
from pseudonormal.synthesize.sheet import write_sheet
from pseudonormal.training.streams import load_streams

CUTS = Cuts()


@pytest.fixture(scope="module")
def material():
    return sorted_units(some_scans(), UmOptions(**SMALL))


def synthesizer(material, **how):
    options = UmOptions(**SMALL | {key: how.pop(key) for key in ("guide",) if key in how})
    torch.manual_seed(0)
    return UmSynthesizer(um_generator(options).eval(), options, material, SLAB, cuts=CUTS, **how)


@settings(max_examples=8)
@given(st.integers(0, 10**6), st.booleans())
def test_a_lesion_comes_to_lie_within_the_other_organ(seed, slab):
    options = UmOptions(**SMALL)
    material = sorted_units(some_scans(), options)
    into = material.scans[2].brain[10 : 10 + SLICES] if slab else material.scans[2].brain
    found = carried(material, into, options, CUTS, np.random.default_rng(seed), slab=slab)
    if found is None:  # it may fall outside
        return
    assert found.lesion.any()
    assert not (found.lesion & ~into).any()
    assert found.source in {"first_flair", "second_flair"}
    assert found.labels.max() < len(found.values)
    there = found.lesion & (found.labels > 0)
    assert there.sum() > 0.7 * found.lesion.sum()
    assert found.values[found.labels][there].mean() > 0.7  # brighter than all tissue, with what their superpixels hold


def test_the_way_stretches_with_the_organ():
    small, large = np.zeros((4, 20, 20), bool), np.zeros((4, 40, 40), bool)
    small[:, 5:15, 5:15], large[:, 10:30, 10:30] = True, True
    sizes = []
    for seed in range(40):
        way = Way.between(small, large, np.random.default_rng(seed), level=True)
        sizes.append(way.mask(small).sum() / large.sum())
    assert np.median(sizes) == pytest.approx(1, abs=0.15)
    assert Way.between(small, np.zeros_like(large), np.random.default_rng(0)) is None


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.floats(1, 2.5))
def test_a_larger_lesion_lies_where_the_lesion_would(seed, times):
    organ, lesion = np.zeros((3, 60, 60), bool), np.zeros((3, 60, 60), bool)
    organ[:, 5:55, 5:55], lesion[:, 24:31, 30:36] = True, True
    way = Way.between(organ, organ, np.random.default_rng(seed), level=True)
    before, after = way.mask(lesion), way.magnified(lesion, times).mask(lesion)
    assert center_of_mass(after) == pytest.approx(center_of_mass(before), abs=0.8)
    assert after.sum() == pytest.approx(before.sum() * times**2, rel=0.3)


def test_small_drawn_lesions_come_in_any_size(material):
    unit = material.ill[0]
    organ = material.scans[unit.scan].brain[unit.level].sum()
    small = np.zeros_like(material.lesions[unit.scan])
    middle = [int(place) for place in center_of_mass(material.lesions[unit.scan][unit.level])]
    small[unit.level, middle[0] - 1 : middle[0] + 2, middle[1] - 1 : middle[1] + 2] = True
    lesions = [small if number == unit.scan else mask for number, mask in enumerate(material.lesions)]
    alone = replace(material, lesions=lesions, ill=[unit])
    into = material.scans[2].brain[10 : 10 + SLICES]
    drawn = [carried(alone, into, UmOptions(**SMALL), CUTS, np.random.default_rng(n), slab=True) for n in range(24)]
    shares = [one.lesion.sum() / into.sum() for one in drawn if one is not None]
    assert min(shares) < 3 * small.sum() / organ
    assert max(shares) > 5 * small.sum() / organ
    assert max(shares) < 2 * LARGEST


def test_lesions_that_were_put_in_are_in_the_mask_and_in_the_image(material):
    with_one, without = synthesizer(material, implanted=1.0), synthesizer(material, implanted=0.0)
    found = 0
    for seed in range(6):
        made, plain = (one.make(np.random.default_rng(seed)) for one in (with_one, without))
        assert made.image.shape == made.mask.shape == (SLICES, *made.image.shape[1:])
        assert not (made.mask & ~made.foreground).any()
        assert plain.record["lesion_of"] == ""
        if made.record["lesion_of"]:
            found += 1
            assert made.mask.any()
    assert found >= 4


def test_lesions_are_put_where_nothing_looks_like_one(material):
    like, scans = LesionLike.of(material), {scan.case: scan for scan in material.scans}

    def doubt(made):
        scan, level = scans[made.record["source"]], made.record["level"]
        labels = CUTS.of(scan, UmOptions(**SMALL), slice(level, level + SLICES))
        return like.share(means(scan.image[level : level + SLICES], labels), labels)

    with_one, without = synthesizer(material, implanted=1.0), synthesizer(material, implanted=0.0)
    numbers = [np.random.default_rng([2, number]) for number in range(24)]
    assert max(doubt(without.make(rng)) for rng in numbers) > CALM
    assert max(doubt(with_one.make(rng)) for rng in numbers) <= CALM


@pytest.mark.parametrize("sign", [1, -1])
def test_what_looks_like_a_lesion_is_what_most_of_the_drawn_ones_are_like(material, sign):
    scans = [replace(scan, image=sign * scan.image) for scan in material.scans]
    like = LesionLike.of(replace(material, scans=scans))
    unit = material.ill[0]
    scan, lesion = scans[unit.scan], material.lesions[unit.scan][unit.level]
    organ = scan.brain[unit.level]
    image = scan.image[unit.level].astype(np.float64)
    voxels = np.arange(1, image.size + 1).reshape(image.shape)  # every voxel its own superpixel
    values = np.concatenate([[0], image.ravel()])
    assert like.share(values, np.where(lesion & organ, voxels, 0)) > 0.5
    assert like.share(values, np.where(organ & ~lesion, voxels, 0)) < 0.2


def test_where_nothing_is_drawn_nothing_is_known_to_look_like_a_lesion(material):
    assert LesionLike.of(replace(material, ill=[])) is None


def test_the_control_says_where_its_lesions_are(material):
    maker = synthesizer(material, guide="mask")
    made = [maker.make(np.random.default_rng(seed)) for seed in range(8)]
    assert all(one.mask.any() == bool(one.record["lesion_of"]) for one in made)
    assert sum(one.mask.any() for one in made) >= 5


def test_the_same_number_makes_the_same_scan(material):
    first, again = (synthesizer(material).make(np.random.default_rng([3, 5])) for _ in range(2))
    other = synthesizer(material).make(np.random.default_rng([3, 6]))
    assert np.array_equal(first.image, again.image)
    assert first.record == again.record
    assert first.image.shape != other.image.shape or not np.array_equal(first.image, other.image)


class Healthy:
    """Makes scans without lesions, one of them with what it was before."""

    recipe, fingerprint = "healthy", "1"

    def make(self, rng):
        organ = np.zeros((4, 40, 40), bool)
        organ[:, 8:32, 8:32] = True
        image = np.where(organ, rng.random(organ.shape), 0).astype(np.float32)
        geometry = Geometry((40, 40, 4), (2.0,) * 3, (0.0,) * 3, (-1, 0, 0, 0, -1, 0, 0, 0, 1))
        return Synthetic(image, np.zeros_like(organ), organ, geometry, "somebody", "flair", {"source": "a"})


def test_scans_without_a_lesion_are_normal_ones_to_trainings(tmp_path):
    plan = Plan("healthy", "1", 0)
    begin(tmp_path, plan)
    list(make_all(Healthy(), tmp_path, plan, [1, 2], workers=1))
    records = write_list(tmp_path, plan, 2)
    cases = read_cases(tmp_path / "cases.csv")
    assert [case.kind for case in cases] == ["normal", "normal"]
    scans = load_streams(cases, foreground_of=None).scans
    assert not any(scan.lesion.any() for scan in scans)
    write_sheet(tmp_path / "sheet.png", tmp_path, records)
    assert (tmp_path / "sheet.png").exists()


def test_only_slices_can_be_made_alone(material):
    options = UmOptions(**SMALL | {"dimensions": 3})
    with pytest.raises(InputError, match="--extent slab"):
        UmSynthesizer(um_generator(options), options, material, SLAB)
    with pytest.raises(InputError, match="must be scan or slab"):
        UmSynthesizer(um_generator(options), options, material, "slice")
