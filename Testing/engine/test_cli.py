"""The command line as a whole: help, wrong usage, failures, and what it loads."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from pseudonormal import __version__
from pseudonormal.cli.cores import cores, use_all_cores
from pseudonormal.cli.failure import report_failure
from pseudonormal.cli.places import check_writable, name_cases, sweep
from pseudonormal.errors import InputError

COMMANDS = ("generate", "evaluate", "simulate", "train", "models", "cases", "serve", "demo", "bench")


def test_help_names_every_command(command):
    said = command("--help")
    assert said.code == 0
    assert all(name in said.out for name in COMMANDS)
    assert "not a medical device" in said.out
    assert command().out == said.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(command, name):
    said = command(name, "--help")
    assert said.code == 0
    assert "Usage: pseudonormal" in said.out


def test_version(command):
    said = command("--version")
    assert (said.code, said.out) == (0, f"pseudonormal {__version__}\n")


def test_help_answers_before_the_slow_libraries_are_loaded():
    code = """
        import sys
        from pseudonormal.cli.main import main
        assert main(["generate", "--help"]) == 0
        assert main(["generate"]) == 2
        slow = {"torch", "monai", "scipy", "skimage", "SimpleITK", "matplotlib", "nilearn", "numpy"} & set(sys.modules)
        assert not slow, slow
    """
    code = "\n".join(line.strip() for line in code.splitlines())
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["frob"], "frob"),
        (["generate"], "INPUT"),
        (["generate", "x.nii"], "--out"),
        (["generate", "x.nii", "-o", "OUT", "--hlp"], "--hlp"),
        (["generate", "x.nii", "-o", "OUT", "--mode", "magic"], "'auto', 'void', 'guided'"),
        (["generate", "x.nii", "-o", "OUT", "--seed", "-1"], "--seed"),
        (["generate", "x.nii", "-o", "OUT", "--volume", "two"], "--volume"),
        (["models"], "name a command; see pseudonormal models --help"),
        (["generate", "x.nii", "-o", "OUT", "--recipe", "magic"], "identity, ring_mean"),
        (["generate", "x.nii", "-o", "OUT", "--model", "magic"], "brain-mr"),
        (["generate", "x.nii", "-o", "OUT", "--device", "tpu"], "auto, cpu, cuda or cuda:N"),
        (["generate", "x.nii", "y.nii", "-o", "OUT", "--mask", "m.nii"], "--mask: belongs to one scan"),
        (["simulate", "none.csv", "-o", "OUT"], "no such file"),
        (["simulate", "none.csv", "-o", "OUT", "--volume-ml", "3", "1"], "--volume-ml 3 1"),
        (["evaluate", "none.csv", "-o", "OUT"], "no such file"),
        (["demo", "-o", "OUT", "--model", "magic"], "brain-mr"),
        (["bench", "--model", "magic"], "brain-mr"),
    ],
)
def test_wrong_usage_is_one_line(command, tmp_path, arguments, words):
    out = tmp_path / "out"
    said = command(*[str(out) if argument == "OUT" else argument for argument in arguments])
    assert said.code == 2
    assert len(said.lines) == 1
    assert said.err.startswith("pseudonormal: ")
    assert words in said.err
    assert not out.exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there(command, tmp_path):
    said = command("generate", "x.nii", "-o", tmp_path / "out", "--device", "cuda")
    assert said.code == 2
    assert "GPU" in said.err


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (InputError("scan.nii: broken;\ntry another"), 2, "scan.nii: broken; try another"),
        (OSError(errno.ENOSPC, "No space", "out/x"), 2, "out/x: the disk is full"),
        (PermissionError(errno.EACCES, "denied", "out/x"), 2, "out/x: no right"),
        (OSError(errno.EROFS, "read-only", "out/x"), 2, "read-only"),
        (MemoryError(), 2, "not enough memory"),
        (torch.OutOfMemoryError("CUDA out of memory"), 2, "--device"),
        (KeyboardInterrupt(), 130, "stopped"),
        (ValueError("shapes\ndiffer"), 1, "ValueError: shapes differ"),
        (OSError(errno.EIO, "I/O error"), 1, "PSEUDONORMAL_DEBUG=1"),
    ],
)
def test_failures_in_words(capsys, error, code, words):
    assert report_failure(error) == code
    err = capsys.readouterr().err
    assert words in err
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_the_traceback_of_a_defect_on_request(capsys, monkeypatch):
    monkeypatch.setenv("PSEUDONORMAL_DEBUG", "1")
    try:
        int("odd")
    except ValueError as error:
        report_failure(error)
    err = capsys.readouterr().err
    assert err.startswith("Traceback")
    assert 'int("odd")' in err
    report_failure(InputError("scan.nii: broken"))
    assert "Traceback" not in capsys.readouterr().err


def test_all_cores_are_used_unless_told_otherwise(monkeypatch):
    before = torch.get_num_threads()
    try:
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        use_all_cores()
        assert torch.get_num_threads() == before
        monkeypatch.delenv("OMP_NUM_THREADS")
        use_all_cores()
        assert torch.get_num_threads() == cores() >= 1
    finally:
        torch.set_num_threads(before)


def named(*paths: Path) -> list[tuple[Path, str]]:
    return [(path, path.name.split(".")[0]) for path in paths]


def test_scans_of_one_name_are_told_apart_by_their_folders(tmp_path):
    a, b, c = tmp_path / "a" / "scan.nii", tmp_path / "b" / "Scan.nii", tmp_path / "other.nii"
    assert name_cases(named(a, b, c), tmp_path / "out") == {"a_scan": a, "b_Scan": b, "other": c}
    deep = [tmp_path / "s1" / "anat" / "t1.nii", tmp_path / "s2" / "anat" / "t1.nii"]
    assert list(name_cases(named(*deep), tmp_path / "out")) == ["anat_t1", "s2_anat_t1"]


def test_scans_that_cannot_be_told_apart_are_refused(tmp_path):
    scan = tmp_path / "scan.nii"
    with pytest.raises(InputError, match="given twice"):
        name_cases(named(scan, tmp_path / "x" / ".." / "scan.nii"), tmp_path / "out")
    with pytest.raises(InputError, match="same case name as"):
        name_cases(named(scan, tmp_path / "scan.nrrd"), tmp_path / "out")


def test_results_never_land_in_the_folder_that_is_read(tmp_path):
    series = tmp_path / "series"
    series.mkdir()
    with pytest.raises(InputError, match="folder that is read"):
        name_cases(named(series), tmp_path)


def test_a_place_that_cannot_be_written_is_found_early(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is a file where a folder is needed"):
        check_writable(tmp_path / "file" / "out")
    check_writable(tmp_path / "new" / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that even root cannot write")
def test_a_folder_of_the_system(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        check_writable(Path("/proc/self/out"))


def test_what_killed_runs_left_is_swept_a_day_later(tmp_path):
    old, young, mine = tmp_path / ".0123456789ab.part", tmp_path / ".0123456789ac.part", tmp_path / ".notes.part"
    for folder in (old, young, mine):
        folder.mkdir()
        (folder / "file").touch()
    long_ago = time.time() - 2 * 86400
    os.utime(old, (long_ago, long_ago))
    os.utime(mine, (long_ago, long_ago))
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [young.name, mine.name]
