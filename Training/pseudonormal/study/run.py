"""A study from its list of cases to its table and plot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pseudonormal.cases import Case
from pseudonormal.evaluate.rows import write_atomically
from pseudonormal.study.ablation import ablation_study
from pseudonormal.study.augmentation import augmentation_study
from pseudonormal.study.keeping import material_file, read_material, write_material
from pseudonormal.study.labels import label_study
from pseudonormal.study.loop import loop_study
from pseudonormal.study.material import StudyMaterial, study_material
from pseudonormal.study.plots import labels_plot, loop_plot
from pseudonormal.study.runner import Runner
from pseudonormal.study.scores import Judge
from pseudonormal.study.tables import ablation_markdown, augmentation_markdown, labels_markdown, loop_markdown
from pseudonormal.study.translation import translation_study
from pseudonormal.study.translation_tables import translation_markdown, translation_plot
from pseudonormal.study.um import um_study
from pseudonormal.study.um_tables import um_markdown, um_plot
from pseudonormal.training.references import FindForeground

Run = Callable[[StudyMaterial, Judge, Runner, Sequence[int]], None]


@dataclass(frozen=True)
class Study:
    """A study: what it does and how its rows are shown."""

    run: Run
    table: Callable[[Sequence[dict[str, Any]]], str]
    plot: Callable[[Sequence[dict[str, Any]]], bytes] | None = None


STUDIES = {
    "labels": Study(label_study, labels_markdown, labels_plot),
    "augmentation": Study(augmentation_study, augmentation_markdown),
    "ablation": Study(ablation_study, ablation_markdown),
    "loop": Study(loop_study, loop_markdown, loop_plot),
    "translation": Study(translation_study, translation_markdown, translation_plot),
    "um": Study(um_study, um_markdown, um_plot),
}


def load_material(
    out: Path, cases: Sequence[Case], contrast: str, foreground_of: FindForeground, progress: Callable[[str], None]
) -> StudyMaterial:
    """The scans of a study, kept in ``out`` from the first call on.

    :raises InputError: see :func:`pseudonormal.study.material.study_material`.
    """
    path = material_file(out, cases, contrast)
    material = read_material(path)
    if material is None:
        material = study_material(cases, foreground_of, contrast, progress)
        write_material(path, material)
    return material


def run_study(
    name: str, material: StudyMaterial, runner: Runner, seeds: Sequence[int], reader: float | None = None
) -> str:
    """Do what is left to do of a study, and write ``NAME.md`` and ``NAME.png`` into its folder.

    :param reader: Dice between two people who draw, for the plots that show it.
    :returns: the table, Markdown.
    :raises InputError: the folder cannot be written.
    :raises Stopped: the runner was asked to stop; the next call goes on from there.
    """
    study = STUDIES[name]
    study.run(material, Judge(material.validation, material.test, material.shapes), runner, seeds)
    rows = [{**row, "reader": reader} for row in runner.rows(name, seeds)]
    table = study.table(rows)
    write_atomically(runner.out / f"{name}.md", table)
    if study.plot is not None and rows:
        write_atomically(runner.out / f"{name}.png", study.plot(rows))
    return table
