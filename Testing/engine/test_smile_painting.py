"""The painter as a lesion family, and scans whose lesions were exchanged for painted ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage
from Testing.smile_heads import SHAPE, a_brain, a_scan

from pseudonormal.lesions.shapes import SmoothBlob
from pseudonormal.lesions.source import LesionSource
from pseudonormal.networks.painter import PainterNetwork
from pseudonormal.networks.patch_discriminator import DiscriminatorNetwork
from pseudonormal.networks.restorer import RestorerNetwork
from pseudonormal.recipes.smile.augmentation import Augmentation, PainterFamily
from pseudonormal.recipes.smile.checking import dice, spread
from pseudonormal.recipes.smile.networks import smile_networks
from pseudonormal.recipes.smile.options import SmileOptions
from pseudonormal.recipes.smile.painting import painter_noise, soft_edge
from pseudonormal.recipes.smile.predicting import probability, pseudo_normal


def a_painter(dimensions):
    torch.manual_seed(0)
    painter = PainterNetwork(dimensions)
    torch.nn.init.normal_(painter.head.weight, std=0.3)
    return painter.eval()


def networks_of(dimensions):
    torch.manual_seed(0)
    return smile_networks(SmileOptions(dimensions=dimensions)) | {"painter": a_painter(dimensions)}


@pytest.mark.parametrize("dimensions", [2, 3])
def test_an_untrained_painter_paints_nothing_and_a_trained_one_within_its_mask(dimensions):
    shape = (2, 1, *[32] * dimensions)
    normal, noise = torch.randn(shape), torch.randn(shape)
    soft = torch.zeros(shape)
    soft[..., 10:20, 12:22] = 0.7
    assert torch.equal(PainterNetwork(dimensions)(normal, soft, noise), normal)
    painted = a_painter(dimensions)(normal, soft, noise)
    assert torch.equal(painted[soft == 0], normal[soft == 0])
    assert (painted != normal)[soft > 0].float().mean() > 0.9


def test_the_number_of_a_whole_lesion_reaches_the_painter_through_its_normalisation():
    soft = torch.zeros(1, 1, 32, 32)
    soft[..., 10:20, 12:22] = 1
    normal, painter = torch.rand(1, 1, 32, 32), a_painter(2)
    with torch.no_grad():
        weak, strong = (painter(normal, soft, torch.full_like(soft, value)) for value in (-1.0, 1.0))
    assert (weak - strong).abs()[soft > 0].mean() > 0.01


@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_discriminator_gives_a_number_for_each_patch_and_keeps_samples_apart(dimensions):
    torch.manual_seed(0)
    judge = DiscriminatorNetwork(dimensions).eval()
    images = torch.randn(2, 1, *[32] * dimensions)
    with torch.no_grad():
        together, alone = judge(images), judge(images[:1])
    assert together.shape[2:] == alone.shape[2:]
    assert 4 <= together.shape[2] <= 8
    assert torch.allclose(together[:1], alone, atol=1e-5)


def test_a_flat_restorer_starts_as_the_classical_fill():
    restorer = RestorerNetwork(2)
    parts = {key: torch.randn(2, 1, 32, 32) for key in ("fill", "smooth", "mirror", "seen")}
    lesion = torch.zeros(2, 1, 32, 32)
    with torch.no_grad():
        restored = restorer(**parts, mirrored=lesion, lesion=lesion)
    assert torch.allclose(restored.normal, parts["fill"] + parts["smooth"] / 2, atol=1e-5)
    assert restored.log_error.shape == (2, 1, 32, 32)


def test_a_soft_edge_stays_within_the_mask_and_noise_has_unit_variance():
    hole = np.zeros((1, 20, 20), bool)
    hole[0, 5:15, 5:15] = True
    soft = soft_edge(hole)
    assert soft[~hole].max() == 0
    assert soft[0, 10, 10] == 1
    assert 0 < soft[0, 5, 10] < 1
    noise = np.stack([painter_noise((1, 8, 8), np.random.default_rng(seed)) for seed in range(400)])
    assert noise.std() == pytest.approx(1, abs=0.1)
    assert np.stack([one.mean() for one in noise]).std() > 0.5


@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_painter_is_a_family_of_a_lesion_source(dimensions):
    image, brain = a_brain(1)
    source = LesionSource([SmoothBlob()], {"painter": PainterFamily(a_painter(dimensions), dimensions)})
    lesion, again = (source.sample(image, brain, np.random.default_rng(2), volume_ml=(0.3, 1.0)) for _ in range(2))
    assert lesion.record["family"] == "painter"
    assert np.array_equal(lesion.image[~lesion.mask], image[~lesion.mask])
    assert np.abs(lesion.image - image)[lesion.opacity > 0.9].mean() > 1e-3
    assert np.array_equal(lesion.image, again.image)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_scan_without_its_lesions_is_the_scan_everywhere_else(dimensions):
    scan = a_scan("first", 1, "labelled")
    normal = pseudo_normal(networks_of(dimensions), scan.image, scan.lesion, scan.brain, dimensions=dimensions)
    assert np.array_equal(normal[~scan.lesion], scan.image[~scan.lesion])
    truth, _ = a_brain(1)
    assert np.abs(normal - truth)[scan.lesion].mean() < 0.3 * np.abs(scan.image - truth)[scan.lesion].mean()
    nothing = np.zeros(SHAPE, bool)
    assert np.array_equal(
        pseudo_normal(networks_of(dimensions), scan.image, nothing, scan.brain, dimensions=dimensions), scan.image
    )


def test_what_a_tight_mask_leaves_beside_it_is_not_carried_back_in():
    scan = a_scan("first", 1, "labelled")
    truth, _ = a_brain(1)
    tight = ndimage.binary_erosion(scan.lesion)
    normal = pseudo_normal(networks_of(2), scan.image, tight, scan.brain, dimensions=2)
    assert np.array_equal(normal[~tight], scan.image[~tight])
    assert (normal - truth)[tight].mean() < 0.4 * (scan.image - truth)[tight].mean()


def test_augmented_scans_have_other_lesions_in_the_same_head():
    scan = a_scan("first", 1, "labelled")
    augmentation = Augmentation(networks_of(2), [scan], [SmoothBlob()], dimensions=2)
    rng = np.random.default_rng(0)
    one, other = augmentation(rng), augmentation(rng)
    assert one.lesion.any()
    assert not np.array_equal(one.lesion, other.lesion)
    gone = scan.lesion & ~one.lesion
    assert (one.image[gone] - scan.image[gone]).mean() < -0.2
    assert np.array_equal(one.image[~scan.brain], scan.image[~scan.brain])
    untrusted = np.ones(SHAPE, np.float32)
    untrusted[:, :30] = 0
    half = Augmentation(networks_of(2), [replace(scan, weight=untrusted)], [SmoothBlob()], dimensions=2)
    assert not half(np.random.default_rng(1)).lesion[:, :30].any()


def test_what_may_be_a_lesion_where_nobody_drew_is_restored_or_not_learnt_from():
    scan = replace(a_scan("first", 1, "labelled"), lesion=None, doubtful=np.zeros(SHAPE, bool))
    networks = networks_of(2)
    made = Augmentation(networks, [scan], [SmoothBlob()], dimensions=2)(np.random.default_rng(0))
    found = probability(networks, scan.image, scan.brain, dimensions=2)
    assert (found >= 0.3).any()
    assert made.lesion.any()
    assert made.weight is not None
    changed = made.image != scan.image
    assert ((made.weight == 0) | changed | (found < 0.1))[scan.brain].all()


def test_dice_counts_subjects_alike_and_trusted_voxels_only():
    scans = [a_scan("first", 1, "labelled"), a_scan("second", 2, "labelled")]
    networks = networks_of(2)
    plain = dice(networks, scans, dimensions=2, every=4)
    doubled = dice(networks, [*scans, scans[0]], dimensions=2, every=4)
    assert doubled == pytest.approx(plain)
    nothing = [replace(scan, weight=np.where(scan.lesion, 0, 1).astype(np.float32)) for scan in scans]
    assert dice(networks, nothing, dimensions=2, every=4)["dice_best"] in (0, 1)


def test_the_scans_that_are_checked_are_of_many_subjects():
    scans = [replace(a_scan("a", 1, "labelled"), case=f"{s}{n}", subject=s) for s in "ab" for n in range(3)]
    assert [scan.case for scan in spread(scans, 3)] == ["a0", "b0", "a1"]
