"""What the study of recipe ``translation`` found, as Markdown and as a picture."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from scipy.stats import wilcoxon

from pseudonormal.recipes.translation.options import TRANSLATORS
from pseudonormal.study.markdown import Rows, bullets, cell, some_of, table, target
from pseudonormal.study.tables import mean_of, seeds_of
from pseudonormal.study.translation import ARMS, NONE, TRANSPLANT

GAIN = 0.055  # the paper: 72.8 against 67.3
FOUND, FOLLOWED, LEAK = 0.8, 0.5, 0.02  # what labels are to be shown by


def translation_markdown(rows: Rows) -> str:
    """Every arm at every number of drawn scans, what was to be reached, and how consistent translators are."""
    parts = []
    for count in counts_of(rows):
        parts += [f"{count} drawn scans.\n", _arms(some_of(rows, count=count))]
    parts += [bullets(targets(rows))]
    consistent = [row for row in rows if "translator" in row]
    if consistent:
        parts += ["What images show of their maps, mean over seeds.\n", _consistency(consistent), _ceiling(consistent)]
    return "\n".join(parts)


def counts_of(rows: Rows) -> list[int]:
    """The numbers of drawn scans, least first."""
    return sorted({int(row["count"]) for row in rows if "count" in row})


def targets(rows: Rows) -> list[str]:
    """What was to be reached with the fewest drawn scans, what was measured, and whether it was."""
    counts = counts_of(rows)
    if not counts:
        return []
    few = some_of(rows, count=counts[0])
    means = {arm: mean_of(some, "dice").mean for arm in ARMS if (some := some_of(few, arm=arm))}
    made = {arm: mean for arm, mean in means.items() if arm not in (NONE, TRANSPLANT)}
    found = []
    if made:
        best = max(made, key=lambda arm: made[arm])
        for other, wanted, words in (
            (NONE, GAIN, f"the best synthetic arm ({best}) at least +0.055 Dice over none"),
            (TRANSPLANT, 0.0, f"and not below transplantation ({best})"),
        ):
            if other in means:
                gain = made[best] - means[other]
                found.append(target(words, gain, gain >= wanted))
    return found


def translation_plot(rows: Rows) -> bytes:
    """Dice by the number of drawn scans, a line an arm; small points are seeds, the dotted line is between readers."""
    figure = Figure(figsize=(7.5, 4.2), layout="constrained")
    axes = figure.subplots()
    counts = counts_of(rows)
    for arm, colour in zip(ARMS, colormaps["tab10"].colors, strict=False):  # type: ignore[attr-defined]  # a list of colours
        some = some_of(rows, arm=arm)
        here = [count for count in counts if some_of(some, count=count)]
        if not here:
            continue
        groups = [some_of(some, count=count) for count in here]
        style = "--" if arm in (NONE, TRANSPLANT) else "-"
        axes.plot(here, [mean_of(group, "dice").mean for group in groups], style, marker="o", color=colour, label=arm)
        for count, group in zip(here, groups, strict=True):
            values = list(seeds_of(group, "dice").values())
            axes.scatter([count] * len(values), values, s=8, color=colour, alpha=0.5)
    reader = next((float(row["reader"]) for row in rows if row.get("reader")), None)
    if reader is not None:
        axes.axhline(reader, color="black", linestyle=":", linewidth=1.0, label="between readers")
    axes.set_xticks(counts)
    axes.set_xlabel("drawn scans")
    axes.set_ylabel("Dice on unseen subjects")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize=8, ncols=2)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110)
    return stream.getvalue()


def _arms(rows: Rows) -> str:
    body = []
    none = _by_subject(some_of(rows, arm=NONE))
    for arm in ARMS:
        some = some_of(rows, arm=arm)
        if not some:
            continue
        seeds = list(seeds_of(some, "dice").values())
        own = _by_subject(some)
        pairs = [(own[which], none[which]) for which in own if which in none]
        gain = [float(np.mean([a - b for a, b in pairs]))] if pairs and arm != NONE else []
        body.append([
            arm,
            cell(mean_of(some, "dice")),
            f"{np.std(seeds):.3f}",
            f"{mean_of(some, 'dice_half').mean:.3f}",
            cell(mean_of(some, "lesion_f1")),
            *([f"{100 * gain[0]:+.1f}", f"{_p(pairs):.2g}"] if gain else ["", ""]),
            _real_subjects(some),
        ])  # fmt: skip
    head = [
        "arm",
        "Dice",
        "± over seeds",
        "at one half",
        "lesion-wise F1",
        "points over none",
        "p (paired)",
        "real subjects",
    ]
    return table(head, body)


def _real_subjects(rows: Rows) -> str:
    """Mean Dice of each, over its scans and the seeds."""
    scores: dict[str, list[float]] = {}
    for one in (score for row in rows for score in row["scores"] if score["kind"] == "real"):
        scores.setdefault(str(one["subject"]), []).append(float(one["dice"]))
    return " ".join(f"{subject} {np.mean(values):.2f}" for subject, values in sorted(scores.items()))


def _consistency(rows: Rows) -> str:
    body = []
    for translator in TRANSLATORS:
        some = some_of(rows, translator=translator)
        if some:
            numbers = {
                name: float(np.nanmean([_number(row[name]) for row in some]))
                for name in ("found", "followed", "leak", "found_elsewhere")
            }
            fine = numbers["found"] >= FOUND, numbers["followed"] > FOLLOWED, numbers["leak"] < LEAK
            shown = f"{numbers['found']:.2f}", f"{numbers['followed']:.2f}", f"{numbers['leak']:.1%}"
            cells = [f"{text}, {'met' if met else 'missed'}" for text, met in zip(shown, fine, strict=True)]
            body.append([translator, *cells, f"{numbers['found_elsewhere']:.2f}"])
    wanted = ["label found (Dice, 0.8)", "label followed (IoU, 0.5)", "change elsewhere (2 %)"]
    head = ["translator", *wanted, "label found in heads of label maps"]
    return table(head, body)


def _ceiling(rows: Rows) -> str:
    """What the segmentor that looks at synthetic scans finds in the real ones that it learnt from."""
    found = [float(np.mean(row["found_real"])) for row in rows if row.get("found_real")]
    if not found:
        return ""
    return f"In the real scans, which it has learnt from, the same segmentor's Dice is {np.mean(found):.2f}.\n"


def _by_subject(rows: Rows) -> dict[tuple[int, str], float]:
    """Dice by seed and test subject, mean over the subject's scans."""
    scores: dict[tuple[int, str], list[float]] = {}
    for row in rows:
        for one in row["scores"]:
            scores.setdefault((int(row["seed"]), str(one["subject"])), []).append(float(one["dice"]))
    return {which: float(np.mean(values)) for which, values in scores.items()}


def _p(pairs: list[tuple[float, float]]) -> float:
    apart = [first - second for first, second in pairs]
    return float(wilcoxon(apart).pvalue) if any(apart) else 1.0


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)
