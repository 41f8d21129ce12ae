"""Cases: what is added comes back bit for bit, what is refused leaves nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from Testing.store_clients import GRID, mask_number, write_scan
from Testing.turnable_clock import Clock

from pseudonormal.errors import InputError
from pseudonormal.scan.reading import read_scan
from pseudonormal.scan.writing import write_image, write_segmentation
from pseudonormal.store.errors import UnknownCase
from pseudonormal.store.store import Store

MORNING = datetime(2026, 3, 1, 9, 0, tzinfo=timezone.utc)


@pytest.fixture
def clock() -> Clock:
    return Clock(MORNING)


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Store:
    return Store.open(tmp_path / "store", clock=clock)


@pytest.fixture
def a_scan(tmp_path: Path) -> Path:
    write_scan(tmp_path / "scan.nii.gz")
    return tmp_path / "scan.nii.gz"


def listing(folder: Path) -> dict[str, bytes]:
    """Every file's content; of the database what it holds, not how its pages lie."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and "sqlite" not in path.name}


def test_a_case_comes_back_as_it_was_added(store: Store, a_scan: Path, tmp_path: Path) -> None:
    scan, mask = read_scan(a_scan), mask_number(1)
    write_image(mask, GRID, tmp_path / "mask.nii.gz")
    difference = np.random.default_rng(1).normal(size=GRID.shape).astype(np.float32)
    write_image(difference, GRID, tmp_path / "difference.nii.gz")
    write_image(np.zeros(GRID.shape, np.float32), GRID, tmp_path / "z.nii.gz")  # nothing differs: no reason to refuse
    case = store.add_case(
        a_scan,
        mask=tmp_path / "mask.nii.gz",
        volumes={"difference": tmp_path / "difference.nii.gz", "difference_z": tmp_path / "z.nii.gz"},
        model="brain-mr",
        report={"mode": "auto", "findings": [{"index": 1, "volume_ml": 2.5}]},
        priority=0.5,
        contrast="FLAIR",
        synthetic=True,
    )
    assert store.case(case.id) == case
    assert (case.status, case.priority, case.contrast, case.model) == ("synthetic", 0.5, "FLAIR", "brain-mr")
    assert (case.created, case.updated, case.revisions, case.synthetic) == (MORNING, MORNING, 1, True)
    assert case.volume_ml == pytest.approx(mask.sum() * GRID.voxel_ml)
    assert case.findings >= 1
    assert store.volumes(case.id) == ("image", "difference", "difference_z")
    kept = read_scan(store.volume_path(case.id, "image"))
    np.testing.assert_array_equal(kept.array, scan.array)
    assert kept.array.dtype == scan.array.dtype
    assert kept.geometry == scan.geometry == store.geometry(case.id)
    np.testing.assert_array_equal(read_scan(store.volume_path(case.id, "difference")).array, difference)
    assert store.report(case.id) == {"mode": "auto", "findings": [{"index": 1, "volume_ml": 2.5}]}
    (seed,) = store.history(case.id)
    assert (seed.state, seed.author, seed.model, seed.number, seed.parent) == ("seed", "brain-mr", "brain-mr", 1, None)
    np.testing.assert_array_equal(store.read_mask(case.id, store.mask_path(seed.id)), mask)
    assert store.check() == []


def test_a_scan_alone_is_a_case_without_revisions(store: Store, a_scan: Path) -> None:
    case = store.add_case(a_scan)
    assert (case.status, case.head, case.revisions, case.findings, case.volume_ml) == ("new", None, 0, 0, 0.0)
    assert store.history(case.id) == []
    assert store.report(case.id) is None
    assert store.volumes(case.id) == ("image",)


