"""Longitudinal tier: where a lesion came or went between two visits, the other visit shows the truth.

In the list of cases a pair is two rows of one subject with the extra columns ``visit`` (1 and 2, by date) and
``change_mask`` (the regions that differ, in either row). A subject with more than one pair names each in the extra
column ``pair``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from pseudonormal.cases import Case
from pseudonormal.errors import InputError
from pseudonormal.evaluate.entrants import Bench, Entrant, grown
from pseudonormal.evaluate.metrics import psnr
from pseudonormal.evaluate.rows import METRICS_VERSION, Row, RowStore, digest
from pseudonormal.evaluate.subject import Subject
from pseudonormal.generate.findings import label_components
from pseudonormal.intensity import robust_z_scale
from pseudonormal.scan.placing import same_grid

LEAST_ML = 0.03  # smaller components are left out: mostly partial volume
LEAST_Z_CHANGE = 1.0  # a median change below this does not tell which visit has the lesion
AWAY = 5  # voxels; tissue nearer to a change takes no part in matching the visits


@dataclass(frozen=True)
class Change:
    """A lesion that one visit has and the other has not.

    :param index: its number among the pair's changes.
    :param what: "new" in visit 2, or "vanished" by visit 2.
    :param mask: (D, H, W) its voxels.
    :param z_change: median over it of visit 2 - matched visit 1, in robust sigmas of visit 2.
    """

    index: int
    what: Literal["new", "vanished"]
    mask: NDArray[np.bool_]
    z_change: float


def visit_pairs(cases: Sequence[Case]) -> list[tuple[Case, Case]]:
    """The pairs in a list of cases, visit 1 first.

    :raises InputError: when a visit stands alone or twice, or a pair has no change mask.
    """
    groups: dict[tuple[str, str], dict[str, Case]] = {}
    for case in cases:
        visit = case.extra.get("visit", "")
        if not visit or case.image is None:
            continue
        if visit not in ("1", "2"):
            raise InputError(f"case '{case.case}': visit '{visit}' is not known: write 1 or 2")
        group = groups.setdefault((case.subject, case.extra.get("pair", "")), {})
        if visit in group:
            raise InputError(f"case '{case.case}': '{group[visit].case}' is visit {visit} too: fill the column 'pair'")
        group[visit] = case
    pairs = []
    for (subject, _), group in groups.items():
        if len(group) < 2:
            raise InputError(f"subject '{subject}': only visit {next(iter(group))} is listed: add the other visit")
        if not any(case.extra.get("change_mask") for case in group.values()):
            raise InputError(f"subject '{subject}': the visits have no change mask: fill the column 'change_mask'")
        pairs.append((group["1"], group["2"]))
    return pairs


def match_intensity(
    moving: NDArray[np.floating], target: NDArray[np.floating], where: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """``a * moving + b`` with the least-squares line from ``moving`` to ``target`` over ``where``; all (D, H, W)."""
    slope, intercept = np.polyfit(moving[where].astype(np.float64), target[where].astype(np.float64), 1)
    return np.asarray(slope * moving + intercept, np.float32)


def changes(
    first: NDArray[np.floating],
    second: NDArray[np.floating],
    change: NDArray[np.bool_],
    steady: NDArray[np.bool_],
) -> list[Change]:
    """Split the change mask into lesions and tell new ones from vanished ones.

    Visit 1 is matched to visit 2 (``match_intensity`` over unchanged tissue), and the difference is measured in robust
    sigmas of visit 2. Where it rose the lesion is new, where it fell it vanished: on FLAIR and T2, lesions are bright.
    Components under 0.03 ml and those without a clear change are left out.

    :param first: (D, H, W) visit 1, any units.
    :param second: (D, H, W) visit 2, any units.
    :param steady: (D, H, W) unchanged tissue.
    """
    _, sigma = robust_z_scale(second, steady)
    rise = (second - match_intensity(first, second, steady)) / sigma
    labels, count = label_components(change)
    kept: list[Change] = []
    for number in range(1, count + 1):
        mask = labels == number
        difference = float(np.median(rise[mask]))
        if mask.sum() >= LEAST_ML * 1000 and abs(difference) >= LEAST_Z_CHANGE:
            kept.append(Change(len(kept) + 1, "new" if difference > 0 else "vanished", mask, difference))
    return kept


def longitudinal_rows(
    first: Case,
    second: Case,
    load: Callable[[Case], Subject],
    entrants: Sequence[Entrant],
    store: RowStore,
    grow: int = 1,
) -> list[Row]:
    """One row for each change and entrant: the error of the restored visit against the other, matched visit.

    The error is taken over the change; what is restored is the change grown by ``grow`` voxels.

    :raises InputError: when the visits are not on one grid.
    """
    visits = (load(first), load(second))
    if not same_grid(visits[0].geometry, visits[1].geometry):
        raise InputError(f"{second.image}: lies on another grid than {first.image}: resample one visit to the other")
    change = np.any([visit.change for visit in visits if visit.change is not None], axis=0)
    foreground = visits[0].foreground & visits[1].foreground
    steady = foreground & ~binary_dilation(change, iterations=AWAY)
    if not steady.any():
        raise InputError(f"{second.image}: no unchanged brain is left: check the change mask and the brain mask")
    found = changes(visits[0].raw, visits[1].raw, change, steady)
    rows: list[Row] = []
    # A new lesion is removed from visit 2, where visit 1 is the truth; a vanished one the other way round.
    for what, shown, other in (("new", visits[1], visits[0]), ("vanished", visits[0], visits[1])):
        lesions = [one for one in found if one.what == what]
        if lesions:
            rows += _restored_rows(shown, other, lesions, change, foreground, steady, entrants, store, grow)
    return rows


def _restored_rows(
    shown: Subject,
    other: Subject,
    lesions: Sequence[Change],
    change: NDArray[np.bool_],
    foreground: NDArray[np.bool_],
    steady: NDArray[np.bool_],
    entrants: Sequence[Entrant],
    store: RowStore,
    grow: int,
) -> list[Row]:
    scale = shown.scale(change)
    image = scale.apply(shown.raw)
    truth = match_intensity(other.raw, image, steady)
    lesion = grown(np.any([one.mask for one in lesions], axis=0), grow, foreground)
    pair_key = digest(image, truth, lesion, foreground, str(METRICS_VERSION))
    rows: list[Row] = []
    for entrant in entrants:
        settings = ("longitudinal", pair_key, entrant.name, entrant.fingerprint)
        keys = [digest(*settings, str(number)) for number in range(len(lesions))]
        known = [store.get(key) for key in keys]
        if not all(known):
            output, seconds = Bench().restore(entrant, image, lesion, foreground)
            fresh: list[Row] = []
            for key, one in zip(keys, lesions, strict=True):
                error = output[one.mask].astype(np.float64) - truth[one.mask]
                fresh.append(
                    {
                        "tier": "longitudinal",
                        "key": key,
                        "case": shown.case.case,
                        "subject": shown.case.subject,
                        "split": shown.case.split,
                        "change": f"{one.what} {one.index}",
                        "volume_ml": float(one.mask.sum()) / 1000.0,
                        "z_change": one.z_change,
                        "restorer": entrant.name,
                        "learnt": not entrant.classical,
                        "seconds": round(seconds, 4),
                        "mae": float(np.abs(error).mean()),
                        "bias": float(error.mean()),
                        "psnr_db": psnr(float((error**2).mean())),
                    }
                )
            known = list(store.add(fresh))
        rows += [row for row in known if row is not None]
    return rows
