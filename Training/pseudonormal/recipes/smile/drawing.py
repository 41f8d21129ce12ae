"""Samples of recipe ``smile``, each of one stream: simulated, labelled, unlabelled, normal or rehearsal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import cycle
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.fills.biharmonic import biharmonic_fill
from pseudonormal.fills.normalised_convolution import normalised_convolution_fill
from pseudonormal.lesions.source import LesionSource, Place
from pseudonormal.recipes.halo import halo
from pseudonormal.recipes.restore import BORDER
from pseudonormal.recipes.smile.guesses import Guesses
from pseudonormal.recipes.smile.material import SmileMaterial, trusted_lesion
from pseudonormal.recipes.smile.options import SmileOptions
from pseudonormal.recipes.smile.scenes import Scene, Scenes
from pseudonormal.regions import Box
from pseudonormal.training.crops import box_around, padded
from pseudonormal.training.references import Reference

STREAMS = ("simulated", "labelled", "unlabelled", "normal", "rehearsal")
VOLUME_ML = (0.05, 25.0)
ROUND = 0.26  # volume of a lesion that leaves its border in a patch, as a share of the cube: half of a ball's
ROOM = 16  # voxels that a region is longer than a patch, so that a lesion need not lie in its middle
SLAB = 40  # slices that a lesion is put into before one is taken
MOST_HOLE = 0.5  # share of a patch's brain; of larger holes nothing can be learnt
AIMED = 0.7  # share of patches of unlabelled scans that look at what was found there
SYNTHETIC_SHARE = 0.5  # of the labelled stream, however many synthetic scans there are beside the drawn ones
TRIES = 4  # each looks at many places


class Drawing:
    """Draws samples for as long as somebody wants them, the streams in turn."""

    def __init__(self, material: SmileMaterial, options: SmileOptions, guesses: Guesses, *, rehearse: bool) -> None:
        """Choose the streams that there is material for.

        :param rehearse: painted heads are wanted even where no lesion may be simulated in them.
        """
        self._material, self._options, self._guesses = material, options, guesses
        self._scenes = Scenes(material)
        self._source = LesionSource(material.lesion_shapes())
        # a scan of which nothing is known is normal tissue where the segmentor, once it was asked, saw nothing
        surely = [scan for scan in material.unlabelled if scan.doubtful.any() or not options.no_unlabelled]
        self._tissue = [*material.normal, *material.labelled, *surely]
        self._calm = [*material.normal, *material.labelled]
        there = {
            "simulated": bool(self._tissue) and not options.no_simulation,
            "labelled": bool(material.labelled or material.synthetic),
            "unlabelled": bool(material.unlabelled) and not options.no_unlabelled,
            "normal": bool(self._calm) and not options.no_normal,
            "rehearsal": bool(material.anatomies) and (rehearse or not options.no_simulation),
        }
        self.streams = tuple(name for name in STREAMS if there[name])
        edge = options.edge
        self._volume_ml = VOLUME_ML[0], min(VOLUME_ML[1], ROUND * (edge - 2 * BORDER) ** 3 / 1000)
        self._patch = (edge, edge, edge) if options.dimensions == 3 else (1, edge, edge)
        self._aside = tuple(0 if n == 1 else edge // 4 for n in self._patch)  # a lesion's slice stays the one shown
        self._region = (edge + ROOM if options.dimensions == 3 else SLAB, edge + ROOM, edge + ROOM)

    def samples(self, rng: Generator) -> Iterator[dict[str, Any]]:
        """Patches with a hole and its classical fills; the fields are those of :func:`hollowed`, and "stream"."""
        for stream in cycle(self.streams):
            yield self.sample(stream, rng)

    def sample(self, stream: str, rng: Generator) -> dict[str, Any]:
        """One sample of a stream; where no lesion finds its place, one without."""
        draw = {
            "simulated": lambda: self._with_a_lesion(self._around_tissue(self._tissue, self._region, rng), rng),
            "labelled": lambda: self._labelled(rng),
            "unlabelled": lambda: self._unlabelled(rng),
            "normal": lambda: self._with_a_lesion(self._around_tissue(self._calm, self._region, rng), rng),
            "rehearsal": lambda: self._rehearsal(rng),
        }[stream]
        for _ in range(TRIES):
            sample = draw()
            if sample is not None:
                return sample | {"stream": stream}
        tissue = self._calm if stream == "normal" else self._tissue
        bare = self._scenes.painted(self._patch, rng) if stream == "rehearsal" else None
        scene = bare or self._around_tissue(tissue, self._patch, rng)
        return hollowed(scene, np.zeros(self._patch, bool), rng) | {"stream": stream}

    def _around_tissue(self, scans: Sequence[Reference], edges: tuple[int, int, int], rng: Generator) -> Scene:
        scan = scans[int(rng.integers(len(scans)))]
        if scan.lesion is not None or scan.doubtful.any():
            return self._scenes.cut(scan, _somewhere(scan.brain & ~scan.doubtful, scan.brain, rng), edges)
        calm = self._guesses.calm(scan.case)
        if self._calm and not calm.any():  # nobody has looked yet
            return self._around_tissue(self._calm, edges, rng)
        scene = self._scenes.cut(replace(scan, doubtful=~calm), _somewhere(calm, scan.brain, rng), edges)
        return replace(scene, known=(~scene.crop.doubtful).astype(np.float32))

    def _labelled(self, rng: Generator) -> dict[str, Any]:
        real, made = self._material.labelled, self._material.synthetic
        scans = made if made and (not real or rng.random() < SYNTHETIC_SHARE) else real
        scan = scans[int(rng.integers(len(scans)))]
        centre = _somewhere(trusted_lesion(scan), scan.brain, rng, aside=self._aside)
        scene = self._scenes.cut(scan, centre, self._patch)
        oracle = self._options.mask == "oracle"
        hole = scene.label & (scene.known > 0) if oracle else self._guessed(scan, centre)
        return hollowed(scene, _with_halo(scene, hole), rng)

    def _unlabelled(self, rng: Generator) -> dict[str, Any]:
        scan = self._material.unlabelled[int(rng.integers(len(self._material.unlabelled)))]
        found = self._guesses.lesion(scan.case)
        aim = found if rng.random() < AIMED else scan.brain
        centre = _somewhere(aim, scan.brain, rng, aside=self._aside)
        scene = self._scenes.cut(scan, centre, self._patch)
        return hollowed(scene, _with_halo(scene, self._guessed(scan, centre)), rng)

    def _rehearsal(self, rng: Generator) -> dict[str, Any] | None:
        scene = self._scenes.painted(self._region, rng)
        if not self._options.no_simulation:
            return self._with_a_lesion(scene, rng)
        centre = _somewhere(scene.crop.brain, scene.crop.brain, rng)
        box = box_around(centre, self._patch, scene.label.shape)
        return hollowed(scene.at(box), np.zeros(self._patch, bool), rng)

    def _guessed(self, scan: Reference, centre: Sequence[int]) -> NDArray[np.bool_]:
        """What was found in the patch; read there and then, for another process may just be writing it."""
        box = box_around(centre, self._patch, scan.image.shape)
        return padded(self._guesses.lesion(scan.case)[box] & scan.brain[box], self._patch)

    def _with_a_lesion(self, region: Scene, rng: Generator) -> dict[str, Any] | None:
        """A patch of a region with a place for a lesion; what it looks like is drawn at each use."""
        allowed = region.crop.brain & ~region.crop.doubtful
        place = self._source.place(allowed, rng, volume_ml=self._volume_ml) if allowed.any() else None
        if place is None:
            return None
        opacity = np.zeros(allowed.shape, np.float32)
        opacity[place.box] = place.opacity
        extents = [s.stop - s.start for s in place.box]
        if max(extents[3 - self._options.dimensions :]) + 2 * BORDER > self._options.edge:
            return None
        box = self._around_place(place, opacity, rng)
        return hollowed(region.at(box), opacity[box] > 0, rng, opacity[box])

    def _around_place(self, place: Place, opacity: NDArray[np.float32], rng: Generator) -> Box:
        centre = [(s.start + s.stop) // 2 for s in place.box]
        if self._options.dimensions == 2:
            shown = np.flatnonzero((opacity > 0.5).any(axis=(1, 2)))
            centre[0] = int(shown[rng.integers(len(shown))]) if len(shown) else centre[0]
        room = [(edge - (s.stop - s.start)) // 2 - BORDER for edge, s in zip(self._patch, place.box, strict=True)]
        moved = [c + int(rng.integers(-r, r + 1)) if r > 0 else c for c, r in zip(centre, room, strict=True)]
        return box_around(moved, self._patch, opacity.shape)


def hollowed(
    scene: Scene, hole: NDArray[np.bool_], rng: Generator, opacity: NDArray[np.float32] | None = None
) -> dict[str, Any]:
    """A scene with a hole and what classical fills put into it, in half precision: what a sample holds.

    The fills look at trusted brain alone. Half of the holes are a voxel wider than the lesion, as real masks are.

    :param hole: (D, H, W) voxels to restore; one that covers most of the brain is left out.
    :param opacity: (D, H, W) of a lesion that is to be simulated.
    """
    crop = scene.crop
    evidence = crop.brain & (scene.trust > 0)
    hole = hole & crop.brain
    if rng.random() < 0.5 and hole.any():
        hole = ndimage.binary_dilation(hole, iterations=1) & crop.brain & (scene.trust > 0)
    if not 0 < hole.sum() < MOST_HOLE * evidence.sum():
        hole = np.zeros_like(hole)
    fill = biharmonic_fill(crop.image, hole, within=evidence)
    smooth = normalised_convolution_fill(crop.image, hole, evidence) if hole.any() else fill
    half = np.float16
    return {
        "image": crop.image.astype(half),
        "brain": crop.brain,
        "doubtful": crop.doubtful,
        "label": scene.label,
        "known": scene.known.astype(half),
        "trust": scene.trust.astype(half),
        "opacity": (np.zeros(hole.shape) if opacity is None else opacity).astype(half),
        "hole": hole,
        "fill": fill.astype(half),
        "smooth": smooth.astype(half),
        "mirror": crop.mirror.astype(half),
        "mirrored": crop.mirrored & ~crop.doubtful,
        "scale": scene.scale,
        "contrast": scene.contrast,
    }


def _with_halo(scene: Scene, hole: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A real lesion's mask with the disease beside it that a tight mask leaves out, as the engine restores it."""
    evidence = scene.crop.brain & (scene.trust > 0)
    return hole | halo(scene.crop.image, hole, evidence)


def _somewhere(
    wanted: NDArray[np.bool_], otherwise: NDArray[np.bool_], rng: Generator, aside: Sequence[int] = (0, 0, 0)
) -> list[int]:
    """A random voxel (z, y, x) of a mask, or of another where that is empty, moved by up to ``aside`` voxels."""
    places = np.flatnonzero(wanted if wanted.any() else otherwise)
    centre = np.unravel_index(int(places[rng.integers(len(places))]), wanted.shape)
    return [int(c) + int(rng.integers(-far, far + 1)) for c, far in zip(centre, aside, strict=True)]