def test_an_empty_seed_mask_is_one_that_found_nothing(store: Store, a_scan: Path, tmp_path: Path) -> None:
    write_image(np.zeros(GRID.shape, bool), GRID, tmp_path / "mask.nii.gz")
    case = store.add_case(a_scan, mask=tmp_path / "mask.nii.gz")
    assert (case.revisions, case.findings, case.volume_ml) == (1, 0, 0.0)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    dtype=st.sampled_from(["u1", "i1", "i2", "u2", "i4", "f4", "f8"]),
    order=st.sampled_from("<>"),
    kind=st.sampled_from([nib.Nifti1Image, nib.Nifti2Image]),
    scaling=st.sampled_from([(1.0, 0.0), (0.1, -7.3), (-2.5, 1e4)]),
    codes=st.sampled_from([(1, 1), (0, 1), (1, 0), (2, 1), (1, 2), (0, 4), (0, 0)]),
    angles=st.tuples(*[st.floats(-3, 3)] * 3),
    seed=st.integers(0, 9),
)
def test_numbers_type_and_grid_are_kept_to_the_bit(store, tmp_path, dtype, order, kind, scaling, codes, angles, seed):
    stored = np.random.default_rng(seed).integers(0, 120, GRID.size).astype(np.dtype(order + dtype))
    affine = np.eye(4)
    affine[:3, :3] = nib.eulerangles.euler2mat(*angles) * (0.7, 1.1, 3.3)
    affine[:3, 3] = (-31.7, 44.1, 5.9)
    image = kind(np.zeros(GRID.size, dtype), affine)
    image.set_qform(affine, codes[0])
    image.set_sform(affine, codes[1])
    header = image.header.as_byteswapped("little" if order == "<" else "big")
    header["datatype"], header["bitpix"] = nib.nifti1.data_type_codes[np.dtype(dtype)], stored.dtype.itemsize * 8
    header["scl_slope"], header["scl_inter"] = scaling
    length = len(header.binaryblock)
    header["vox_offset"], header["magic"] = length + 4, b"n+1" if length == 348 else b"n+2"
    path = tmp_path / "scan.nii"
    path.write_bytes(header.binaryblock + bytes(4) + stored.tobytes(order="F"))
    scan = read_scan(path)
    case = store.add_case(path)
    kept = read_scan(store.volume_path(case.id, "image"))
    np.testing.assert_array_equal(kept.array, scan.array)
    assert kept.geometry == scan.geometry == store.geometry(case.id)
    assert replace(kept.storage, header=None) == replace(scan.storage, header=None)
    assert store.find_case(path) is not None


def test_a_scan_is_found_again_whatever_its_file_is_called(store: Store, a_scan: Path, tmp_path: Path) -> None:
    assert store.find_case(a_scan) is None
    case = store.add_case(a_scan)
    again = a_scan.rename(tmp_path / "other.nii.gz")
    assert store.find_case(again) == case.id
    write_scan(tmp_path / "another.nii.gz", seed=1)
    assert store.find_case(tmp_path / "another.nii.gz") is None


def test_equal_scans_share_one_file(store: Store, a_scan: Path) -> None:
    one, two = store.add_case(a_scan), store.add_case(a_scan)
    assert one.id != two.id
    assert store.volume_path(one.id, "image") == store.volume_path(two.id, "image")


def test_a_segmentation_cut_to_its_box_is_put_back_in_its_place(store: Store, a_scan: Path, tmp_path: Path) -> None:
    lesion = np.zeros(GRID.shape, bool)
    lesion[3:6, 4:8, 2:9] = True
    box = replace(GRID, size=(7, 4, 3), origin=tuple(np.add(GRID.origin, np.multiply(GRID.spacing, (2, 4, 3)))))
    write_segmentation(lesion[3:6, 4:8, 2:9] & (np.indices((3, 4, 7)).sum(0) != 5), box, tmp_path / "m.seg.nrrd")
    expected = lesion.copy()
    expected[3:6, 4:8, 2:9] &= np.indices((3, 4, 7)).sum(0) != 5
    case = store.add_case(a_scan)
    np.testing.assert_array_equal(store.read_mask(case.id, tmp_path / "m.seg.nrrd"), expected)


