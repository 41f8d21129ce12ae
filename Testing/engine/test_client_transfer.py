"""Volumes as bytes: what arrives is what was sent, whoever reads or writes it."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PseudoNormalLib.engine.errors import EngineError
from PseudoNormalLib.engine.transfer import Volume, decode, encode

KINDS = [np.dtype(kind) for kind in ("b", "B", "h", "H", "i", "I", "q", "Q", "f", "d")]
FLIP = np.diag((-1.0, -1.0, 1.0, 1.0))


def from_quaternion(quaternion):
    w, x, y, z = np.array(quaternion) / np.linalg.norm(quaternion)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


@st.composite
def matrices(draw):
    """IJK to RAS: any rotation, either handedness, any spacing and origin."""
    numbers = st.floats(-1, 1)
    quaternion = draw(st.tuples(numbers, numbers, numbers, numbers).filter(lambda q: np.linalg.norm(q) > 0.1))
    matrix = np.eye(4)
    matrix[:3, :3] = from_quaternion(quaternion) * draw(st.tuples(*[st.floats(0.1, 9)] * 3))
    matrix[:3, 0] *= draw(st.sampled_from((1, -1)))
    matrix[:3, 3] = draw(st.tuples(*[st.floats(-900, 900)] * 3))
    return matrix


@st.composite
def volumes(draw, kinds=KINDS):
    array = draw(arrays(draw(st.sampled_from(kinds)), st.tuples(*[st.integers(1, 4)] * 3)))
    return Volume(array, draw(matrices()))


def read_by_itk(content, suffix=".nrrd"):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"volume{suffix}"
        path.write_bytes(content)
        return sitk.ReadImage(str(path))


def written_by_itk(volume, suffix, compress=False):
    image = sitk.GetImageFromArray(volume.array)
    lps = FLIP @ volume.ijk_to_ras
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((lps[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(lps[:3, 3].tolist())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"volume{suffix}"
        sitk.WriteImage(image, str(path), useCompression=compress)
        return path.read_bytes()


@given(volumes())
def test_what_was_sent_arrives_to_the_last_bit(volume):
    back = decode(encode(volume), "volume.nrrd")
    assert back.array.dtype == volume.array.dtype
    assert back.array.tobytes() == volume.array.tobytes()
    assert np.array_equal(back.ijk_to_ras, volume.ijk_to_ras)


@given(volumes())
def test_itk_reads_what_we_write(volume):
    image = read_by_itk(encode(volume))
    array = sitk.GetArrayFromImage(image)
    assert array.dtype == volume.array.dtype and array.tobytes() == volume.array.tobytes()
    lps = FLIP @ volume.ijk_to_ras
    for kji in np.ndindex(volume.array.shape):
        expected = lps @ (*kji[::-1], 1)
        assert image.TransformIndexToPhysicalPoint(kji[::-1]) == pytest.approx(expected[:3], abs=1e-9)


@pytest.mark.parametrize("compress", [False, True])
@given(volume=volumes())
def test_we_read_what_itk_writes_as_nrrd(compress, volume):
    back = decode(written_by_itk(volume, ".nrrd", compress), "x.NRRD")
    assert back.array.dtype == volume.array.dtype and back.array.tobytes() == volume.array.tobytes()
    assert np.allclose(back.ijk_to_ras, volume.ijk_to_ras, atol=1e-9)


@pytest.mark.parametrize(("suffix", "tolerance"), [(".mha", 1e-9), (".nii", 1e-3), (".nii.gz", 1e-3)])
@settings(max_examples=30)
@given(volume=volumes(kinds=[np.dtype("int16"), np.dtype("uint8"), np.dtype("int32")]))
def test_other_formats_are_read_with_their_place(suffix, tolerance, volume):
    back = decode(written_by_itk(volume, suffix), f"volume{suffix}")
    assert back.array.dtype == volume.array.dtype
    assert np.array_equal(back.array, volume.array)
    assert np.allclose(back.ijk_to_ras, volume.ijk_to_ras, atol=tolerance)


def test_a_mask_becomes_zeros_and_ones():
    mask = np.arange(24).reshape(2, 3, 4) % 3 == 0
    back = decode(encode(Volume(mask, np.eye(4))), "mask.nrrd").array
    assert back.dtype == np.uint8 and np.array_equal(back, mask)


def test_big_endian_and_strided_arrays_arrive_as_they_look():
    array = np.arange(120, dtype=">i2").reshape(4, 5, 6)[::-1, ::2, ::3]
    assert np.array_equal(decode(encode(Volume(array, np.eye(4))), "a.nrrd").array, array)


@pytest.mark.parametrize("array", [np.zeros((2, 2), np.int16), np.zeros((1, 1, 1), complex), np.zeros((1, 1, 1), "f2")])
def test_what_has_no_place_in_the_file_is_refused(array):
    with pytest.raises(ValueError, match="cannot be written as NRRD"):
        encode(Volume(array, np.eye(4)))


def a_file():
    return encode(Volume(np.arange(24, dtype=np.int16).reshape(2, 3, 4), np.eye(4)))


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (b"", "a.nrrd", "it is no NRRD file"),
        (a_file()[:-1], "a.nrrd", "it ends too early"),
        (a_file().replace(b"int16", b"block"), "a.nrrd", "'block'"),
        (a_file().replace(b"space origin", b"space_origin"), "a.nrrd", "space origin"),
        (a_file().replace(b"encoding: raw", b"encoding: gzip"), "a.nrrd", "damaged"),
        (a_file().replace(b"sizes: 4 3 2", b"sizes: 4 3"), "a.nrrd", "not one volume"),
        (gzip.compress(b"nothing", mtime=0), "a.nii.gz", "cannot be read"),
        (a_file(), "a.xyz", "its format is not known"),
    ],
)
def test_a_damaged_file_is_told_in_one_line(content, name, reason):
    with pytest.raises(EngineError, match=reason) as caught:
        decode(content, name)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"The volume {name} from the engine cannot be read")


@given(st.binary(max_size=200), st.integers(0, 250))
def test_any_garbage_is_told_in_one_line(garbage, at):
    content = a_file()[:at] + garbage
    said = ""
    try:
        decode(content, "a.nrrd")
    except EngineError as error:
        said = str(error)
    assert len(said.splitlines()) <= 1
