"""Recipe ``mask-gan``: the frame, masks of a wanted size and side, shapes for simulated lesions, breaks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudonormal.cases import Case
from pseudonormal.errors import InputError
from pseudonormal.lesions.in_place import MNI_CENTRE, MNI_SPREAD, BrainFrame
from pseudonormal.lesions.source import LesionSource
from pseudonormal.recipes.mask_gan.asking import about_drawn, unlike_asked
from pseudonormal.recipes.mask_gan.describing import describe
from pseudonormal.recipes.mask_gan.drawing import MaskGan, load_mask_gan
from pseudonormal.recipes.mask_gan.frame import USUAL, about, carried, framed, size_of_voxel, voxel_mm
from pseudonormal.recipes.mask_gan.material import MaskGanMaterial, mask_gan_material
from pseudonormal.recipes.mask_gan.options import MaskGanOptions
from pseudonormal.recipes.mask_gan.recipe import MaskGanRecipe
from pseudonormal.scan.scan import Geometry
from pseudonormal.scan.writing import write_image
from pseudonormal.training.settings import Settings
from pseudonormal.training.streams import load_streams
from pseudonormal.training.trainer import train

QUICK = Settings(
    minutes=1e9, steps=4, batch=2, pool=8, reuse=2, workers=0, checks=1, learning_rate=2e-3, momentum=0.0,
    average=0.9, bfloat16=False,
)  # fmt: skip
# a box of MNI space, 1 mm, axes as on the model grid
MNI = Geometry((100, 60, 60), (1.0,) * 3, (50.0, 52.0, -20.0), (-1, 0, 0, 0, -1, 0, 0, 0, 1))


def a_ball(centre, radius, shape=(80, 100, 90)):
    axes = np.ogrid[tuple(slice(0, n) for n in shape)]
    return sum((axis - c) ** 2 for axis, c in zip(axes, centre, strict=True)) < radius**2


def discs(count, edge=32):
    """Slices with one disc each: some large and on the left, some small and on the right."""
    rng = np.random.default_rng(0)
    y, x = np.indices((edge, edge))
    masks = []
    for number in range(count):
        radius, middle = (6, 9) if number % 2 else (3, 23)
        middle = middle + rng.uniform(-1, 1), 16 + rng.uniform(-3, 3)
        masks.append(((x - middle[0]) ** 2 + (y - middle[1]) ** 2 < radius**2).astype(np.float32))
    return MaskGanMaterial(masks, [str(number) for number in range(count)])


@settings(max_examples=12)
@given(st.tuples(*[st.floats(-0.3, 0.3)] * 3), st.floats(9, 14), st.floats(0.9, 1.15))
def test_into_the_frame_and_back_a_lesion_stays_where_it_is(aside, radius, size):
    frame = BrainFrame(np.array([40.0, 50.0, 45.0]), size * np.array([16.0, 20.0, 18.0]))
    mask = a_ball(frame.centre + aside * frame.spread, radius)
    seen = framed(mask, frame, 40)
    again = carried(seen, frame, (0, 0, 0), mask.shape) > 0.5
    assert 2 * (again & mask).sum() / (again.sum() + mask.sum()) > 0.9
    part = carried(seen, frame, (10, 20, 30), (20, 30, 25)) > 0.5
    assert (part == again[10:30, 20:50, 30:55]).mean() > 0.999


def test_what_a_mask_is_like():
    frame = BrainFrame(np.array([40.0, 50.0, 45.0]), np.array([16.0, 20.0, 18.0]))
    right, left = (about(framed(a_ball((40, 50, x), 10), frame, 40)) for x in (70, 20))
    assert right[1] > 0.95 and left[1] < -0.95
    small, large = (framed(a_ball((40, 50, 45), r), frame, 40) for r in (6, 12))
    assert about(large)[0] - about(small)[0] == pytest.approx(np.log10(8), abs=0.05)
    told = describe(large)
    assert told.size == pytest.approx(10 ** (about(large)[0] + USUAL[3]), rel=0.1)
    assert told.elongation < 1.3 and np.allclose(told.place, 0, atol=0.1)
    assert describe(np.zeros((40, 40, 40), np.float32)) is None


def test_sizes_are_those_of_a_brain_in_mni_space():
    mni = BrainFrame.in_mni(MNI)
    assert MNI.to_ras(mni.centre[None])[0] == pytest.approx(MNI_CENTRE)
    mask = a_ball(mni.centre, 15, MNI.shape)
    seen = framed(mask, mni, 40)
    assert float(seen.sum()) * size_of_voxel(3, 40) == pytest.approx(mask.sum() / 1000, rel=0.02)
    assert voxel_mm(40) == pytest.approx(5.2 * np.array(MNI_SPREAD) / 40)


@settings(max_examples=12)
@given(st.sampled_from([2, 3]), st.floats(3, 9), st.floats(8, 24))
def test_what_a_drawn_mask_is_like_is_counted_as_that_of_a_real_one(dimensions, radius, middle):
    axes = np.ogrid[tuple(slice(0, 32) for _ in range(dimensions))]
    centre = [*[15.5] * (dimensions - 1), middle]
    mask = (sum((axis - c) ** 2 for axis, c in zip(axes, centre, strict=True)) < radius**2).astype(np.float32)
    drawn = torch.from_numpy(2 * mask - 1)[None, None]
    assert np.allclose(about_drawn(drawn)[0].numpy(), about(mask), atol=0.02)
    assert float(unlike_asked(drawn, torch.from_numpy(about(mask))[None, None])) < 1e-3


def test_it_draws_of_the_size_and_on_the_side_that_it_is_asked_for(tmp_path):
    recipe = MaskGanRecipe(discs(24), MaskGanOptions(dimensions=2, edge=32))
    longer = replace(QUICK, steps=100, batch=8, pool=64, reuse=20)
    lines = []
    train(recipe, tmp_path / "run", longer, progress=lines.append)
    gan = load_mask_gan(tmp_path / "run", torch.device("cpu"))
    asked = [about(recipe.material.masks[place]) for place in (1, 0) for _ in range(12)]  # a disc of each kind
    drawn = [describe(mask) for mask in gan.masks(np.array(asked), np.random.default_rng(1))]
    assert sum(one is None for one in drawn) <= 8
    left, right = (np.median([one.place[0] for one in some if one]) for some in (drawn[:12], drawn[12:]))
    assert left < -0.4
    assert right > 0.4
    large, small = (np.median([one.size for one in some if one]) for some in (drawn[:12], drawn[12:]))
    assert large > 1.3 * small  # of the discs it is 4 times, which takes longer to learn
    assert (tmp_path / "run" / "example.png").stat().st_size > 1000
    assert 0 <= lines[-1]["check_size_ks"] <= 1
    with pytest.raises(InputError, match="draws slices"):
        gan.draw(500, np.random.default_rng(0))


class Ball(torch.nn.Module):
    """Stands for a generator that has learnt to draw balls of the size that is asked for."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, latent, about):
        steps = np.reshape(voxel_mm(40), (3, 1, 1, 1))
        places = torch.from_numpy((np.indices((40, 40, 40)) - 19.5) * steps).float()
        ml = 10 ** (about[:, 0, 0] + USUAL[3])
        radius = (3000 * ml / (4 * np.pi)) ** (1 / 3)
        shift = 30 * about[:, 0, 1]
        x = places[2] - shift.view(-1, 1, 1, 1)
        distance = (x**2 + places[0] ** 2 + places[1] ** 2).sqrt()
        return torch.tanh((radius.view(-1, 1, 1, 1) - distance) / 3)[:, None] + 0 * self.weight


