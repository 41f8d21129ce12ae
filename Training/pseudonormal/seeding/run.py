"""From scans without masks to seed masks: rounds of noise-robust learning, files, and the case store."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

from pseudonormal.cases import Case
from pseudonormal.errors import InputError
from pseudonormal.recipes.shape.generator import Generator
from pseudonormal.recipes.shape.learning import NETWORKS, LearningOptions
from pseudonormal.recipes.shape.reading import opened
from pseudonormal.recipes.shape.rounds import Round, best_of, rounds
from pseudonormal.scan.atomic import atomic_file
from pseudonormal.seeding.material import seeding_material, taught
from pseudonormal.seeding.writing import MASK, WEIGHT, Seed, write_list, write_seed
from pseudonormal.store.store import Store
from pseudonormal.training.settings import Settings
from pseudonormal.training.streams import Streams
from pseudonormal.training.trainable import Trainable
from pseudonormal.training.trained import trained

MODEL = "shape"  # who proposed these masks, as the store says it
ROUNDS_FILE = "rounds.json"
SETTINGS = Settings(minutes=15, steps=1500, batch=8, reuse=4, pool=200, learning_rate=4e-3, average=0.99)


@dataclass(frozen=True)
class Order:
    """What is wanted.

    :param out: folder of masks, list and rounds.
    :param settings: of each round.
    :param learning: how a round learns.
    :param rounds: at most.
    :param fine_mm: voxels that the rounds learn in, where the frame's are larger.
    :param device: "cpu" or a GPU.
    :param progress: told of what is going on: how much of it is done, and a few words.
    :param stop: once it is set, what is going on is saved and ended.
    """

    out: Path
    settings: Settings
    learning: LearningOptions
    rounds: int
    fine_mm: float
    device: str
    progress: Callable[[float, str], None]
    warn: Callable[[str], None]
    stop: threading.Event


def seed(streams: Streams, generator: Generator, order: Order) -> list[Seed]:
    """Make seed masks for all scans without a mask.

    A call that was interrupted goes on where it was: rounds that have ended are not made again.

    :raises InputError: no scan needs a mask, one cannot be used, or the folder cannot be written.
    :raises Stopped: ``stop`` was set.
    """
    options = generator.options
    order.progress(0.0, "reading the scans")
    material, cases = seeding_material(streams, options, order.fine_mm)
    wanted = taught(cases)
    if not wanted:
        raise InputError("every scan of these cases has a mask already: list scans without one")
    told: list[Round] = []
    made = rounds(
        material, generator.networks, options, replace(order.learning, dimensions=options.dimensions),
        lambda name, recipe, before: _learn(name, recipe, before, order), most=order.rounds, told=told.append,
    )  # fmt: skip
    best = best_of(made)
    _write_rounds(order.out, made, best)
    found = [*best.labels, *best.held_out]
    shown = [*(material.fine or material.scans), *(material.fine_held_out or material.held_out)]
    if best.number == 0:
        shown = [*material.scans, *material.held_out]
    seeds = []
    for done, place in enumerate(wanted):
        order.progress(done / len(wanted), f"writing {cases[place].case}")
        scan = opened(cases[place], options, streams.foreground_of)
        seeds.append(write_seed(order.out, scan, shown[place], found[place], options))
    write_list(order.out, [*streams.cases, *streams.kept_aside], [one.case for one in seeds])
    return seeds


def into_store(store: Store, out: Path, cases: Sequence[Case], seeds: Sequence[Seed]) -> tuple[int, int]:
    """Take seed masks into the case store as seed revisions with their weights, which decide when they are due.

    Scans that the store has already are passed over, so that an interrupted call can be made again.

    :returns: how many were added, and how many the store had.
    :raises InputError: the store cannot be written.
    """
    by_name = {case.case: case for case in cases}
    added = 0
    for one in seeds:
        case = by_name[one.case]
        assert case.image is not None
        if store.find_case(case.image) is not None:
            continue
        store.add_case(
            case.image,
            mask=out / one.case / MASK,
            weights=out / one.case / WEIGHT,
            model=MODEL,
            subject=case.subject,
            contrast=case.extra.get("contrast", ""),
        )
        added += 1
    return added, len(seeds) - added


def _learn(name: str, recipe: Trainable, before: str | None, order: Order) -> Mapping[str, nn.Module]:
    folder = order.out / "rounds"
    start = {} if before is None else {network: folder / before / f"{network}.safetensors" for network in NETWORKS}
    settings = replace(order.settings, device=order.device)
    return trained(
        recipe, folder / name, settings, start=start, warn=order.warn, stop=order.stop,
        progress=lambda line: order.progress(line["done"], name.replace("_", " ")),
    )  # fmt: skip


def _write_rounds(out: Path, made: Sequence[Round], best: Round) -> None:
    """``OUT/rounds.json``: the estimate after each round, and which one the masks are of."""
    content = {"estimates": [one.estimate for one in made], "taken": best.number}
    with atomic_file(out / ROUNDS_FILE) as stream:
        stream.write((json.dumps(content, indent=1) + "\n").encode())
