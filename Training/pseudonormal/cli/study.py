"""``pseudonormal study``: the experiments behind the recipes and the review's order, to be made again."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pseudonormal.cli.choices import AsJson, Device, Out
from pseudonormal.cli.cores import use_all_cores
from pseudonormal.cli.failure import INTERRUPTED
from pseudonormal.cli.places import check_writable
from pseudonormal.cli.progress import Talk
from pseudonormal.errors import InputError

if TYPE_CHECKING:
    from pseudonormal.cases import Case

Name = Literal[
    "labels", "augmentation", "ablation", "loop", "um", "translation",
    "shape-simple", "shape-noise", "shape-organ", "shape-lesion", "shape-story",
]  # fmt: skip


def study(
    name: Annotated[
        Name,
        typer.Argument(
            metavar="STUDY",
            help="labels, augmentation, ablation, loop, um, translation; shape-simple, -noise, -organ, -lesion, -story",
        ),
    ],
    out: Out,
    data: Annotated[
        list[Path] | None,
        typer.Argument(metavar="CASES...", help="CSV lists of cases, with splits; shape-simple and -noise need none."),
    ] = None,
    minutes: Annotated[float, typer.Option(metavar="N", min=0.01, help="Minutes of each training, at most.")] = 4.0,
    steps: Annotated[
        int, typer.Option(metavar="N", min=1, help="Steps of each training, at most: alike on a busy machine too.")
    ] = 100_000,
    seeds: Annotated[
        int, typer.Option(metavar="N", min=1, help="How often each training is repeated, with another seed.")
    ] = 3,
    first_seed: Annotated[
        int,
        typer.Option(metavar="N", min=0, help="The first of these seeds: fresh ones confirm what others suggested."),
    ] = 0,
    contrast: Annotated[str, typer.Option(metavar="NAME", help="The real scans that take part.")] = "flair",
    part: Annotated[
        str, typer.Option(metavar="K/N", help="Do every N-th training, from the K-th: N such calls share the work.")
    ] = "1/1",
    reader: Annotated[
        float | None,
        typer.Option(metavar="DICE", min=0, max=1, help="Dice between two readers, a line in the plot of translation."),
    ] = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Repeat an experiment: many short trainings of a recipe in 2D, judged on subjects that none has seen.

    labels: 10, 25, 50 and 100 % of the masks, with and without unlabelled scans. augmentation: a segmentor of its own
    without augmentation, with the usual one and with one by pseudo-normals. ablation: each loss and stream left out
    once. loop: masks corrected case after case with retraining in between, in the worklist's order and in a random one.
    um: recipe um beside synthesis from drawn masks, ablated, and a segmentor with and without what it makes.
    translation: a segmentor from few drawn scans, alone, with transplanted lesions, and with the synthetic scans of
    each translator, of recipe smile's painter and of recipe um.

    shape-*: recipe shape on drawn pictures (simple), on labels that are spoilt (noise), for brains in whole heads
    (organ) and tumours (lesion), and from no mask at all to recipe smile (story).

    Takes the real scans of one contrast, and label maps (column labels), from which further subjects are painted.
    Writes STUDY.md and STUDY.png into OUT. A call that was interrupted goes on where it stopped.
    """
    shared = _part(part)
    check_writable(out)
    from pseudonormal.cases import read_lists
    from pseudonormal.models.device import choose_device
    from pseudonormal.study.run import run_study
    from pseudonormal.study.runner import Runner
    from pseudonormal.study.shapes.run import SHAPE_STUDIES, run_shape_study
    from pseudonormal.training.interrupt import Stopped, stop_on_interrupt

    cases, repeated = read_lists(data or []), range(first_seed, first_seed + seeds)
    use_all_cores()
    where = choose_device(device)
    with Talk(as_json) as talk:
        material, about = _material(name, cases, contrast, out, str(where), talk)
        with stop_on_interrupt() as stop:
            runner = Runner(
                out, minutes, steps, str(where), about, part=shared, stop=stop,
                progress=lambda training, done: talk.progress(done, 1, training),
            )  # fmt: skip
            try:
                table = (
                    run_shape_study(name, material, runner, repeated)
                    if name in SHAPE_STUDIES
                    else run_study(name, material, runner, repeated, reader)
                )
            except Stopped:
                talk.record("stopped", folder=str(out))
                talk.lines(f"stopped: {out}; the same command goes on")
                raise typer.Exit(INTERRUPTED) from None
        talk.record("result", table=str(out / f"{name}.md"), trainings=len(runner.rows(name, repeated)))
        talk.lines(*table.splitlines())


def _material(name: str, cases: list[Case], contrast: str, out: Path, device: str, talk: Talk) -> tuple[Any, str]:
    """What a study learns from, and a word that changes with it.

    :raises InputError: it needs cases and none are given, or they do not suffice.
    """
    from pseudonormal.models.bundle import DEFAULT_MODEL
    from pseudonormal.models.device import choose_device
    from pseudonormal.recipes.brain_finder import BrainFinder
    from pseudonormal.study.run import load_material
    from pseudonormal.study.shapes.organ import organ_situation
    from pseudonormal.study.shapes.run import SHAPE_STUDIES

    needs = SHAPE_STUDIES[name].needs if name in SHAPE_STUDIES else "study"
    if needs == "nothing":
        return None, "drawn"
    if not cases:
        raise InputError(f"study {name}: needs lists of cases: name them after it")
    finder = BrainFinder(DEFAULT_MODEL, choose_device(device))

    def reading(case: str) -> None:
        talk.progress(0, 1, f"reading {case}")

    if needs == "heads":
        situation = organ_situation(cases, finder, reading)
        return situation, situation.fingerprint
    material = load_material(out, cases, contrast, finder, reading)
    return material, material.fingerprint


def _part(text: str) -> tuple[int, int]:
    """Which part of how many.

    :raises InputError: the text is not K/N.
    """
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise InputError(f"--part {text}: write K/N with K from 1 to N: for instance 1/2 in one call, 2/2 in the other")
    return int(found[1]), int(found[2])
