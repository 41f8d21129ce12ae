"""A file or folder is there whole or not at all, whatever happens while it is written."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import pseudonormal
from pseudonormal.errors import InputError
from pseudonormal.scan.scan import Geometry
from pseudonormal.scan.writing import OutputFolder, atomic_file, write_image

GEOMETRY = Geometry((7, 6, 5), (0.5, 0.75, 3.0), (-10.0, 20.0, 5.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))


def test_an_interrupted_file_leaves_the_earlier_one(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"earlier")

    def interrupted() -> None:
        with atomic_file(path) as stream:
            stream.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"earlier"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_appears_whole(tmp_path: Path) -> None:
    final = tmp_path / "new" / "out" / "case"
    with OutputFolder(final) as folder:
        (folder / "a.txt").write_text("a")
        assert not final.exists()
        assert folder.parent == final.parent
        assert folder.name.startswith(".")
    assert [p.name for p in final.iterdir()] == ["a.txt"]
    assert list(final.parent.iterdir()) == [final]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, InputError, SystemExit])
@pytest.mark.parametrize("earlier", [False, True])
def test_a_failed_folder_leaves_nothing_behind(tmp_path: Path, error: type[BaseException], earlier: bool) -> None:
    final = tmp_path / "out" / "case"
    if earlier:
        final.mkdir(parents=True)
        (final / "a.txt").write_text("earlier")

    def failing() -> None:
        with OutputFolder(final) as folder:
            (folder / "a.txt").write_text("new")
            raise error

    with pytest.raises(error):
        failing()
    if earlier:
        assert (final / "a.txt").read_text() == "earlier"
        assert list(final.parent.iterdir()) == [final]
    else:
        assert list(tmp_path.iterdir()) == []


def test_an_earlier_result_is_replaced_and_the_users_own_files_stay(tmp_path: Path) -> None:
    final = tmp_path / "case"
    final.mkdir()
    (final / "a.txt").write_text("earlier")
    (final / "corrected.seg.nrrd").write_text("an hour's work")
    with OutputFolder(final) as folder:
        (folder / "a.txt").write_text("new")
    assert (final / "a.txt").read_text() == "new"
    assert (final / "corrected.seg.nrrd").read_text() == "an hour's work"
    assert list(tmp_path.iterdir()) == [final]


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "case").write_text("a file")
    with pytest.raises(InputError, match="is a file"), OutputFolder(tmp_path / "case"):
        pass
    with pytest.raises(InputError, match="cannot be written"), OutputFolder(tmp_path / "case" / "below"):
        pass
    assert (tmp_path / "case").read_text() == "a file"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere: cannot be written, No such file.*choose another output folder"):
        write_image(np.zeros(GEOMETRY.shape, np.int16), GEOMETRY, tmp_path / "nowhere" / "a.nii.gz")


def in_a_process_of_its_own(script: str, *arguments: Path) -> str:
    """Run a script that takes limits or rights from itself."""
    environment = dict(os.environ, PYTHONPATH=str(Path(pseudonormal.__file__).parents[1]))
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="resource limits are POSIX")
def test_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / "a.nii.gz").write_bytes(b"earlier")
    said = in_a_process_of_its_own(
        """
        import resource, sys
        from pathlib import Path
        import numpy as np
        from pseudonormal.errors import InputError
        from pseudonormal.scan.scan import Geometry
        from pseudonormal.scan.writing import OutputFolder, write_image
        array = np.random.default_rng(0).normal(size=(40, 40, 40)).astype(np.float32)
        geometry = Geometry((40, 40, 40), (1, 1, 1), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
        folder = Path(sys.argv[1])
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        try:
            write_image(array, geometry, folder / "a.nii.gz")
        except InputError as error:
            print(error)
        try:
            with OutputFolder(folder / "case") as case:
                (case / "page.html").write_bytes(bytes(100_000))
        except InputError as error:
            print(error)
        """,
        tmp_path,
    )
    lines = said.splitlines()
    assert len(lines) == 2
    assert all(line.startswith(f"{tmp_path}: the disk is full; free some space") for line in lines)
    assert [p.name for p in tmp_path.iterdir()] == ["a.nii.gz"]
    assert (tmp_path / "a.nii.gz").read_bytes() == b"earlier"


@pytest.mark.skipif(sys.platform == "win32", reason="rights are POSIX")
def test_a_folder_without_the_right_to_write(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(0o555)
    said = in_a_process_of_its_own(
        """
        import os, sys
        from pathlib import Path
        import numpy as np
        from pseudonormal.errors import InputError
        from pseudonormal.scan.scan import Geometry
        from pseudonormal.scan.writing import OutputFolder, write_image
        if os.geteuid() == 0:  # root may write anywhere
            os.setuid(65534)
        array = np.zeros((4, 4, 4), np.float32)
        geometry = Geometry((4, 4, 4), (1, 1, 1), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
        folder = Path(sys.argv[1])
        try:
            write_image(array, geometry, folder / "a.nii.gz")
        except InputError as error:
            print(error)
        try:
            with OutputFolder(folder / "case" / "one"):
                print("entered")
        except InputError as error:
            print(error)
        """,
        locked,
    )
    lines = said.splitlines()
    assert len(lines) == 2
    assert all("no right to write there" in line and "choose another output folder" in line for line in lines)
    assert list(locked.iterdir()) == []
