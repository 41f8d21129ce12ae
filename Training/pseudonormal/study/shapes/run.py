"""The studies of recipe ``shape`` by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pseudonormal.evaluate.rows import write_atomically
from pseudonormal.study.runner import Runner
from pseudonormal.study.shapes.lesion import lesion_study
from pseudonormal.study.shapes.noise import noise_study
from pseudonormal.study.shapes.organ import organ_study
from pseudonormal.study.shapes.simple import simple_study
from pseudonormal.study.shapes.story import story_study
from pseudonormal.study.shapes.tables import noise_markdown, situations_markdown, story_markdown

Material = Literal["nothing", "heads", "study"]


@dataclass(frozen=True)
class ShapeStudy:
    """A study.

    :param needs: "nothing": it draws everything itself; "heads": a :class:`Situation` of organs; "study": what the
        studies of recipe ``smile`` learn from.
    :param run: gets that material (unless it needs nothing), the runner and the seeds.
    """

    needs: Material
    run: Callable[..., None]
    table: Callable[[Sequence[dict[str, Any]]], str]


SHAPE_STUDIES = {
    "shape-simple": ShapeStudy("nothing", simple_study, situations_markdown),
    "shape-noise": ShapeStudy("nothing", noise_study, noise_markdown),
    "shape-organ": ShapeStudy("heads", organ_study, situations_markdown),
    "shape-lesion": ShapeStudy("study", lesion_study, situations_markdown),
    "shape-story": ShapeStudy("study", story_study, story_markdown),
}


def run_shape_study(name: str, material: Any, runner: Runner, seeds: Sequence[int]) -> str:
    """Do what is left to do of a study, and write ``NAME.md`` into its folder.

    :param material: what the study needs; None where that is nothing.
    :returns: the table, Markdown.
    :raises InputError: the folder cannot be written.
    :raises Stopped: the runner was asked to stop; the next call goes on from there.
    """
    study = SHAPE_STUDIES[name]
    study.run(*(() if material is None else (material,)), runner, seeds)
    table = study.table(runner.rows(name, seeds))
    write_atomically(runner.out / f"{name}.md", table)
    return table
