"""What may be uploaded, how long it is kept, and what happens when the disk is full."""

from __future__ import annotations

import asyncio
import resource
import signal

import pytest
import SimpleITK as sitk
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from pseudonormal.server import kinds
from pseudonormal.server.errors import DiskFull, NotFound, Unfit
from pseudonormal.server.volumes import Volumes

NRRD = b"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 2 2 2\nencoding: raw\n"
META = b"ObjectType = Image\nNDims = 3\nBinaryData = True\nDimSize = 2 2 2\n"
TYPE = b"ElementType = MET_UCHAR\n"
SECRET = b"\x01\x02\x03\x04\x05\x06\x07\x08"


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def a_clock():
    return Clock()


@pytest.fixture
def some_volumes(tmp_path, a_clock):
    return Volumes(tmp_path, keep_seconds=60, keep_count=3, clock=a_clock)


def receive(volumes, content=NRRD + b"\n", name="a.nrrd", block=1 << 16):
    async def chunks():
        for start in range(0, len(content), block):
            yield content[start : start + block]

    return asyncio.run(volumes.receive(name, chunks()))


def test_uploads_are_kept_byte_for_byte(some_volumes):
    content = NRRD + b"\n" + bytes(range(256)) * 20_000
    volume = receive(some_volumes, content)
    assert some_volumes.path(volume.id).read_bytes() == content
    assert volume.bytes == len(content)


def test_only_so_many_are_kept_for_only_so_long(some_volumes, a_clock, tmp_path):
    ids = [receive(some_volumes).id for _ in range(5)]
    assert len(list(tmp_path.iterdir())) == 3
    for gone in ids[:2]:
        with pytest.raises(NotFound, match="send it again"):
            some_volumes.path(gone)
    a_clock.now = 61
    some_volumes.sweep()
    assert not list(tmp_path.iterdir())


