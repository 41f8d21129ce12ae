"""What recipe ``smile`` draws: streams by what there is, and rows that say what they can teach."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from Testing.smile_heads import SHAPE, a_scan, some_material, without_trust

from pseudonormal.cases import Case
from pseudonormal.errors import InputError
from pseudonormal.recipes.smile.drawing import STREAMS, Drawing, hollowed
from pseudonormal.recipes.smile.guesses import Guesses
from pseudonormal.recipes.smile.material import smile_material, with_share_of_labels
from pseudonormal.recipes.smile.options import SmileOptions
from pseudonormal.recipes.smile.rows import row
from pseudonormal.recipes.smile.scenes import Scenes
from pseudonormal.scan.scan import Geometry
from pseudonormal.scan.writing import write_image
from pseudonormal.training.references import read_reference
from pseudonormal.training.streams import Streams

SMALL = {"patch": 32}
RAS = (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0)


@pytest.fixture(scope="module")
def material():
    return some_material()


def drawing_of(material, guesses=None, **options):
    guesses = guesses or Guesses([*material.labelled, *material.synthetic, *material.unlabelled])
    return Drawing(material, SmileOptions(**SMALL, **options), guesses, rehearse=False)


def rows_of(material, stream, count=4, dimensions=2, seed=0):
    drawing, rng = drawing_of(material, dimensions=dimensions), np.random.default_rng(seed)
    return [row(drawing.sample(stream, rng), dimensions, rng) for _ in range(count)]


@pytest.mark.parametrize("dimensions", [2, 3])
def test_rows_of_all_streams_have_the_same_arrays(material, dimensions):
    keys = set()
    for stream in STREAMS:
        (one,) = rows_of(material, stream, 1, dimensions)
        keys.add(tuple(sorted(one)))
        shapes = {value.shape for value in one.values() if isinstance(value, np.ndarray)}
        assert shapes == {(32,) * dimensions, (1,) * dimensions}
        assert all(np.isfinite(value).all() for value in one.values() if isinstance(value, np.ndarray))
    assert len(keys) == 1


def test_each_stream_says_what_it_can_teach(material):
    simulated = [one for one in rows_of(material, "simulated", 12) if one["label"].any()]
    assert len(simulated) >= 8  # in some regions a lesion finds no place
    for one in simulated:
        assert (one["truth_weight"] * one["lesion"]).any()
        changed = one["observed"] != one["truth"]
        assert changed.any()
        assert not (changed & (one["lesion"] == 0)).any()
    for one in rows_of(material, "labelled"):
        assert np.array_equal(one["label_weight"], one["brain"])
        assert not one["truth_weight"].any()
        assert not one["teacher_weight"].any()
    for one in rows_of(material, "unlabelled"):
        assert not one["label_weight"].any()
        assert not one["label"].any()
        assert np.array_equal(one["teacher_weight"], one["brain"])
    for one in rows_of(material, "normal"):
        assert np.array_equal(one["observed"], one["truth"])
        assert one["real"].any()
        assert np.abs(one["seen"]).max() > 0
    for one in rows_of(material, "rehearsal"):
        assert one["label"].any()
        assert one["kind"] == 4


def test_streams_follow_the_material_and_the_flags(material):
    assert drawing_of(material).streams == STREAMS
    assert "unlabelled" not in drawing_of(material, no_unlabelled=True).streams
    assert "normal" not in drawing_of(material, no_normal=True).streams
    assert drawing_of(material, no_simulation=True).streams == ("labelled", "unlabelled", "normal")
    assert drawing_of(replace(material, labelled=[], normal=[])).streams == ("simulated", "unlabelled", "rehearsal")


def test_synthetic_scans_teach_where_lesions_are_in_half_of_the_labelled_rows_and_nothing_else(material):
    made = [replace(a_scan(f"made{n}", 20 + n, "labelled"), synthetic=True, contrast="t2") for n in range(5)]
    drawing, rng = drawing_of(replace(material, synthetic=made)), np.random.default_rng(0)
    of = {
        stream: [drawing.sample(stream, rng)["contrast"] for _ in range(60 if stream == "labelled" else 6)]
        for stream in STREAMS
        if stream != "rehearsal"  # painted heads are of any contrast
    }
    assert 0.3 < np.mean([contrast == "t2" for contrast in of.pop("labelled")]) < 0.7
    assert {contrast for found in of.values() for contrast in found} == {"flair"}


def test_lesions_are_simulated_in_unlabelled_scans_where_the_segmentor_saw_nothing(material):
    alone = replace(material, labelled=[], normal=[])
    scan = alone.unlabelled[0]
    guesses = Guesses(alone.unlabelled)
    drawing = Drawing(alone, SmileOptions(dimensions=2, patch=48), guesses, rehearse=False)
    rng = np.random.default_rng(0)
    assert not any(drawing.sample("simulated", rng)["opacity"].any() for _ in range(4))
    left = np.arange(scan.image.shape[2]) < scan.image.shape[2] // 4
    guesses.put(scan.case, np.broadcast_to(left * 0.5, scan.image.shape).astype(np.float32))
    calm = guesses.calm(scan.case)
    assert calm.any() and not (calm & left).any() and not (calm & ~scan.brain).any()
    samples = [drawing.sample("simulated", rng) for _ in range(12)]
    assert any(sample["opacity"].any() for sample in samples)
    for sample in samples:  # what the segmentor doubts teaches nothing
        known = (~sample["doubtful"] | (sample["opacity"] > 0)) & sample["brain"]
        assert row(sample, 2, rng)["label_weight"].sum() == known.sum()


def test_an_unlabelled_scan_is_restored_where_something_was_found(material):
    guesses = Guesses([*material.labelled, *material.unlabelled])
    scan = material.unlabelled[0]
    drawing, rng = drawing_of(material, guesses, dimensions=3), np.random.default_rng(0)
    assert not drawing.sample("unlabelled", rng)["hole"].any()
    found = np.zeros(SHAPE, np.float32)
    found[20:26, 28:34, 26:32] = 0.8
    guesses.put(scan.case, found)
    samples = [drawing.sample("unlabelled", rng) for _ in range(6)]
    assert any(sample["hole"].any() for sample in samples)
    assert max(sample["hole"].sum() for sample in samples) <= 8**3


def test_labelled_scans_can_be_restored_within_what_was_found_instead(material):
    guesses = Guesses([*material.labelled, *material.unlabelled])
    rng = np.random.default_rng(0)
    predicted = drawing_of(material, guesses, dimensions=3, mask="predicted")
    sample = predicted.sample("labelled", rng)
    assert sample["label"].any()
    assert not sample["hole"].any()
    assert drawing_of(material, guesses, dimensions=3).sample("labelled", rng)["hole"].any()


def test_what_is_drawn_where_nobody_trusts_it_changes_nothing_but_the_label(material):
    # aside from the label itself, which has weight 0 there, two rows are the same bit for bit
    box = (slice(10, 30), slice(20, 44), slice(28, 50))
    scans = []
    for extra in (False, True):
        scan = without_trust(a_scan("first", 1, "labelled"), box)
        lesion = scan.lesion.copy()
        lesion[box] = extra
        scans.append(replace(scan, lesion=lesion))
    rows = [rows_of(replace(material, labelled=[scan]), "labelled", 6, 3) for scan in scans]
    told = 0
    for first, second in zip(*rows, strict=True):
        for key in first:
            if key == "label":
                different = first[key] != second[key]
                assert not (first["label_weight"][different]).any()
                told += different.sum()
            else:
                assert np.array_equal(first[key], second[key]), key
    assert told > 0


def test_a_hole_that_leaves_no_evidence_is_left_out(material):
    scene = Scenes(material).cut(material.normal[0], (24, 30, 28), (1, 32, 32))
    sample = hollowed(scene, np.ones((1, 32, 32), bool), np.random.default_rng(0))
    assert not sample["hole"].any()
    assert np.isfinite(sample["fill"]).all()


def test_a_share_of_the_masks_is_whole_subjects_first(material):
    many = replace(material, labelled=[a_scan(f"s{n}", n, "labelled") for n in range(4)])
    half = with_share_of_labels(many, 0.5, 0)
    assert (len(half.labelled), len(half.unlabelled)) == (2, 3)
    assert all(scan.weight is None for scan in half.labelled)
    hidden = [scan for scan in half.unlabelled if scan.subject.startswith("s")]
    assert all(scan.lesion is None and not scan.doubtful.any() for scan in hidden)
    chosen = {tuple(s.subject for s in with_share_of_labels(many, 0.5, seed).labelled) for seed in range(8)}
    assert len(chosen) > 1
    assert with_share_of_labels(many, 1.0, 0) is many
    assert not with_share_of_labels(many, 0.0, 0).labelled


@pytest.mark.parametrize("share", [0.1, 0.25])
def test_less_than_a_subject_is_some_of_its_slices(material, share):
    whole = material.labelled
    part = with_share_of_labels(material, share, 3)
    (scan,) = part.labelled
    full = next(one for one in whole if one.subject == scan.subject)
    drawn = scan.weight.any(axis=(1, 2))
    assert np.array_equal(scan.lesion, full.lesion & drawn[:, None, None])
    assert np.ptp(np.flatnonzero(drawn)) + 1 == drawn.sum()
    assert scan.doubtful[~drawn].all()
    assert scan.lesion.sum() / full.lesion.sum() == pytest.approx(share * len(whole), abs=0.3)


def test_where_no_lesion_fits_there_is_a_row_without(material):
    scan = material.labelled[0]
    thin = np.zeros(SHAPE, bool)
    thin[24] = True
    crowded = replace(material, labelled=[replace(scan, doubtful=~thin)], normal=[])
    drawing, rng = drawing_of(crowded, dimensions=3), np.random.default_rng(0)
    sample = drawing.sample("simulated", rng)
    assert not sample["hole"].any()
    assert np.isfinite(row(sample, 3, rng)["image"]).all()


def write(path, array):
    write_image(array, Geometry(array.shape[::-1], (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), RAS), path)
    return path


@pytest.fixture
def files(tmp_path, material):
    scan = material.labelled[0]
    weight = np.ones(SHAPE, np.float32)
    weight[:20] = 0
    weight[20:24] = 0.5
    arrays = {"scan": scan.image * 500, "mask": scan.lesion, "brain": scan.brain, "weight": weight}
    return {name: write(tmp_path / f"{name}.nii.gz", array) for name, array in arrays.items()}


def test_a_case_names_its_weights_in_a_column(files):
    case = Case("c", "p", "train", files["scan"], files["mask"], None, files["brain"], {"weight": str(files["weight"])})
    reference = read_reference(case, lambda image: image > 0)
    plain = read_reference(replace(case, extra={}), lambda image: image > 0)
    assert reference.subject == "p"
    assert plain.weight is None
    assert set(np.unique(reference.weight[reference.brain])) == {0.0, 0.5, 1.0}
    assert reference.doubtful[(reference.weight == 0) & reference.brain].all()
    trusted = reference.weight > 0
    assert np.array_equal(reference.doubtful[trusted], plain.doubtful[trusted])


def test_weights_that_cannot_be_meant_are_refused(files, tmp_path):
    large = write(tmp_path / "large.nii.gz", np.linspace(0, 2, np.prod(SHAPE), dtype=np.float32).reshape(SHAPE))
    other = write(tmp_path / "other.nii.gz", np.eye(20, dtype=np.float32)[None].repeat(20, 0))
    for path, said in ((large, "between 0"), (other, "another grid")):
        case = Case("c", "p", "train", files["scan"], files["mask"], None, files["brain"], {"weight": str(path)})
        with pytest.raises(InputError, match=said):
            read_reference(case, lambda image: image > 0)


def test_scans_are_sorted_by_what_is_known_of_them(files):
    cases = [
        Case("labelled", "a", "train", files["scan"], files["mask"], None, files["brain"]),
        Case("unlabelled", "b", "train", files["scan"], None, None, files["brain"]),
        Case("normal", "c", "train", files["scan"], None, files["scan"], files["brain"]),
    ]
    aside = Case("aside", "d", "validation", files["scan"], files["mask"], None, files["brain"])
    found = smile_material(Streams(cases, lambda image: image > 0, [aside]))
    assert [scan.case for scan in found.labelled] == ["labelled"]
    assert [scan.case for scan in found.unlabelled] == ["unlabelled"]
    assert [scan.case for scan in found.normal] == ["normal"]
    assert [scan.case for scan in found.validation] == ["aside"]
    assert len(found.anatomies) == len(found.mirrored) > 1
    assert {1, 2, 3, 6} <= set(np.unique(found.anatomies[0].groups))
    assert not np.array_equal(found.anatomies[0].groups, found.anatomies[1].groups)
    assert len(found.lesion_shapes()) == 2
