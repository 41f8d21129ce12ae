"""What the study of recipe ``um`` found, as Markdown and as a picture."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import wilcoxon

from pseudonormal.evaluate.bootstrap import bootstrap_mean
from pseudonormal.evaluate.plots import COLOURS
from pseudonormal.study.markdown import Rows, bullets, cell, some_of, table
from pseudonormal.study.tables import mean_of, seeds_of
from pseudonormal.study.um import ABLATIONS, ARMS, GUIDES, IMPLANTED, LABELS, MASK, NO_SYNTHESIS, SLABS, UM

LEVEL, POINTS, LEAK = 0.05, 2.0, 0.05  # what is to be reached


def um_markdown(rows: Rows) -> str:
    """All tables, with what was to be reached."""
    guides, arms = _by(rows, "what", GUIDES), _by(rows, "arm", ARMS)
    parts = []
    if guides:
        parts += [
            f"Made by each guide ({SLABS} slabs of three slices a seed), beside real test slices.\n",
            _made(guides),
        ]
    if arms:
        parts += [f"A U-Net from {LABELS} drawn slices, with and without synthetic ones, on real test subjects.\n"]
        parts += [_used(arms)]
    parts += [bullets(targets(rows))]
    if any(some_of(rows, what=name) for name in ABLATIONS):
        parts += ["Ablation, first seed.\n", _ablated(rows)]
    if some_of(rows, what=UM):
        parts += ["Control and memory, mean over seeds.\n", bullets(_control(some_of(rows, what=UM)))]
    return "\n".join(parts)


def targets(rows: Rows) -> list[str]:
    """What was to be reached, what was measured, and whether it was."""
    found = []
    mask = some_of(rows, what=MASK)
    for name in (UM, IMPLANTED):
        some = some_of(rows, what=name)
        for entry, better, sign in (("fid", "lower MM-FID", -1), ("std", "higher MM-STD", 1)):
            pairs = _entries(some, mask, entry)
            if pairs:
                said = _compared(pairs, "seed, extractor and resolution", sign, 0.0)
                found.append(f"{name}: {better} than with drawn masks: {said}")
        for other, wanted in ((NO_SYNTHESIS, POINTS), (MASK, 0.0)):
            pairs = [(100 * first, 100 * second) for first, second in _scores(rows, name, other)]
            if pairs:
                words = f"{POINTS:+g} Dice points over no synthesis" if wanted else "more Dice points than drawn masks"
                found.append(f"{name}: {words}: {_compared(pairs, 'seed and subject', 1, wanted)}")
    um = some_of(rows, what=UM)
    if um:
        leak = float(np.mean([row["raised"]["leak"] for row in um]))
        found.append(f"one superpixel raised: less than 5 % elsewhere: {leak:.1%}, {_met(leak < LEAK)}")
    return found


def _compared(pairs: Sequence[tuple[float, float]], of: str, sign: int, wanted: float) -> str:
    """The mean difference, the paired two-sided Wilcoxon test, and whether it is what was wanted.

    :param sign: 1 where more is better, else -1.
    """
    differences = np.array([first - second for first, second in pairs])
    p = float(wilcoxon(differences).pvalue) if differences.any() else 1.0
    gain = float(differences.mean())
    met = sign * gain > 0 and sign * gain >= wanted and p < LEVEL
    return f"{gain:+.2f}, p = {p:.2g} ({len(pairs)} pairs of {of}), {_met(met)}"


def um_plot(rows: Rows) -> bytes:
    """MM-FID, MM-STD and Dice; small points are seeds."""
    figure = Figure(figsize=(9.6, 3.4), layout="constrained")
    panels = figure.subplots(1, 3)
    for axes, name, label in zip(
        panels, ("mm_fid", "mm_std"), ("MM-FID (real = 1)", "MM-STD (real = 1)"), strict=False
    ):
        for place, guide in enumerate(GUIDES):
            values = [row[name][0] for row in some_of(rows, what=guide)]
            _points(axes, place, values)
        axes.axhline(1.0, color="black", linewidth=0.8, linestyle=":")
        axes.set_xticks(range(len(GUIDES)), ["UM", "UM, put in", "drawn mask"])
        axes.set_ylabel(label)
        axes.set_ylim(bottom=0)
    for place, arm in enumerate(ARMS):
        some = some_of(rows, arm=arm)
        if some:
            _points(panels[2], place, list(seeds_of(some, "dice").values()))
    panels[2].set_xticks(range(len(ARMS)), [f"{LABELS} slices", "+ UM", "+ UM, put in", "+ drawn mask"])
    panels[2].set_ylabel("Dice on unseen subjects")
    panels[2].set_ylim(bottom=0)
    for axes in panels:
        axes.grid(alpha=0.3, axis="y")
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110)
    return stream.getvalue()


def _points(axes: Any, place: int, values: Sequence[float]) -> None:
    if values:
        axes.scatter([place], [np.mean(values)], s=60, color=COLOURS[0], zorder=3)
        axes.scatter([place + 0.12] * len(values), values, s=14, color=COLOURS[1], zorder=3)


def _made(groups: Mapping[str, Rows]) -> str:
    head = ["guide", "MM-FID", "each seed", "MM-STD", "each seed", "SSIM", "error", "Dice of the head", "steps"]
    body = []
    for name, some in groups.items():
        cells = []
        for metric in ("mm_fid", "mm_std"):
            values = [row[metric][0] for row in some]
            cells += [f"{np.mean(values):.2f}", " ".join(f"{value:.2f}" for value in values)]
        again = [_again(some, metric) for metric in ("ssim", "error", "dice")]
        body.append([name, *cells, *again, f"{np.mean([row['steps'] for row in some]):.0f}"])
    first = next(iter(groups.values()))[0]["real_training"]
    body.append(
        [
            "(real training slices)",
            *(cell for m in ("mm_fid", "mm_std") for cell in (f"{first[m][0]:.2f}", "")),
            "",
            "",
            "",
            "",
        ]
    )
    return table(head, body)


def _again(rows: Rows, metric: str) -> str:
    """Of test scans made from their own guides: mean over subjects and its interval."""
    known = [one for row in rows for one in row["again"] if metric in one]
    return cell(bootstrap_mean([float(one[metric]) for one in known], [str(one["subject"]) for one in known]))


def _used(groups: Mapping[str, Rows]) -> str:
    head = ["synthetic slices", "Dice", "each seed", "glioma and MS subjects"]
    body = []
    for arm, some in groups.items():
        seeds = " ".join(f"{value:.3f}" for value in seeds_of(some, "dice").values())
        subjects: dict[str, list[float]] = {}
        for one in (score for row in some for score in row["scores"]):
            subjects.setdefault(str(one["subject"]), []).append(float(one["dice"]))
        each = " ".join(f"{name} {np.mean(values):.2f}" for name, values in sorted(subjects.items()))
        body.append([arm, cell(mean_of(some, "dice")), seeds, each])
    return table(head, body)


def _ablated(rows: Rows) -> str:
    first = min(row["seed"] for row in rows)
    head = ["changed", "MM-FID", "MM-STD", "SSIM", "Dice of the head", "leak", "steps"]
    body = []
    for name in (UM, *ABLATIONS):
        for row in some_of(rows, what=name, seed=first):
            cells = [f"{row['mm_fid'][0]:.2f}", f"{row['mm_std'][0]:.2f}", _again([row], "ssim"), _again([row], "dice")]
            body.append([name, *cells, f"{row['raised']['leak']:.1%}", str(row["steps"])])
    return table(head, body)


def _control(rows: Rows) -> list[str]:
    mean = {
        group: {key: float(np.nanmean([row[group][key] for row in rows if row[group][key] is not None]))
                for key in rows[0][group]}
        for group in ("raised", "moved", "memory")
    }  # fmt: skip
    r, m, d = mean["raised"], mean["moved"], mean["memory"]
    raised = f"by {r['inside']:.3f} there and by {r['outside']:.4f} elsewhere in the foreground ({r['leak']:.1%})"
    moved = [
        f"in the {m['slices']:.1f} of {m['tried']:.1f} slices whose lesion the head finds",
        f"of the old place {m['old_before']:.0%} is called lesion before and {m['old_after']:.0%} after",
        f"of the new one {m['new_before']:.0%} and {m['new_after']:.0%}",
        f"IoU of mask and new place {m['iou']:.2f}",
    ]
    distance = [
        f"synthetic {d['made']:.3f}",
        f"real test slices {d['test']:.3f}",
        f"training slices of other subjects {d['others']:.3f}",
        f"the next slice of the same scan {d['next']:.3f}",
    ]
    return [
        f"one superpixel 40 grey levels brighter changes the image {raised}",
        f"a lesion moved to the other side: {', '.join(moved)}",
        f"distance to the nearest training slice (RMS, 32 x 32 pixels, [-1, 1]): {', '.join(distance)}",
    ]


def _by(rows: Rows, field: str, names: Sequence[str] | Mapping[str, Any]) -> dict[str, Rows]:
    found = {name: some_of([row for row in rows if field in row], **{field: name}) for name in names}
    return {name: some for name, some in found.items() if some}


def _entries(first: Rows, second: Rows, name: str) -> list[tuple[float, float]]:
    """Normalised scores of two guides by seed, extractor and resolution."""
    others = {int(row["seed"]): row[name] for row in second}
    return [(row[name][key], others[row["seed"]][key]) for row in first if row["seed"] in others for key in row[name]]


def _scores(rows: Rows, arm: str, other: str) -> list[tuple[float, float]]:
    known = {
        (row["seed"], one["case"]): one["dice"] for row in rows if row.get("arm") == other for one in row["scores"]
    }
    return [
        (one["dice"], known[row["seed"], one["case"]])
        for row in rows
        if row.get("arm") == arm
        for one in row["scores"]
        if (row["seed"], one["case"]) in known
    ]


def _met(met: bool) -> str:
    return "met" if met else "missed"
