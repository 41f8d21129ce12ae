"""What the studies found, as Markdown: means over subjects and seeds, and every seed."""

from __future__ import annotations

import math

import numpy as np

from pseudonormal.evaluate.bootstrap import Interval, bootstrap_mean
from pseudonormal.study import ablation, augmentation
from pseudonormal.study.markdown import Rows, bullets, cell, some_of, table, target

KINDS = ("real", "painted")
DICE_WITHIN, DECIBELS_WITHIN, GAIN = 0.02, 0.3, 0.06  # what the label study and the augmentation are to reach
METRICS = ("dice", "psnr_void", "psnr_guided")


def mean_of(rows: Rows, metric: str, kind: str | None = None) -> Interval:
    """A metric's mean over subjects, and its interval over subjects; seeds are averaged within a subject.

    :param kind: "real" or "painted"; None: both.
    """
    scores = [one for row in rows for one in row["scores"] if kind in (None, one["kind"])]
    known = [one for one in scores if one.get(metric) is not None]
    return bootstrap_mean([float(one[metric]) for one in known], [str(one["subject"]) for one in known])


def seeds_of(rows: Rows, metric: str, kind: str | None = None) -> dict[int, float]:
    """A metric's mean over subjects, for each seed."""
    seeds = sorted({int(row["seed"]) for row in rows})
    return {seed: mean_of([row for row in rows if row["seed"] == seed], metric, kind).mean for seed in seeds}


def labels_markdown(rows: Rows) -> str:
    """The label study: shares with and without unlabelled scans, and what was to be reached."""
    head = ["masks", "unlabelled scans", "Dice", "real", "painted", "each seed", "PSNR void", "PSNR guided", "steps"]
    body = []
    for share, unlabelled in sorted({(row["share"], row["unlabelled"]) for row in rows}):
        some = some_of(rows, share=share, unlabelled=unlabelled)
        seeds = " ".join(f"{value:.3f}" for value in seeds_of(some, "dice").values())
        numbers = [cell(mean_of(some, "dice", kind)) for kind in (None, *KINDS)]
        decibels = [cell(mean_of(some, metric), 2) for metric in METRICS[1:]]
        steps = f"{np.mean([row['steps'] for row in some]):.0f}"
        body.append([f"{share:.0%}", "with" if unlabelled else "without", *numbers, seeds, *decibels, steps])
    fill = f"Biharmonic fill: {cell(mean_of(rows, 'psnr_fill'), 2)} dB.\n" if rows else ""
    return table(head, body) + "\n" + fill + "\n" + bullets(label_targets(rows))


def label_targets(rows: Rows) -> list[str]:
    """What was to be reached, what was measured, and whether it was."""
    whole = some_of(rows, share=1.0, unlabelled=True)
    half = some_of(rows, share=0.5, unlabelled=True)
    found = []
    if whole and half:
        points = mean_of(whole, "dice").mean - mean_of(half, "dice").mean
        lost = [mean_of(whole, metric).mean - mean_of(half, metric).mean for metric in METRICS[1:]]
        found.append(target("half of the masks costs at most 0.02 Dice", points, points <= DICE_WITHIN))
        found.append(target("half of the masks costs at most 0.3 dB", max(lost), max(lost) <= DECIBELS_WITHIN))
    few = [seeds_of(some_of(rows, share=0.25, unlabelled=one), "dice") for one in (False, True)]
    gains = {seed: few[1][seed] - few[0][seed] for seed in few[0] if seed in few[1]}
    if gains:
        each = ", ".join(f"seed {seed}: {gain:+.3f}" for seed, gain in gains.items())
        mean = float(np.mean(list(gains.values())))
        found.append(target(f"unlabelled scans help with a quarter of the masks ({each})", mean, mean > 0))
    return found


def augmentation_markdown(rows: Rows) -> str:
    """The augmentation study, and what was to be reached."""
    body = []
    for arm in augmentation.ARMS:
        some = some_of(rows, arm=arm)
        if some:
            seeds = " ".join(f"{value:.3f}" for value in seeds_of(some, "dice").values())
            body.append([arm.replace("_", "-"), *(cell(mean_of(some, "dice", kind)) for kind in (None, *KINDS)), seeds])
    others = {arm: mean_of(some_of(rows, arm=arm), "dice").mean for arm in augmentation.ARMS if some_of(rows, arm=arm)}
    ours = others.pop(augmentation.SMILE_ARM, None)
    said = []
    if ours is not None and others:
        best = max(others, key=lambda arm: others[arm])
        gain = ours / others[best] - 1 if others[best] else math.inf
        said.append(target(f"at least 6 % better than the best other arm ({best})", gain, gain >= GAIN))
    return table(["augmentation", "Dice", "real", "painted", "each seed"], body) + "\n" + bullets(said)


def ablation_markdown(rows: Rows) -> str:
    """The ablation: the whole recipe, and the difference that each part makes, subject by subject."""
    whole = some_of(rows, without=ablation.WHOLE)
    body = []
    for without in ablation.VARIANTS:
        some = some_of(rows, without=without)
        if not some:
            continue
        cells = [cell(mean_of(some, "dice"))]
        for metric, digits in zip(METRICS, (3, 2, 2), strict=True):
            cells.append("" if without == ablation.WHOLE else cell(_difference(some, whole, metric), digits, sign="+"))
        body.append([without, *cells])
    return table(["left out", "Dice", "Δ Dice", "Δ PSNR void", "Δ PSNR guided"], body)


def loop_markdown(rows: Rows) -> str:
    """The loop: round by round, in both orders."""
    head = [
        "order",
        "round",
        "cases drawn",
        "voxels to correct in a waiting case",
        "corrected in a case",
        "Dice",
        "real",
    ]
    body = []
    for order, number in sorted({(row["order"], row["round"]) for row in rows}):
        some = some_of(rows, order=order, round=number)
        taken = [case["wrong"] for row in some for case in row["taken"]]
        numbers = [f"{np.mean([row['wrong_waiting'] for row in some]):.0f}", f"{np.mean(taken):.0f}" if taken else ""]
        drawn = f"{np.mean([row['drawn'] for row in some]):.0f}"
        scores = [cell(mean_of(some, "dice", kind)) for kind in (None, "real")]
        body.append([order, str(number), drawn, *numbers, *scores])
    return table(head, body)


def _difference(rows: Rows, whole: Rows, metric: str) -> Interval:
    """Of the same scans and seeds."""
    known = {(row["seed"], one["case"]): one[metric] for row in whole for one in row["scores"]}
    pairs = [
        (float(one[metric]) - float(known[row["seed"], one["case"]]), str(one["subject"]))
        for row in rows
        for one in row["scores"]
        if known.get((row["seed"], one["case"])) is not None and one.get(metric) is not None
    ]
    return bootstrap_mean([value for value, _ in pairs], [subject for _, subject in pairs])