def test_nothing_stays_of_what_is_refused(some_volumes, tmp_path):
    for name, content in (("a.txt", b""), ("a.nii", b"no"), ("a.nrrd", b"NRRD0004\ndata file: x.raw\n\n")):
        with pytest.raises(Unfit):
            receive(some_volumes, content, name)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_said_and_nothing_stays(some_volumes, tmp_path):
    limit, action = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limit[1]))
    try:
        with pytest.raises(DiskFull, match="disk is full"):
            receive(some_volumes, NRRD + b"\n" + bytes(3 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, action)
    assert not list(tmp_path.iterdir())


DETACHED = {
    ".nrrd": [
        NRRD.replace(b"\n", end) + field + end + end
        for end in (b"\n", b"\r\n", b"\r")
        for field in (b"data file: ../secret", b"datafile: ../secret", b"DATA FILE: ../secret", b"Data file: LIST")
    ],
    ".mha": [
        META + field
        for field in (
            TYPE + b"ElementDataFile = ../secret\n",
            b"ElementDataFile = ../secret\n",
            b"ElementDataFile : ../secret\n",
            b" ElementDataFile = ../secret\n",
            b"ElementDataFile=../secret\n",
            b"\tElementDataFile\t=\t../secret\n",
            b"ElementDataFile = LOCAL ../secret\n",
            b"ElementDataFile = LIST\n../secret\n",
            b"Foo = \rElementDataFile = ../secret\n" + TYPE + b"ElementDataFile = LOCAL\n",
            b"Offset = 0 0 0 ElementDataFile = ../secret\n" + TYPE + b"ElementDataFile = LOCAL\n",
            TYPE + b"Offset = 0 0\nElementDataFile = LOCAL\nElementDataFile = ../secret\n",
            TYPE + b"Color =\nElementDataFile = LOCAL\nElementDataFile = ../secret\n",
        )
    ],
}


@pytest.mark.parametrize(("suffix", "head"), [(suffix, head) for suffix, heads in DETACHED.items() for head in heads])
def test_no_header_may_name_another_file(suffix, head):
    assert kinds.fault(suffix, head)


@given(
    suffix=st.sampled_from([".nrrd", ".mha"]),
    field=st.sampled_from([b"data file", b"datafile", b"DATA FILE", b"ElementDataFile", b"elementdatafile"]),
    before=st.sampled_from([b"", b" ", b"\t", b"\r", b"\x00", b"#", b"\n", b"Comment = x "]),
    between=st.sampled_from([b": ", b":", b" : ", b" = ", b"=", b":=", b"\t=\t", b": :", b" "]),
    end=st.sampled_from([b"\n", b"\r\n", b"\r", b"\n\n", b"\n \n"]),
    last=st.sampled_from([b"", TYPE + b"ElementDataFile = LOCAL\n", b"\n"]),
)
def test_what_is_taken_never_lets_the_reader_open_another_file(
    tmp_path_factory, suffix, field, before, between, end, last
):
    folder = tmp_path_factory.mktemp("detached")
    (folder / "secret").write_bytes(SECRET)
    content = (NRRD if suffix == ".nrrd" else META) + before + field + between + b"secret" + end + last + bytes(8)
    assert_secret_is_kept(folder / f"a{suffix}", content)


def assert_secret_is_kept(path, content):
    """What may be uploaded never reads as what is in the file "secret" beside it."""
    if kinds.fault(path.suffix, content) is None:
        path.write_bytes(content)
        sitk.ProcessObject.SetGlobalWarningDisplay(False)
        try:
            voxels = sitk.GetArrayFromImage(sitk.ReadImage(str(path))).tobytes()
        except RuntimeError:
            return
        assert voxels != SECRET


FIELDS = (
    "Offset",
    "ElementSpacing",
    "TransformMatrix",
    "Color",
    "ElementMin",
    "BinaryData",
    "NDims",
    "Comment",
    "a[0]",
)
VALUES = ("", " ", "1", "0 0", "1 2 3 4 5 6 7 8 9", "x", "x\ry", "\r", "\n", "\0", "True")


@settings(max_examples=300)
@given(
    lines=st.lists(
        st.builds("{}{}{}".format, st.sampled_from(FIELDS), st.sampled_from([" = ", ":", ""]), st.sampled_from(VALUES))
    ),
    typed=st.booleans(),
)
def test_no_field_before_the_voxels_makes_the_reader_pass_over_where_they_are(tmp_path_factory, lines, typed):
    folder = tmp_path_factory.mktemp("detached")
    (folder / "secret").write_bytes(SECRET)
    fields = ["ElementType = MET_UCHAR", *lines] if not typed else [*lines, "ElementType = MET_UCHAR"]
    header = META + "".join(f"{line}\n" for line in fields).encode() + b"ElementDataFile = LOCAL\n"
    content = header + b"ElementDataFile = secret\n" + bytes(8)
    assert kinds.fault(".mha", content) is None or not typed
    assert_secret_is_kept(folder / "a.mha", content)


@given(
    metadata=st.dictionaries(st.text(min_size=1, max_size=30), st.text(max_size=60), max_size=6),
    compressed=st.booleans(),
    colours=st.booleans(),
)
@example({"ITK_dim[0]": "2", "0008|0060": "MR", "0010|4000": "line\r\nline", "a b": "c", "é": "ö"}, False, False)
def test_whatever_metadata_a_scan_has_its_metaimage_is_taken(tmp_path_factory, metadata, compressed, colours):
    words = " ".join([*metadata, *metadata.values()]).lower()
    assume("elementdatafile" not in words)  # what makes the reader look elsewhere is refused wherever it stands
    image = sitk.Image([3, 4, 5], sitk.sitkVectorUInt8 if colours else sitk.sitkInt16)
    for name, value in metadata.items():
        image.SetMetaData(name, value)
    path = tmp_path_factory.mktemp("meta") / "a.mha"
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    sitk.WriteImage(image, str(path), compressed)
    assert kinds.fault(".mha", path.read_bytes()) is None


def test_comments_and_fields_of_the_users_own_are_taken():
    comment = b"# Complete NRRD file format specification at:\n# http://teem.sourceforge.net/nrrd/format.html\n"
    assert kinds.fault(".nrrd", NRRD + comment + b"DICOM_file:=none\n\n" + SECRET) is None
    assert kinds.fault(".mha", META + b"a[0] = ours\n" + TYPE + b"ElementDataFile = LOCAL\n" + SECRET) is None


def test_a_header_without_an_end_is_refused():
    assert kinds.fault(".nrrd", NRRD + b"# \n" * 400_000)
    assert kinds.fault(".mha", META + b"Foo = 1\n" * 200_000)
