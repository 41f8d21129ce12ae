"""``pseudonormal masks``: lesion masks that nobody has drawn, and how like real ones they are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pseudonormal.cli.choices import AsJson, Cases, Device, Out
from pseudonormal.cli.places import check_writable
from pseudonormal.cli.progress import Talk


def masks(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run of recipe mask-gan.")],
    cases: Cases,
    out: Out,
    count: Annotated[int, typer.Option("-n", "--count", metavar="N", min=8, help="Masks that are drawn.")] = 200,
    split: Annotated[str, typer.Option(help="Of the real masks to compare with; train was learnt from.")] = "test",
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same masks.")] = 0,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Draw lesion masks with a run of recipe mask-gan and compare them with real ones that it has not seen.

    Each is asked to be as large, and on the side, of a mask that was learnt from. Writes OUT/masks.md (distributions of
    size, elongation and place with two-sample tests, and the nearest mask of the training), OUT/masks.png, and
    OUT/examples.png with real masks above drawn ones.
    """
    check_writable(out)
    import numpy as np

    from pseudonormal.cases import TRAIN, read_cases
    from pseudonormal.evaluate.mask_likeness import likeness, likeness_markdown, likeness_plot
    from pseudonormal.evaluate.rows import write_atomically
    from pseudonormal.models.device import choose_device
    from pseudonormal.recipes.brain_finder import BrainFinder
    from pseudonormal.recipes.mask_gan.checking import SHOWN, write_masks
    from pseudonormal.recipes.mask_gan.drawing import load_mask_gan
    from pseudonormal.recipes.mask_gan.frame import about
    from pseudonormal.recipes.mask_gan.material import mask_gan_material
    from pseudonormal.training.streams import load_streams

    where = choose_device(device)
    listed, finder = read_cases(cases), BrainFinder("brain-mr", where)
    gan = load_mask_gan(run, where)
    rng = np.random.default_rng(seed)
    with Talk(as_json) as talk:
        talk.progress(0, 3, "reading the masks")
        known, unseen = (
            mask_gan_material(load_streams(listed, foreground_of=finder, split=name), gan.options).masks
            for name in (TRAIN, split)
        )
        talk.progress(1, 3, "drawing")
        asked = [about(known[int(place)]) for place in rng.integers(len(known), size=count)]
        drawn = list(gan.masks(np.stack(asked), rng))
        talk.progress(2, 3, "comparing")
        found = likeness(unseen, drawn, known, [float(one[0]) for one in asked])
        table = likeness_markdown(found)
        write_atomically(out / "masks.md", table)
        write_atomically(out / "masks.png", likeness_plot(found))
        write_masks(out / "examples.png", unseen[:SHOWN], drawn[:SHOWN])
        talk.record("result", table=str(out / "masks.md"), copies=found.copies, empty=found.empty)
        talk.lines(*table.splitlines())
