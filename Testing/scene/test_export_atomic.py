"""Exports appear whole or not at all, whatever happens meanwhile."""

import errno
import os
import signal
import subprocess
import sys
import time

import pytest
from PseudoNormalLib.export.atomic import new_file, new_folder, sweep
from PseudoNormalLib.export.errors import ExportError


def everything(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_file_appears_with_its_endings_at_the_end_only(tmp_path):
    final = tmp_path / "new" / "Dr. Müller.nii.gz"
    with new_file(final) as temporary:
        assert temporary.name.endswith(".nii.gz") and temporary.parent == final.parent
        temporary.write_text("voxels")
        assert not final.exists()
    assert everything(tmp_path / "new") == ["Dr. Müller.nii.gz"]


def begin_and_fail(make, place, error):
    with make(place) as temporary:
        (temporary if make is new_file else temporary / "part").write_text("half")
        raise error


@pytest.mark.parametrize("make", [new_file, new_folder])
@pytest.mark.parametrize("error", [ValueError("a defect"), KeyboardInterrupt()], ids=["a defect", "Ctrl-C"])
def test_what_goes_wrong_leaves_what_was_there_and_nothing_else(make, error, tmp_path):
    place = tmp_path / "x.dcm"
    place.write_text("mine") if make is new_file else place.mkdir()
    with pytest.raises(type(error)):
        begin_and_fail(make, place, error)
    assert everything(tmp_path) == ["x.dcm"]
    assert make is new_folder or place.read_text() == "mine"


@pytest.mark.parametrize("make", [new_file, new_folder])
def test_a_full_disk_is_said_in_one_line(make, tmp_path):
    with pytest.raises(ExportError, match="the disk is full; free some space") as caught, make(tmp_path / "x"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert "\n" not in str(caught.value) and everything(tmp_path) == []


def test_an_empty_folder_is_taken_and_any_other_thing_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with new_folder(tmp_path / "empty") as folder:
        (folder / "a").write_text("")
    assert everything(tmp_path) == ["empty", "empty/a"]
    (tmp_path / "file").write_text("")
    for taken in ("empty", "file"):
        with pytest.raises(ExportError, match="is there already"), new_folder(tmp_path / taken):
            pytest.fail("was entered")


def test_a_kill_in_the_middle_leaves_nothing_that_looks_whole_and_is_swept_a_day_later(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from PseudoNormalLib.export.atomic import new_folder\n"
        "with new_folder(Path(sys.argv[1])) as folder:\n"
        "    (folder / 'a').write_text('x'); print('writing', flush=True); time.sleep(60)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    writer = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "case")], stdout=subprocess.PIPE, env=environment
    )
    assert writer.stdout.readline().strip() == b"writing"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".")
    sweep(tmp_path)
    assert left.exists(), "another process may still be writing"
    os.utime(left, (time.time() - 2 * 86400,) * 2)
    (tmp_path / ".hidden.part").write_text("the user's own")
    sweep(tmp_path)
    assert everything(tmp_path) == [".hidden.part"]