@pytest.mark.parametrize("empty", [True, False])
def test_masks_and_volumes_of_another_grid_are_refused(store: Store, a_scan: Path, tmp_path: Path, empty: bool) -> None:
    other = replace(GRID, spacing=(1.2, 1.5, 2.0))
    write_image(np.zeros(GRID.shape, bool) if empty else mask_number(0), other, tmp_path / "mask.nii.gz")
    before = listing(tmp_path / "store")
    for arguments in ({"mask": tmp_path / "mask.nii.gz"}, {"volumes": {"difference": tmp_path / "mask.nii.gz"}}):
        with pytest.raises(InputError, match=r"grid|outside the scan") as caught:
            store.add_case(a_scan, **arguments)
        assert "\n" not in str(caught.value)
    assert listing(tmp_path / "store") == before
    assert store.cases() == ([], 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"priority": float("nan")}, "finite"),
        ({"model": "/home/someone/model"}, "not a model's name"),
        ({"contrast": "T1\nw"}, "one line"),
        ({"subject": " "}, "subject"),
        ({"volumes": {"image": Path("x.nii.gz")}}, "not a name for a volume"),
        ({"volumes": {"../x": Path("x.nii.gz")}}, "not a name for a volume"),
        ({"volumes": {"difference": Path("x.png")}}, "unknown kind of file"),
        ({"mask": Path("missing.nii.gz")}, "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line_and_leaves_nothing(store, a_scan, tmp_path, arguments, words):
    before = listing(tmp_path / "store")
    with pytest.raises(InputError, match=words) as caught:
        store.add_case(a_scan, **arguments)
    assert "\n" not in str(caught.value)
    assert listing(tmp_path / "store") == before
    assert store.cases() == ([], 0)


def test_cases_are_listed_in_turn(store: Store, a_scan: Path, clock: Clock) -> None:
    ids = []
    for priority in (None, 1.0, 5.0, None, 1.0):
        clock.now += timedelta(minutes=1)
        ids.append(store.add_case(a_scan, priority=priority).id)
    in_turn = [ids[n] for n in (2, 1, 4, 0, 3)]
    listed, total = store.cases()
    assert ([case.id for case in listed], total) == (in_turn, 5)
    page, total = store.cases(limit=2, offset=2)
    assert ([case.id for case in page], total) == (in_turn[2:4], 5)
    assert store.set_priority(ids[3], 9.0).priority == 9.0
    assert store.cases(limit=1)[0][0].id == ids[3]


def test_cases_are_found_by_status_and_text(store: Store, a_scan: Path, clock: Clock) -> None:
    one = store.add_case(a_scan, contrast="T1w")
    two = store.add_case(a_scan, contrast="FLAIR", subject="someone")
    lease = store.lease(two.id, "Ann")
    store.add_revision(two.id, mask_number(0), lease=lease.token, state="accepted", parent=None)
    assert [case.id for case in store.cases(status="new")[0]] == [one.id]
    assert [case.id for case in store.cases(status="accepted")[0]] == [two.id]
    assert store.cases(status="draft") == ([], 0)
    for text in ("flair", "ANN", two.id[5:], store.case(two.id).subject):
        assert [case.id for case in store.cases(text=text)[0]] == [two.id]
    assert store.cases(text="%") == ([], 0)
    with pytest.raises(InputError, match="status gone: not known; name one of new, draft"):
        store.cases(status="gone")


def test_what_is_not_there_is_unknown(store: Store, a_scan: Path) -> None:
    case = store.add_case(a_scan)
    for ask in (
        lambda: store.case("case-nothing"),
        lambda: store.history("case-nothing"),
        lambda: store.volumes("case-nothing"),
        lambda: store.report("case-nothing"),
        lambda: store.geometry("case-nothing"),
        lambda: store.volume_path(case.id, "../secret"),
        lambda: store.mask_path("rev-nothing"),
        lambda: store.lease("case-nothing", "ann"),
        lambda: store.set_priority("case-nothing", 1.0),
    ):
        with pytest.raises(UnknownCase) as caught:
            ask()
        assert "\n" not in str(caught.value)