@pytest.mark.parametrize("voxels", [2000, 9000])
def test_it_is_a_source_of_shapes(voxels):
    gan = MaskGan(Ball(), MaskGanOptions())
    field, record = gan.draw(voxels, np.random.default_rng(0))
    assert (field > 0.5).sum() == pytest.approx(voxels, rel=0.15)
    assert record["shape"] == "mask-gan"
    brain = a_ball((40, 50, 45), 38)
    image = np.where(brain, 0.5, 0).astype(np.float32)
    drawn = LesionSource([gan]).sample(image, brain, np.random.default_rng(1), volume_ml=(2.0, 8.0))
    assert drawn is not None and 2000 <= drawn.mask.sum() <= 8000


def test_whole_masks_lie_on_the_side_that_is_asked_for():
    gan = MaskGan(Ball(), MaskGanOptions())
    frame = BrainFrame.in_mni(MNI)
    for side in (-1.0, 1.0):
        mask = gan.in_brain(8, side, frame, (0, 0, 0), MNI.shape, np.random.default_rng(0)) > 0.5
        assert mask.sum() == pytest.approx(8000, rel=0.1)
        assert np.sign(MNI.to_ras(np.argwhere(mask).mean(0)[None])[0, 0]) == side


@pytest.mark.parametrize("dimensions", [2, 3])
def test_it_goes_on_where_it_was_broken_off(tmp_path, dimensions):
    options = MaskGanOptions(dimensions=dimensions, edge=32, width=4)
    masks = [np.repeat(mask[None], 32, 0) if dimensions == 3 else mask for mask in discs(8).masks]
    recipe = MaskGanRecipe(MaskGanMaterial(masks, [str(n) for n in range(8)]), options)
    train(recipe, tmp_path / "run", replace(QUICK, steps=2))
    weights = train(recipe, tmp_path / "run", QUICK, resume=True)
    assert set(weights) == {"generator", "critic"}
    assert load_mask_gan(tmp_path / "run", torch.device("cpu")).options == options


def write_masks(folder, count):
    for number in range(count):
        write_image(a_ball((26 + number, 30, 20), 14, MNI.shape), MNI, folder / f"{number}.nii.gz")
    pool = {"pool": "stroke"}
    return [Case(f"c{n}", f"s{n}", "train", mask=folder / f"{n}.nii.gz", extra=pool) for n in range(count)]


def test_it_reads_masks_and_says_what_is_lacking(tmp_path):
    cases = write_masks(tmp_path, 8)
    streams = load_streams(cases, foreground_of=pytest.fail)
    material = mask_gan_material(streams, MaskGanOptions(edge=32, pool="stroke"))
    assert len(material.masks) == 8
    assert about(material.masks[0])[1] < -0.9  # 20 of 100 along x, from left to right
    with pytest.raises(InputError, match="0 cases of the split have a lesion mask of pool 'tumour'"):
        mask_gan_material(streams, MaskGanOptions(edge=32, pool="tumour"))
    with pytest.raises(InputError, match="list 8 at least"):
        mask_gan_material(load_streams(cases[:3], foreground_of=pytest.fail), MaskGanOptions(edge=32))
    wrongs = {"2 or 3": {"dimensions": 4}, "multiple of 8": {"edge": 41}, "above 0": {"penalty": 0.0}}
    for said, wrong in wrongs.items():
        with pytest.raises(InputError, match=said):
            MaskGanOptions(**wrong)


def test_only_a_run_of_its_own_is_opened(tmp_path):
    with pytest.raises(InputError, match="holds no run"):
        load_mask_gan(tmp_path, torch.device("cpu"))
