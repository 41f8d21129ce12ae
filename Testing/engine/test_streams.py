"""From a list of cases to what recipes train on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pseudonormal.cases import Case, read_cases
from pseudonormal.errors import InputError
from pseudonormal.scan.scan import Geometry
from pseudonormal.scan.writing import write_image
from pseudonormal.training.streams import Streams, load_streams

SHAPE = (60, 70, 64)
HEAD = (slice(10, 50), slice(12, 60), slice(8, 56))
MARK = (slice(28, 34), slice(30, 36), slice(14, 20))  # left of the middle
LESION = (slice(25, 33), slice(40, 48), slice(36, 44))
RAS = (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0)
LPS = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def save(path: Path, array, *, spacing=(1.0, 1.0, 1.0), direction=RAS) -> Path:
    write_image(array, Geometry(array.shape[::-1], spacing, (0.0, 0.0, 0.0), direction), path)
    return path


def label_map():
    labels = np.zeros(SHAPE, np.int16)
    labels[HEAD] = 2
    labels[MARK] = 10
    return labels


def mask_of(box):
    mask = np.zeros(SHAPE, bool)
    mask[box] = True
    return mask


@pytest.fixture
def a_scan(tmp_path):
    rng = np.random.default_rng(0)
    image = np.zeros(SHAPE, np.float32)
    image[HEAD] = 100 + 10 * rng.standard_normal(image[HEAD].shape)
    image[LESION] = 900
    return save(tmp_path / "scan.nii.gz", image)


@pytest.fixture
def masks(tmp_path):
    return {
        "brain": save(tmp_path / "brain.nii.gz", mask_of(HEAD)),
        "lesion": save(tmp_path / "lesion.nii.gz", mask_of(LESION)),
    }


def never(image):
    raise AssertionError("the foreground is known")


def streams_of(*cases: Case, foreground_of=never) -> Streams:
    return load_streams(cases, foreground_of=foreground_of)


def test_a_label_map_in_any_orientation_becomes_the_same_anatomy(tmp_path):
    labels = label_map()
    upright = save(tmp_path / "ras.nii.gz", labels)
    turned = save(tmp_path / "lps.nii.gz", np.ascontiguousarray(labels[:, ::-1, ::-1]), direction=LPS)
    streams = streams_of(*(Case(p.name, p.name, "train", extra={"labels": str(p)}) for p in (upright, turned)))
    first, second = streams.anatomies
    assert first.groups.shape == (44, 52, 52)  # the head and two voxels of air on each side
    assert set(np.unique(first.groups)) == {0, 1, 6}
    assert np.array_equal(first.groups, second.groups)
    assert first.brain[2:-2, 2:-2, 2:-2].mean() > 0.95
    assert not first.brain[:2].any()


def test_a_mirrored_anatomy_shows_the_left_on_the_right(tmp_path):
    path = save(tmp_path / "labels.nii.gz", label_map())
    streams = streams_of(Case("a", "a", "train", extra={"labels": str(path)}))
    groups, mirrored = streams.anatomies[0].groups, streams.mirrored_anatomies[0]
    assert mirrored.shape == groups.shape
    assert mirrored.dtype == groups.dtype
    assert set(np.unique(mirrored)) == set(np.unique(groups))
    before, after = (np.argwhere(g == 6).mean(axis=0) for g in (groups, mirrored))
    middle = np.argwhere(groups > 0).mean(axis=0)[2]
    assert after[:2] == pytest.approx(before[:2], abs=1)
    assert after[2] - middle == pytest.approx(middle - before[2], abs=1.5)


def test_a_labelled_scan_is_scaled_by_its_normal_tissue_and_cut_to_the_brain(a_scan, masks):
    case = Case("p_flair", "p", "train", a_scan, masks["lesion"], None, masks["brain"], {"contrast": "FLAIR"})
    reference = streams_of(case).references[0]
    assert (reference.case, reference.contrast) == ("p_flair", "flair")
    assert reference.lesion is not None
    assert reference.lesion.sum() == 8**3
    assert np.percentile(reference.image[reference.brain & ~reference.doubtful], [0.5, 99.5]) == pytest.approx(
        [0, 1], abs=1e-5
    )
    assert reference.image[reference.lesion].min() > 5
    widths = [np.ptp(np.flatnonzero(reference.doubtful.any(axis=tuple({0, 1, 2} - {a})))) + 1 for a in range(3)]
    assert widths == [8 + 2 * 3] * 3
    first = [int(np.flatnonzero(reference.brain.any(axis=tuple({0, 1, 2} - {a})))[0]) for a in range(3)]
    assert first == [6, 6, 6]
    assert reference.brain.sum() == mask_of(HEAD).sum()
    assert min(reference.image.shape) >= 96  # every recipe's patch fits in
    assert reference.image.dtype == np.float32


def test_a_normal_scan_has_no_lesion_and_nothing_doubtful(a_scan, masks):
    case = Case("n", "n", "train", a_scan, None, a_scan, masks["brain"])
    reference = streams_of(case).references[0]
    assert reference.lesion is not None
    assert not reference.lesion.any()
    assert not reference.doubtful.any()
    assert reference.contrast == ""


def test_an_automatic_mask_makes_voxels_doubtful_and_labels_nothing(a_scan, masks):
    case = Case("u", "u", "train", a_scan, None, None, masks["brain"], {"doubtful": str(masks["lesion"])})
    reference = streams_of(case).references[0]
    assert reference.lesion is None
    assert np.ptp(np.flatnonzero(reference.doubtful.any(axis=(1, 2)))) + 1 == 8 + 2 * 6


def test_the_brain_is_looked_for_where_no_foreground_is_named(a_scan):
    asked = []

    def finder(image):
        asked.append(image)
        return image > 50

    streams = streams_of(Case("n", "n", "train", a_scan, None, a_scan), foreground_of=finder)
    assert not asked  # nothing is read before it is needed
    assert streams.references[0].brain.sum() == mask_of(HEAD).sum()
    assert len(asked) == 1
    assert asked[0].shape == SHAPE
    assert len(streams.planes) == 1
    assert streams.planes[0].shape == streams.references[0].image.shape


def test_a_scan_without_a_brain_is_named(a_scan):
    def finder(image):
        raise InputError("no brain was found")

    with pytest.raises(InputError, match=r"scan\.nii\.gz: no brain was found"):
        streams_of(Case("n", "n", "train", a_scan, None, a_scan), foreground_of=finder).references  # noqa: B018


def test_shapes_are_blobs_and_the_pools_that_masks_name(masks):
    def shape(name, pool):
        return Case(name, name, "train", mask=masks["lesion"], extra={"pool": pool})

    blob, mixed, stroke = streams_of(shape("a", "mixed"), shape("b", "stroke mixed"), shape("c", "mixed")).shapes
    assert [len(mixed), len(stroke)] == [3, 1]
    rng = np.random.default_rng(0)
    for source in (blob, mixed, stroke):
        field, _ = source.draw(500, rng)
        assert (field > 0.5).sum() == pytest.approx(500, rel=0.35)
    assert len(streams_of(shape("a", ""), shape("b", "")).shapes) == 2


def test_only_the_wanted_split_is_used(masks):
    cases = [
        Case("a", "a", "train", mask=masks["lesion"]),
        Case("b", "b", "test", mask=masks["lesion"]),
        Case("c", "c", "test", mask=masks["lesion"]),
    ]
    sources = [load_streams(cases, foreground_of=never, split=split).shapes[1] for split in ("train", "test")]
    assert [len(source) for source in sources] == [1, 2]
    with pytest.raises(InputError, match="split 'validation'"):
        load_streams(cases, foreground_of=never, split="validation")


@pytest.mark.parametrize(
    ("extra", "said"),
    [({}, "nothing says which"), ({"contrast": "flare", "doubtful": "x"}, "contrast 'flare'")],
)
def test_a_scan_that_cannot_be_learnt_from_is_refused(a_scan, masks, extra, said):
    with pytest.raises(InputError, match=said):
        streams_of(Case("p", "p", "train", a_scan, None, None, masks["brain"], extra)).references  # noqa: B018


def test_label_maps_that_cannot_be_used_are_refused(tmp_path):
    coarse = save(tmp_path / "coarse.nii.gz", label_map()[::2, ::2, ::2].copy(), spacing=(2.0, 2.0, 2.0))
    skull = save(tmp_path / "skull.nii.gz", np.where(label_map() > 0, 510, 0).astype(np.int16))
    for path, said in ((coarse, "voxels of 1 mm"), (skull, "no label of the brain")):
        with pytest.raises(InputError, match=said):
            streams_of(Case("a", "a", "train", extra={"labels": str(path)})).anatomies  # noqa: B018


def test_what_is_lacking_is_said(masks):
    streams = streams_of(Case("s", "s", "train", mask=masks["lesion"]))
    with pytest.raises(InputError, match="'labels'"):
        streams.anatomies  # noqa: B018
    with pytest.raises(InputError, match="has an image"):
        streams.references  # noqa: B018


def test_a_list_of_cases_names_all_kinds(tmp_path, a_scan, masks):
    save(tmp_path / "labels.nii.gz", label_map())
    (tmp_path / "cases.csv").write_text(
        "case,subject,split,image,mask,normal,foreground,labels,doubtful,contrast,pool\n"
        "head,head,train,,,,,labels.nii.gz,,,\n"
        "p_t1,p,train,scan.nii.gz,,,brain.nii.gz,,lesion.nii.gz,t1,\n"
        "shape,shape,train,,lesion.nii.gz,,,,,,ms\n"
    )
    streams = load_streams(read_cases(tmp_path / "cases.csv"), foreground_of=never)
    assert [len(streams.anatomies), len(streams.references), len(streams.shapes)] == [1, 1, 2]
    assert streams.references[0].contrast == "t1"
