"""Recipe ``translation``: label maps, translators, and scans made with their lesions and without."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import nibabel
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from Testing.smile_heads import a_scan, an_anatomy
from Testing.um_heads import write_cases

from pseudonormal.cases import Case, read_cases
from pseudonormal.errors import InputError
from pseudonormal.networks.spade import SpadeTranslator, grids
from pseudonormal.networks.translators import LATENT
from pseudonormal.painting.tissues import GROUPS
from pseudonormal.recipes.translation.maps import (
    grades_of,
    imagined_grades,
    label_count,
    mirrored,
    normal_map,
    with_lesion,
)
from pseudonormal.recipes.translation.material import greys, mapped, mapped_head, mapped_scans
from pseudonormal.recipes.translation.networks import FINDER, JUDGE, TRANSLATOR
from pseudonormal.recipes.translation.options import MAPS, TRANSLATORS, TranslationOptions
from pseudonormal.recipes.translation.predicting import draw_latent, translated
from pseudonormal.recipes.translation.recipe import TranslationRecipe
from pseudonormal.recipes.translation.synthesizing import LEAST, TranslationSynthesizer
from pseudonormal.scan.conform import conform, labels_to_model, to_native
from pseudonormal.scan.reading import read_scan
from pseudonormal.scan.scan import Geometry
from pseudonormal.scan.writing import write_image
from pseudonormal.training.coarse import coarse_scan
from pseudonormal.training.references import read_reference
from pseudonormal.training.trainable import Turn

pytestmark = pytest.mark.long

SMALL = {"patch": 32, "width": 4, "judge_width": 4, "classes": 3}


@pytest.fixture(scope="module")
def scans():
    return [coarse_scan(a_scan(name, seed, "labelled")) for seed, name in enumerate(("first", "second"), start=1)]


def a_recipe(scans, **options):
    chosen = TranslationOptions(**SMALL | options)
    return TranslationRecipe(mapped_scans(scans, chosen, scans[:1]), chosen)


def a_batch(recipe, rows=2):
    rng = np.random.default_rng(0)
    stream = recipe.samples(rng)
    drawn = [recipe.redraw(next(stream), rng) for _ in range(rows)]
    return {key: torch.from_numpy(np.stack([row[key] for row in drawn]))[:, None] for key in drawn[0]}


def learnt(recipe, batch, steps, rate=3e-3):
    """Networks after so many turns of each player on one batch, and what the makers lost at each."""
    torch.manual_seed(0)
    networks = recipe.networks()
    optimizers = {
        player: torch.optim.Adam([p for name in names for p in networks[name].parameters()], rate, betas=(0.5, 0.999))
        for player, names in recipe.players.items()
    }
    lost = []
    for _ in range(steps):
        for player, optimizer in optimizers.items():
            terms = recipe.loss(networks, batch, Turn(player, 0.5, networks))
            optimizer.zero_grad()
            terms["loss"].backward()
            optimizer.step()
            if "image" in terms:
                lost.append({name: float(value.detach()) for name, value in terms.items()})
    return networks, lost


@pytest.mark.parametrize("maps", ["tissue", "superpixels"])
def test_a_map_does_not_know_what_its_lesions_look_like(scans, maps):
    options = TranslationOptions(**SMALL | {"maps": maps})
    scan = scans[0]
    labels = normal_map(scan, options)
    assert ((labels > 0) == scan.brain).all()
    first = first_of_lesions(options)
    assert labels.max() < first
    darker = replace(scan, image=np.where(scan.lesion, scan.image - 0.7, scan.image).astype(np.float32))
    assert np.array_equal(normal_map(darker, options), labels)
    ill = with_lesion(labels, grades_of(scan.image, scan.lesion & scan.brain, options), options)
    assert ((ill >= first) == (scan.lesion & scan.brain)).all()
    assert np.array_equal(ill[~scan.lesion], labels[~scan.lesion])


def test_grades_of_a_lesion_are_dark_to_bright_and_all_there(scans):
    options = TranslationOptions(**SMALL | {"lesion_grades": 4})
    rng = np.random.default_rng(0)
    lesion = scans[0].lesion & scans[0].brain
    image = np.where(lesion, np.indices(lesion.shape)[1] / 30 + rng.normal(0, 0.01, lesion.shape), 5).astype(np.float32)
    grades = grades_of(image, lesion, options)
    assert ((grades > 0) == lesion).all()
    greys = [image[grades == grade].mean() for grade in (1, 2, 3, 4)]
    assert greys == sorted(greys)
    assert np.array_equal(grades_of(3 * image - 7, lesion, options), grades)  # whatever the unit
    made = imagined_grades(lesion, options, rng)
    assert ((made > 0) == lesion).all()
    assert set(np.unique(made[lesion])) == {1, 2, 3, 4}
    assert not grades_of(image, np.zeros_like(lesion), options).any()
    one = TranslationOptions(**SMALL | {"lesion_grades": 1})
    assert np.array_equal(grades_of(image, lesion, one), lesion)


def test_tissue_classes_are_dark_to_bright_and_know_their_side(scans):
    options = TranslationOptions(**SMALL)
    scan = scans[0]
    labels = normal_map(scan, options)
    calm = scan.brain & ~scan.doubtful
    grey = [scan.image[calm & np.isin(labels, [k, k + 3])].mean() for k in (1, 2, 3)]
    assert grey == sorted(grey)
    assert grey[-1] - grey[0] > 0.2
    right = np.argwhere(labels > 3)[:, 2].mean()
    left = np.argwhere((labels > 0) & (labels <= 3))[:, 2].mean()
    assert right > left + 8


@given(st.integers(0, 99), st.sampled_from(MAPS[:3]))
@settings(max_examples=15)
def test_a_mirror_twice_is_none(seed, maps):
    options = TranslationOptions(**SMALL | {"maps": maps})
    labels = np.random.default_rng(seed).integers(0, first_of_lesions(options), (3, 4, 5)).astype(np.int16)
    assert np.array_equal(mirrored(mirrored(labels, options), options), labels)
    if maps == "tissue":
        left = (labels > 0) & (labels <= 3)
        assert (mirrored(labels, options)[..., ::-1][left] > 3).all()


@given(st.tuples(st.integers(8, 200), st.integers(8, 200), st.integers(3, 200)))
def test_grids_grow_to_the_image_from_a_start_of_its_own_shape(size):
    through = grids(size)
    assert through[-1] == size
    for small, large in pairwise(through):
        assert all(a in (b, -(-b // 2)) for a, b in zip(small, large, strict=True))
    assert all(n >= min(4, whole) for n, whole in zip(through[0], size, strict=True))


@pytest.mark.parametrize("translator", TRANSLATORS)
def test_each_translator_learns_some_slices_by_heart(scans, translator):
    recipe = a_recipe(scans, translator=translator)
    steps = 40 if translator == "cyclegan" else 12  # without pairs, the labeller has to learn something first
    rate = 1e-3 if translator == "pix2pixhd" else 5e-3  # larger steps throw it off the greys that it begins with
    _, lost = learnt(recipe, a_batch(recipe), steps, rate=rate)
    assert np.isfinite([list(terms.values()) for terms in lost]).all()
    assert lost[-1]["image"] < 0.75 * lost[0]["image"]


@pytest.mark.parametrize("translator", ["spade", "cyclegan"])
def test_in_3d_too(scans, translator):
    recipe = a_recipe(scans, translator=translator, dimensions=3)
    batch = a_batch(recipe, 1)
    assert batch["image"].shape == (1, 1, 32, 32, 32)
    networks, lost = learnt(recipe, batch, 2)
    assert np.isfinite([list(terms.values()) for terms in lost]).all()
    labels = recipe.material.scans[0].labels[10:40, 8:29, :20]  # no multiple of 16
    image = translated(networks[TRANSLATOR], labels, draw_latent(np.random.default_rng(0)), recipe.options)
    assert image.shape == labels.shape
    assert image[labels > 0].std() > 0
    assert not image[labels == 0].any()


def test_the_lesion_follows_its_label_and_leaves_with_it(scans):
    recipe = a_recipe(scans, translator="pix2pix")
    networks, _ = learnt(recipe, a_batch(recipe, 3), 25, rate=5e-3)
    translator = networks[TRANSLATOR].eval()
    one = recipe.material.scans[0]
    latent = draw_latent(np.random.default_rng(0))
    elsewhere = np.roll(one.grades, 5, axis=1) * (one.scan.brain & ~one.lesion)
    assert elsewhere.any()
    normal = translated(translator, one.labels, latent, recipe.options)
    for grades in (one.grades, elsewhere):
        ill = translated(translator, with_lesion(one.labels, grades, recipe.options), latent, recipe.options)
        lesion = grades > 0
        change = np.abs(ill - normal)
        assert change[lesion].mean() > 0.1
        assert change[lesion].mean() > 3 * change[one.scan.brain & ~lesion].mean()


def first_of_lesions(options):
    return label_count(options) - options.lesion_grades


class Leaking(torch.nn.Module):
    """Stands for a translator whose image changes by so much where the lesion is, and by so much anywhere else."""

    def __init__(self, first, there, elsewhere):
        super().__init__()
        self.first, self.there, self.elsewhere = first, there, elsewhere

    def forward(self, labels, latent):
        ill = labels >= self.first
        return self.there * ill + self.elsewhere * ill.flatten(1).any(1).view(-1, 1, 1, 1) * ~ill


@pytest.mark.parametrize("elsewhere", [0.0, 0.1])
def test_what_changes_outside_a_lesion_is_lost(scans, elsewhere):
    recipe = a_recipe(scans, translator="pix2pix", outside_weight=1.0)
    batch = a_batch(recipe, 4)
    ill = batch["lesion"].flatten(1).any(1)
    assert ill.any()
    networks = recipe.networks() | {TRANSLATOR: Leaking(first_of_lesions(recipe.options), 0.5, elsewhere)}
    lost = recipe.loss(networks, batch, Turn("makers", 0.5, networks))["outside"]
    assert float(lost) == pytest.approx(elsewhere * float(ill.float().mean()), abs=1e-6)


class Bright(torch.nn.Module):
    """Stands for a finder that has learnt that lesions are bright."""

    def forward(self, image):
        return 20 * (image - 0.5)


def test_a_lesion_that_is_not_found_in_the_image_is_lost(scans):
    recipe = a_recipe(scans, translator="pix2pix")
    batch = a_batch(recipe, 3)
    lost = []
    for there in (1.0, 0.0):
        shown = Leaking(first_of_lesions(recipe.options), there, 0.0)
        networks = recipe.networks() | {TRANSLATOR: shown, FINDER: Bright()}
        lost.append(float(recipe.loss(networks, batch, Turn("makers", 0.5, networks))["label"]))
    assert lost[0] < 0.05 < lost[1]
    assert FINDER not in a_recipe(scans, translator="pix2pix", label_weight=0.0).networks()


def test_the_judge_of_pix2pixhd_looks_at_two_scales_and_its_layers_are_matched(scans):
    recipe = a_recipe(scans, translator="pix2pixhd")
    batch = a_batch(recipe)
    networks = recipe.networks()
    layers = networks[JUDGE].layers(batch["image"], batch["labels"])
    assert [len(some) for some in layers] == [4, 4]
    assert layers[0][-1].shape[-1] > layers[1][-1].shape[-1]
    makers = Turn("makers", 0.5, networks)
    lost = float(recipe.loss(networks, batch, makers)["feature"])
    exact = networks | {TRANSLATOR: lambda labels, latent: batch["image"]}
    with torch.no_grad():
        recipe_without = replace(recipe, options=replace(recipe.options, outside_weight=0.0))
        assert float(recipe_without.loss(exact, batch, makers)["feature"]) < 1e-5 < lost


@pytest.mark.parametrize("translator", ["pix2pix", "spade", "pix2pixhd"])
def test_translators_begin_with_the_greys_of_the_scans(scans, translator):
    recipe = a_recipe(scans, translator=translator)
    batch = a_batch(recipe, 3)
    torch.manual_seed(0)
    with torch.no_grad():
        image = recipe.networks()[TRANSLATOR].eval()(batch["labels"], batch["latent"])
    inside = batch["brain"] > 0
    assert float((image - batch["image"])[inside].abs().mean()) < 0.3
    known = greys(recipe.material.scans, recipe.options)
    assert known[0] == -1
    assert known[-1] > known[1]  # lesions are bright, the first class is the darkest


def test_random_numbers_change_what_spade_makes():
    torch.manual_seed(0)
    network = SpadeTranslator(7, 2, 4)
    labels = torch.randint(0, 7, (1, 1, 24, 40)).float()
    first, second = (network(labels, torch.randn(1, 1, LATENT)) for _ in range(2))
    assert first.shape == labels.shape
    apart = (first - second).detach()
    assert float(apart.std()) > 1e-3
    assert float(apart.mean().abs()) < 0.05  # not how bright the whole of it is: nothing could be learnt then


def test_a_parcellation_is_read_with_its_scan(tmp_path):
    scan = a_scan("one", 1, "labelled")
    geometry = Geometry(scan.image.shape[::-1], (1.0,) * 3, (0.0,) * 3, (-1, 0, 0, 0, -1, 0, 0, 0, 1))
    numbers = np.where(scan.brain, np.where(scan.image > 0.58, 2, 42), 0).astype(np.int16)
    numbers[scan.lesion] = 0  # its makers leave holes
    for name, array in (("image", scan.image), ("mask", scan.lesion), ("brain", scan.brain), ("labels", numbers)):
        write_image(array, geometry, tmp_path / f"{name}.nii.gz")
    files = {name: tmp_path / f"{name}.nii.gz" for name in ("image", "mask", "brain", "labels")}
    case = Case(
        "one", "one", "train", files["image"], files["mask"], foreground=files["brain"],
        extra={"parcellation": str(files["labels"])},
    )  # fmt: skip
    read = coarse_scan(read_reference(case, pytest.fail))
    groups = normal_map(read, TranslationOptions(**SMALL | {"maps": "groups"}))
    assert set(np.unique(groups)) == {0, *(list(GROUPS).index(name) for name in ("white_matter", "cortex"))}
    assert (groups[read.lesion & read.brain] > 0).mean() > 0.9
    own = normal_map(read, TranslationOptions(**SMALL | {"maps": "parcellation", "parcels": 50}))
    assert set(np.unique(own)) == {0, 2, 42}
    with pytest.raises(InputError, match="say --set parcels=42"):
        normal_map(read, TranslationOptions(**SMALL | {"maps": "parcellation", "parcels": 41}))
    write_image(numbers + np.float32(0.5), geometry, files["labels"])
    with pytest.raises(InputError, match="whole numbers"):
        read_reference(case, pytest.fail)
    with pytest.raises(InputError, match="has no parcellation"):
        normal_map(coarse_scan(scan), TranslationOptions(maps="groups"))


def test_labels_keep_their_place_on_the_model_grid(tmp_path):
    labels = np.random.default_rng(0).integers(0, 40, (9, 12, 10)).repeat(2, 0).astype(np.int16)
    geometry = Geometry((10, 12, 18), (1.0, 1.0, 2.0), (3.0, -2.0, 5.0), (0, -1, 0, 1, 0, 0, 0, 0, 1))
    write_image(labels, geometry, tmp_path / "labels.nii.gz")
    scan = read_scan(tmp_path / "labels.nii.gz")
    conformed = conform(scan)
    assert np.array_equal(to_native(labels_to_model(labels, conformed), conformed, "nearest"), labels)


@pytest.mark.parametrize("maps", ["tissue", "groups"])
def test_a_head_without_a_scan_can_be_made_one_of(scans, maps):
    options = TranslationOptions(**SMALL | {"maps": maps})
    head = mapped_head(an_anatomy(), "head", "somebody", "flair", options)
    assert ((head.labels > 0) == head.scan.brain).mean() > 0.99
    again = mapped_head(an_anatomy(), "head", "somebody", "flair", options)
    assert np.array_equal(head.labels, again.labels)
    recipe = a_recipe(scans)
    both = [mapped_head(an_anatomy(), "h", "h", "flair", recipe.options), mapped(scans[0], recipe.options)]
    synthesizer = TranslationSynthesizer(recipe.networks()[TRANSLATOR].eval(), recipe.options, both)
    made = synthesizer.make(np.random.default_rng(0))
    assert made.mask.any()
    assert not (made.mask & ~made.foreground).any()


def test_no_scan_has_next_to_no_lesion(scans):
    recipe = a_recipe(scans)
    least = min(scan.lesion.sum() for scan in scans)
    synthesizer = TranslationSynthesizer(recipe.networks()[TRANSLATOR].eval(), recipe.options, recipe.material.scans)
    made = [synthesizer.make(np.random.default_rng([1, number])) for number in range(24)]
    scattered = [one.mask.sum() for one in made if one.record["lesion_of"] == "shapes"]
    assert len(scattered) > 6
    assert min(scattered) >= LEAST * least


def test_without_a_lesion_to_learn_from_it_says_so(scans):
    normal = replace(scans[0], lesion=np.zeros_like(scans[0].brain))
    with pytest.raises(InputError, match="no lesion is drawn in any case"):
        a_recipe([normal])
    with pytest.raises(InputError, match="or give --masks"):
        TranslationSynthesizer(torch.nn.Identity(), TranslationOptions(), [mapped(normal, TranslationOptions())])
    for said, wrong in {"translator=x": {"translator": "x"}, "multiple of 16": {"patch": 40}}.items():
        with pytest.raises(InputError, match=said):
            TranslationOptions(**wrong)


def test_synthesize_makes_each_scan_with_its_lesion_and_without(command, tmp_path):
    cases = write_cases(tmp_path / "scans", drawn=(True, True))
    settings = {
        "steps": 2, "workers": 0, "pool": 4, "batch": 1, "checks": 1, "minutes": 1000, "bfloat16": 0, **SMALL,
    }  # fmt: skip
    words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    trained = command("train", "translation", cases, "-o", tmp_path / "run", *words)
    assert trained.code == 0, trained.err
    assert (tmp_path / "run" / "example.png").stat().st_size > 1000
    out = tmp_path / "out"
    for count in (1, 2):  # a greater number adds to what is there
        said = command("synthesize", tmp_path / "run", cases, "-n", count, "-o", out, "--json")
        assert said.code == 0, said.err
        assert json.loads(said.out.splitlines()[-1])["made"] == 1
    for case in read_cases(out / "cases.csv"):
        assert case.synthetic and case.has_truth
        image, normal, mask = (nibabel.load(path).get_fdata() for path in (case.image, case.normal, case.mask))
        assert mask.any()
        assert (image != normal)[mask > 0].any()  # as far as two steps and whole numbers tell them apart
        record = json.loads((case.image.parent / "record.json").read_text())
        assert record["drawn"]["translator"] == "spade"
        assert record["drawn"]["lesion_of"] in {"case1", "case2"}
    refused = command("synthesize", tmp_path / "run", cases, "-o", tmp_path / "other", "--masks", tmp_path / "run")
    assert refused.code == 2
    assert "is a run of recipe translation: give one of recipe mask-gan" in refused.err
