"""``pseudonormal demo``: the way of a scan, with a truth to hold the result against."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pseudonormal.cli.choices import Device, Out
from pseudonormal.cli.cores import use_all_cores
from pseudonormal.cli.places import check_writable, sweep
from pseudonormal.cli.progress import Talk

if TYPE_CHECKING:
    from pseudonormal.demo.compare import Line
    from pseudonormal.demo.scene import Scene
    from pseudonormal.generate.pipeline import Result
    from pseudonormal.models.bundle import Model
    from pseudonormal.report.model import Report

STEPS = 11  # scene, model, two results, seven classical fills


def demo(
    out: Out = Path("demo"),
    model: Annotated[str, typer.Option(metavar="NAME", help="Name or folder of a model.")] = "brain-mr",
    device: Device = "auto",
) -> None:
    """Try it on a real brain with a simulated lesion whose truth is known.

    The brain is the MNI152 template that nilearn ships, bent a little and with noise, as people and scanners are. It
    goes through generate twice: with the known lesion mask, for the errors beside every classical fill, and without
    it, for what the model finds by itself.
    """
    check_writable(out)
    with Talk(as_json=False) as talk:
        talk.progress(0, STEPS, "loading")
        from pseudonormal.demo.compare import compare
        from pseudonormal.demo.scene import Scene, make_scene
        from pseudonormal.models.bundle import load_model
        from pseudonormal.models.device import choose_device
        from pseudonormal.report.model import NOTICE
        from pseudonormal.scan.atomic import OutputFolder

        use_all_cores()
        loaded = load_model(model, choose_device(device))
        talk.progress(1, STEPS, "a lesion in the MNI152 brain")
        sweep(out)
        with OutputFolder(out / "scene") as folder:
            make_scene(folder)
        scene = Scene.at(out / "scene")
        given, _ = _generate(scene, out, "known_mask", loaded, talk, 2, masked=True)
        found, report = _generate(scene, out, "found_by_the_model", loaded, talk, 3, masked=False)
        lines = []
        for line in compare(scene, loaded, given, given.timings["restore"]):
            lines.append(line)
            talk.progress(3 + len(lines), STEPS, "comparing with the classical fills")
        picture = _draw(scene, given, out)
    _print(lines)
    talk.lines(
        *_words(given, found, report),
        f"picture: {picture}",
        f"reports: {out / 'known_mask' / 'report.html'}, {out / 'found_by_the_model' / 'report.html'}",
        "next: pseudonormal generate YOUR_SCAN.nii.gz -o results",
    )
    talk.lines(NOTICE, quiet=True)


def _generate(
    scene: Scene, out: Path, case: str, model: Model, talk: Talk, step: int, *, masked: bool
) -> tuple[Result, Report]:
    """The same as ``pseudonormal generate`` does."""
    from pseudonormal.generate.outputs import write_result
    from pseudonormal.generate.pipeline import Options, generate

    options = Options(mask=scene.mask if masked else None)
    what = "with the known mask" if masked else "without a mask"
    result = generate(scene.scan, model, options, lambda stage: talk.progress(step, STEPS, f"{what}: {stage}"))
    return result, write_result(result, out, case, model, options)


def _draw(scene: Scene, result: Result, out: Path) -> Path:
    from pseudonormal.demo.picture import demo_picture
    from pseudonormal.scan.atomic import atomic_file
    from pseudonormal.scan.reading import read_scan

    truth = read_scan(scene.truth).array
    picture = demo_picture(
        result.scan.array, truth, result.pseudo_normal, result.difference, result.lesion, result.scan.geometry
    )
    with atomic_file(out / "demo.png") as stream:
        stream.write(picture)
    return out / "demo.png"


def _print(lines: list[Line]) -> None:
    """The errors as a table, best first."""
    from rich.console import Console
    from rich.table import Table

    title = "Error inside the lesion, known mask; the brain spans 0 to 1"
    table = Table(title=title, title_justify="left")
    for column in ("", "mean absolute error", "PSNR dB", "seconds"):
        table.add_column(column, justify="left" if not column else "right")
    for line in sorted(lines, key=lambda line: -line.psnr_db):
        cells = line.name, f"{line.mae:.4f}", f"{line.psnr_db:.2f}", f"{line.seconds:.1f}"
        table.add_row(*cells, style="bold" if line is lines[0] else None)
    Console().print(table)


def _words(masked: Result, found: Result, report: Report) -> list[str]:
    """What the model found by itself, held against the truth."""
    from pseudonormal.evaluate.detection import dice
    from pseudonormal.report.writing import millilitres, summary

    known = masked.findings[0]
    overlap = dice(found.lesion, masked.lesion)
    return [
        f"The lesion: {millilitres(known.volume_ml)} ml, {known.position}.",
        f"Without a mask the model says: {summary(report)} Overlap with the true lesion (Dice): {overlap:.2f}.",
    ]
