"""Which mask belongs to which scan, told from the names in existing folders."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pseudonormal.errors import InputError
from pseudonormal.store.bids_names import BidsName, parse

_SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")
_CHANNEL = re.compile(r"(.+)_\d{4}")  # nnU-Net numbers the scans of a subject: name_0000, name_0001
_NOT_TELLING = ("desc", "label", "space", "res", "den")  # entities of a derivative that say nothing about the scan


@dataclass(frozen=True)
class Pair:
    """A scan file and what its name tells.

    :param mask: the lesion mask that belongs to it; None when there is none.
    :param subject: scans with the same word are of one person: what BIDS says, else the outermost folder's name, else
        the file's.
    :param contrast: the project's word for it; empty when not told.
    """

    image: Path
    mask: Path | None
    subject: str
    contrast: str = ""


def pair_files(images: Path, masks: Path | None, pattern: str) -> list[Pair]:
    """The scans of a folder, each with its mask.

    Three layouts are understood. *Names*: a mask has the name its scan has (file suffixes may differ) and lies at the
    same place below ``masks``. *nnU-Net*: scans are ``NAME_0000``, ``NAME_0001`` ..., their mask is ``NAME``; a folder
    with ``imagesTr`` and ``labelsTr`` may be given as ``images`` alone. *BIDS*: names begin with ``sub-``; without
    ``masks`` the lesion masks are looked for in the same tree, derivatives included.

    :param pattern: glob, relative to the images' folder, of the scans to take.
    :raises InputError: a folder is missing, no scan is found, no mask belongs to any scan, or two belong to one.
    """
    if masks is None and (images / "imagesTr").is_dir():
        images, masks = images / "imagesTr", images / "labelsTr"
    marked = _scans(masks, "**/*") if masks is not None else [path for path in _scans(images, "**/*") if _is_mask(path)]
    apart = set(marked)
    scans = [path for path in _scans(images, pattern) if path not in apart and not _is_derived(path, images)]
    if not scans:
        raise InputError(
            f"{images}: holds no scan that fits {pattern}; give a folder with {', '.join(_SUFFIXES)} files"
        )
    by_place = _by_place(marked, masks or images)
    pairs = [_pair(image, images, by_place, marked, chosen=masks is not None) for image in scans]
    if masks is not None and all(pair.mask is None for pair in pairs):
        raise InputError(
            f"{masks}: none of its {len(marked)} masks has the name of a scan in {images}; name each mask as its scan"
        )
    return pairs


def stem(path: Path) -> str:
    """A file's name without its suffix, ``.nii.gz`` taken as one."""
    return next((path.name[: -len(s)] for s in _SUFFIXES if path.name.lower().endswith(s)), path.name)


def _scans(folder: Path, pattern: str) -> list[Path]:
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; give the folder that holds the files")
    try:
        found = sorted(folder.glob(pattern))
    except (ValueError, NotImplementedError) as error:
        raise InputError(f"{pattern}: cannot be used as a pattern ({error}); write for instance **/*_FLAIR*") from error
    return [path for path in found if path.is_file() and path.name[0] != "." and path.name.lower().endswith(_SUFFIXES)]


def _is_mask(path: Path) -> bool:
    name = parse(stem(path))
    return name is not None and name.is_mask


def _is_derived(path: Path, root: Path) -> bool:
    return _is_mask(path) or "derivatives" in path.relative_to(root).parts


def _place(path: Path, root: Path) -> str:
    return (path.relative_to(root).parent / stem(path)).as_posix()


def _by_place(masks: Iterable[Path], root: Path) -> dict[str, Path]:
    places: dict[str, Path] = {}
    for path in masks:
        other = places.setdefault(_place(path, root), path)
        if other != path:
            raise InputError(f"{path}: stands for the same scan as {other.name}; keep one of the two")
    return places


def _pair(image: Path, root: Path, by_place: dict[str, Path], masks: list[Path], *, chosen: bool) -> Pair:
    name = parse(stem(image))
    place = _place(image, root)
    if name is not None:
        mask = by_place.get(place) if chosen else None
        return Pair(image, mask or _bids_mask(image, name, masks, chosen), name.entities["sub"], name.contrast)
    channel = _CHANNEL.fullmatch(place)
    if place not in by_place and channel is not None:
        place = channel[1]
    return Pair(image, by_place.get(place), place.split("/", maxsplit=1)[0])


def _bids_mask(image: Path, name: BidsName, masks: list[Path], chosen: bool) -> Path | None:
    """The mask of the same subject and session that says nothing against this scan.

    :param chosen: the user named the folder of masks, so that a mask need not say that it is one of lesions.
    """
    fitting = {path: parsed for path in masks if (parsed := parse(stem(path))) is not None and _fits(parsed, name)}
    of_lesions = [path for path, parsed in fitting.items() if parsed.is_of_lesions]
    left = of_lesions or (list(fitting) if chosen else [])
    if len(left) > 1:
        raise InputError(f"{left[0]}: belongs to {image.name} as {left[1].name} does; keep one mask for each scan")
    return left[0] if left else None


def _fits(mask: BidsName, scan: BidsName) -> bool:
    if any(word != scan.suffix for word in mask.within):
        return False
    said = {key: value for key, value in mask.entities.items() if key not in _NOT_TELLING}
    same_visit = all(mask.entities.get(key) == scan.entities.get(key) for key in ("sub", "ses"))
    return same_visit and all(scan.entities.get(key) == value for key, value in said.items())
