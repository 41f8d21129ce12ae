"""``pseudonormal evaluate --metric``: synthetic images against real ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pseudonormal.cli.places import check_writable
from pseudonormal.cli.progress import Talk
from pseudonormal.errors import InputError

RESOLUTIONS = (24, 48, 96)


@dataclass(frozen=True)
class Wanted:
    """What was asked for.

    :param metrics: mm-fid, mm-std.
    :param synthetic: lists of synthetic cases, ``LIST`` or ``NAME=LIST``.
    :param features: networks to compare by, ``KIND=FILE``; beside those that ship.
    :param resolutions: edges of the slices, in pixels.
    :param rows: show the authors' normalisation too.
    """

    metrics: Sequence[str]
    synthetic: Sequence[str]
    features: Sequence[str]
    resolutions: Sequence[int]
    rows: bool


def measure_realism(cases: Path, out: Path, wanted: Wanted, device: str, talk: Talk) -> None:
    """Compare, and write the tables.

    :raises InputError: something asked for is not known, a file cannot be used, or there are too few images.
    """
    check_writable(out)
    from pseudonormal.cases import read_cases
    from pseudonormal.evaluate.features import default_features, features_of, named_features
    from pseudonormal.evaluate.realism import realism
    from pseudonormal.evaluate.realism_table import METRICS, write_realism
    from pseudonormal.evaluate.slices import real_cases, slices_of_cases
    from pseudonormal.models.bundle import DEFAULT_MODEL
    from pseudonormal.models.device import choose_device
    from pseudonormal.recipes.brain_finder import BrainFinder

    unknown = next((metric for metric in wanted.metrics if metric not in METRICS), None)
    if unknown is not None:
        raise InputError(f"--metric {unknown}: not known; name one of {', '.join(METRICS)}")
    small = next((edge for edge in wanted.resolutions if edge < 16), None)
    if small is not None:
        raise InputError(f"--resolution {small}: give 16 pixels at least")
    if not wanted.synthetic:
        raise InputError("--metric: nothing to compare: give --synthetic LIST, as pseudonormal synthesize writes it")
    lists = dict(_named(word) for word in wanted.synthetic)
    functions = default_features() | named_features(wanted.features)
    finder = BrainFinder(DEFAULT_MODEL, choose_device(device))
    resolutions = list(wanted.resolutions) or list(RESOLUTIONS)
    chosen = {"real": real_cases(read_cases(cases))}
    for name, path in lists.items():
        chosen[name] = [case for case in read_cases(path) if case.synthetic]
        if not chosen[name]:
            raise InputError(f"{path}: marks no case as synthetic: give a list that pseudonormal synthesize wrote")
    found = {}
    for done, (name, some) in enumerate(chosen.items()):
        talk.progress(done, len(chosen) + 1, f"reading {name}")
        found[name] = features_of(slices_of_cases(some, finder), functions, resolutions)
    talk.progress(len(chosen), len(chosen) + 1, "comparing")
    result = realism(found.pop("real"), found)
    table = write_realism(out, result, wanted.metrics, rows=wanted.rows)
    talk.record("result", table=str(out / "realism.md"), slices=result.count)
    talk.lines(*table.splitlines())


def _named(word: str) -> tuple[str, Path]:
    name, equals, path = word.partition("=")
    return (name, Path(path)) if equals else (Path(word).resolve().parent.name, Path(word))
