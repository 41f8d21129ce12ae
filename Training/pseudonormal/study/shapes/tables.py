"""What the studies of recipe ``shape`` found, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pseudonormal.study.shapes.arm import AVERAGE, SUPERVISED, WHOLE

Rows = Sequence[Mapping[str, Any]]

NEAR_SUPERVISED = {"head": 0.03, "disc": 0.03, "brain": 0.05}
SIMPLE_TARGET = 0.90
NOISE_GAIN = 0.02


def situations_markdown(rows: Rows) -> str:
    """Generator, rounds and supervised bound of each situation and arm; what was wanted and how far it is met."""
    lines = [
        "| situation | arm | pseudo-labels | after round 1 | 2 | 3 | taken | each seed | in pieces |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    groups = _grouped(rows, "situation", "arm")
    for (situation, arm), found in groups.items():
        after = [row["after"] for row in found]
        rounds = [_mean([row["rounds"][n] for row in found if len(row.get("rounds", ())) > n]) for n in range(3)]
        first = _mean([row["pseudo"] for row in found if "pseudo" in row])
        torn = [row["pieces"] for row in found if "pieces" in row]
        pieces = f"{100 * np.mean(torn):.0f} %" if torn else ""
        seeds = " ".join(f"{one:.3f}" for one in after)
        lines.append(
            f"| {situation} | {arm} | {first} | {' | '.join(rounds)} | **{_mean(after)}** | {seeds} | {pieces} |"
        )
    return "\n".join([*lines, "", *_verdicts(groups)]) + "\n"


def noise_markdown(rows: Rows) -> str:
    """Each loss on the same spoilt masks."""
    lines = ["| loss | Dice | each seed |", "| --- | --- | --- |"]
    groups = _grouped(rows, "loss")
    for (loss,), found in groups.items():
        after = [row["after"] for row in found]
        lines.append(f"| {loss} | {_mean(after)} | {' '.join(f'{one:.3f}' for one in after)} |")
    ours, plain = groups.get(("noise_weighted_dice",)), groups.get(("dice",))
    if ours and plain:
        gain = np.mean([row["after"] for row in ours]) - np.mean([row["after"] for row in plain])
        lines += ["", f"- noise-weighted Dice beats plain Dice by 0.02: {gain:+.3f}, {_met(gain >= NOISE_GAIN)}"]
    return "\n".join(lines) + "\n"


def story_markdown(rows: Rows) -> str:
    """The way from scans without masks to SMILE, step by step."""
    lines = ["| step | Dice | each seed |", "| --- | --- | --- |"]
    for (step,), found in _grouped(rows, "step").items():
        after = [row["after"] for row in found]
        lines.append(f"| {step} | {_mean(after)} | {' '.join(f'{one:.3f}' for one in after)} |")
    return "\n".join(lines) + "\n"


def _verdicts(groups: Mapping[tuple, Rows]) -> list[str]:
    lines = []
    for (situation, arm), found in groups.items():
        whole = groups.get((situation, WHOLE.name))
        if not whole:
            continue
        reached = float(np.mean([row["after"] for row in whole]))
        if arm == SUPERVISED and situation in NEAR_SUPERVISED:
            gap = float(np.mean([row["after"] for row in found])) - reached
            wanted = NEAR_SUPERVISED[situation]
            lines.append(f"- {situation}: within {wanted} of supervised: {gap:+.3f}, {_met(gap <= wanted)}")
        elif arm == WHOLE.name:
            if wanted_at_least := SIMPLE_TARGET if situation in ("head", "disc") else None:
                lines.append(
                    f"- {situation}: at least {wanted_at_least}: {reached:.3f}, {_met(reached >= wanted_at_least)}"
                )
            before = float(np.mean([row["pseudo"] for row in whole]))
            lines.append(f"- {situation}: no iteration costs: {reached - before:.3f}, {_met(reached > before)}")
        elif arm == AVERAGE:
            beyond = reached - float(np.mean([row["after"] for row in found]))
            lines.append(f"- {situation}: worth over the {arm}: {beyond:+.3f}, {_met(beyond > 0)}")
        elif arm != SUPERVISED:
            cost = reached - float(np.mean([row["after"] for row in found]))
            early = float(np.mean([row["pseudo"] for row in whole])) - float(np.mean([row["pseudo"] for row in found]))
            lines.append(f"- {situation}, {arm}: costs {cost:+.3f} (of pseudo-labels {early:+.3f}), {_met(cost > 0)}")
    return lines


def _grouped(rows: Rows, *keys: str) -> dict[tuple, Rows]:
    groups: dict[tuple, list] = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    return {key: sorted(found, key=lambda row: row["seed"]) for key, found in groups.items()}


def _mean(values: Sequence[float]) -> str:
    return f"{np.mean(values):.3f}" if len(values) else ""


def _met(yes: bool) -> str:
    return "met" if yes else "missed"
