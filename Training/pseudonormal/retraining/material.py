"""From the case store to a list of cases to learn from, to choose numbers on and to judge on.

Imports no torch: the server tells what a training would use without loading it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pseudonormal.cases import COLUMNS, SYNTHETIC, TRAIN, VALIDATION, Case, read_cases
from pseudonormal.errors import InputError
from pseudonormal.models.comparison import FEWEST_SUBJECTS
from pseudonormal.painting.contrast import known_sequence
from pseudonormal.scan.atomic import OutputFolder, atomic_file
from pseudonormal.scan.nifti import read_nifti
from pseudonormal.store.records import Split
from pseudonormal.store.results import FOREGROUND, PSEUDO_NORMAL
from pseudonormal.store.reviewed import decided_cases, real_cases, synthetic_cases
from pseudonormal.store.splits import frozen_splits, planned_splits
from pseudonormal.store.store import CaseRecord, RevisionRecord, Store

TEST = "test"
ANY = "any"  # contrast: mix them
MOST_SYNTHETIC = 200  # all scans of a training are held in memory
FEW = 5  # labelled subjects to learn from, below which a user is told
FOLDER = "material"  # of a run, what gather() writes
LIST, _FACTS = "cases.csv", "material.json"


@dataclass(frozen=True)
class Survey:
    """What a training from the store would use.

    :param labelled: cases whose newest decision is "accepted"; an empty mask means that there is no lesion.
    :param unlabelled: all other cases but rejected ones.
    :param synthetic: scans that a network made, ``MOST_SYNTHETIC`` at most; they are learnt from only, and counted
        nowhere else.
    :param weighted: labelled cases in which a reviewer marked what not to trust.
    :param subjects: how many stand in each split.
    :param refusal: why no training can begin, and what to do; empty when one can.
    :param hints: what a user should know, one line each.
    """

    labelled: int
    unlabelled: int
    weighted: int
    subjects: Mapping[str, int]
    synthetic: int = 0
    refusal: str = ""
    hints: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """What is told at the beginning of a training."""
        return {"labelled": self.labelled, "unlabelled": self.unlabelled, **self.subjects}

    @property
    def problems(self) -> list[str]:
        """The refusal and the hints, one line each."""
        return [self.refusal, *self.hints] if self.refusal else list(self.hints)


@dataclass(frozen=True)
class Material:
    """What a training uses.

    :param cases: of all splits; their files lie in the store.
    :param fingerprint: SHA-256 over cases, splits and revisions: equal for equal material.
    """

    cases: Sequence[Case]
    survey: Survey
    fingerprint: str

    def of(self, split: str) -> list[Case]:
        """The labelled and normal cases of a split."""
        return [case for case in self.cases if case.split == split and case.kind in ("labelled", "normal")]


@dataclass(frozen=True)
class _Used:
    """A case and, where it is labelled, the revision that says so; of a synthetic one its newest."""

    case: CaseRecord
    revision: RevisionRecord | None
    split: Split

    @property
    def subject(self) -> str:
        return self.case.subject or self.case.id


def survey(store: Store, *, contrast: str = "", seed: int = 0) -> Survey:
    """Look what there is; writes nothing.

    :param contrast: as for :func:`gather`.
    """
    return _survey(_used(store, contrast, planned_splits(store, seed)), _made(store, contrast), contrast)


def gather(store: Store, folder: Path, *, contrast: str = "", synthetic: bool = True, seed: int = 0) -> Material:
    """Freeze the splits and list the material: ``FOLDER/cases.csv`` and ``FOLDER/material.json``.

    The list names the store's own files, which never change; none is copied.

    :param contrast: "flair", "t1", ...: use scans of this contrast only; "any": mix them; empty: there must be one.
    :param synthetic: whether scans that a network made are learnt from too.
    :param seed: of the splits of subjects that have none yet.
    :raises InputError: there is nothing to learn from, contrasts are mixed, or the folder cannot be written.
    """
    made = _made(store, contrast) if synthetic else []
    found = _survey(_used(store, contrast, planned_splits(store, seed)), made, contrast)
    if found.refusal:
        raise InputError(f"{store.folder}: {found.refusal}")
    splits = frozen_splits(store, seed)
    used = [*_used(store, contrast, splits), *made]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [*COLUMNS, "contrast", "doubtful", "weight", "revision", SYNTHETIC], restval="")
    writer.writeheader()
    writer.writerows(_row(store, one) for one in used)
    with OutputFolder(folder) as part:
        for name, content in ((LIST, text.getvalue()), (_FACTS, json.dumps(asdict(found), indent=1) + "\n")):
            with atomic_file(part / name) as stream:
                stream.write(content.encode())
    return read_material(folder)


def read_material(folder: Path) -> Material:
    """What :func:`gather` listed: a training that goes on uses what it began with.

    :raises InputError: a file is missing or damaged.
    """
    path = folder / _FACTS
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        found = Survey(**{**facts, "hints": tuple(facts["hints"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: is missing or damaged: begin the run anew in another folder") from error
    cases = read_cases(folder / LIST)
    stated = sorted(_identity(case) for case in cases)
    return Material(cases, found, hashlib.sha256("\n".join(stated).encode()).hexdigest())


def contrast_word(text: str) -> str:
    """The project's word for a contrast: "T1w" -> "t1"; other words in lower case."""
    return text.strip().lower().removesuffix("w")


def _used(store: Store, contrast: str, splits: Mapping[str, Split]) -> list[_Used]:
    """The cases of a contrast in the store's own order; no rejected and no synthetic ones."""
    accepted = {reviewed.case.id: reviewed.revision for reviewed in decided_cases(store, ("accepted",))}
    rejected = {reviewed.case.id for reviewed in decided_cases(store, ("rejected",))}
    cases = [case for case in real_cases(store) if case.id not in rejected and _is_of(case, contrast)]
    found = [_Used(case, accepted.get(case.id), splits[case.subject or case.id]) for case in cases]
    return sorted(found, key=lambda one: one.case.id)


def _made(store: Store, contrast: str) -> list[_Used]:
    """Synthetic cases of a contrast, each with its mask; they stand beside every split, in split train."""
    drawn = [(case, case.head) for case in synthetic_cases(store) if case.head and _is_of(case, contrast)]
    drawn = drawn[:MOST_SYNTHETIC]  # their ids, which they are sorted by, are random
    return [_Used(case, store.revision(head), "train") for case, head in drawn]


def _is_of(case: CaseRecord, contrast: str) -> bool:
    wanted = contrast_word(contrast)
    return wanted in ("", ANY) or contrast_word(case.contrast) == wanted


def _survey(used: Sequence[_Used], made: Sequence[_Used], contrast: str) -> Survey:
    labelled = [one for one in used if one.revision is not None]
    per_split = {split: len({one.subject for one in used if one.split == split}) for split in (TRAIN, VALIDATION, TEST)}
    return Survey(
        labelled=len(labelled),
        unlabelled=len(used) - len(labelled),
        weighted=sum(one.revision is not None and one.revision.weights_sha256 is not None for one in labelled),
        subjects=per_split,
        synthetic=len(made),
        refusal=_refusal([*used, *made], labelled, contrast),
        hints=tuple(_hints(labelled)),
    )


def _refusal(used: Sequence[_Used], labelled: Sequence[_Used], contrast: str) -> str:
    of = f" of contrast {contrast}" if contrast_word(contrast) not in ("", ANY) else ""
    if not labelled:
        return f"no case{of} is accepted: review some cases first, each with its lesions or without any"
    kinds = Counter(contrast_word(one.case.contrast) for one in used)
    kinds.pop("", None)
    if len(kinds) > 1 and not contrast.strip():
        counted = ", ".join(f"{kind} ({count})" for kind, count in kinds.most_common())
        return (
            f"scans of unlike contrast are mixed: {counted}: choose one, for instance --contrast "
            f"{kinds.most_common(1)[0][0]}, or mix them by --contrast {ANY}"
        )
    with_lesions = [one for one in labelled if one.revision is not None and one.revision.findings]
    if not with_lesions:
        return f"no accepted case{of} shows a lesion: review a case that has some"
    if not any(one.split == TRAIN for one in with_lesions):
        return (
            f"all accepted cases{of} with lesions are of subjects that are kept aside to choose numbers and to judge: "
            "review more cases"
        )
    return ""


def _hints(labelled: Sequence[_Used]) -> list[str]:
    subjects = {
        split: len({one.subject for one in labelled if one.split == split}) for split in (TRAIN, VALIDATION, TEST)
    }
    hints = []
    if subjects[TRAIN] < FEW:
        hints.append(f"only {subjects[TRAIN]} labelled subject(s) to learn from: more reviewed cases will help most")
    if not subjects[VALIDATION]:
        hints.append("no labelled subject is kept aside to choose thresholds: those of the parent model stay")
    if subjects[TEST] < FEWEST_SUBJECTS:
        hints.append(
            f"{subjects[TEST]} labelled subject(s) kept aside to judge, and {FEWEST_SUBJECTS} are needed to tell "
            "whether a model got better: look at cases yourself before you promote it"
        )
    return hints


def _row(store: Store, one: _Used) -> dict[str, str]:
    case, revision = one.case, one.revision
    image = str(store.volume_path(case.id, "image").absolute())
    word = contrast_word(case.contrast)
    row = {"case": case.id, "subject": one.subject, "split": one.split, "image": image}
    row["contrast"] = known_sequence(word) or ""
    row[SYNTHETIC] = "1" if case.synthetic else ""
    weights = None if revision is None else store.weights_path(revision.id)
    trusted = (1.0, 1.0) if weights is None else _range(weights)
    if revision is None or trusted == (0, 0):
        if case.head is not None and case.findings:  # what nobody has decided on may be diseased
            row["doubtful"] = str(store.mask_path(case.head).absolute())
        return row | {"revision": case.head or ""}
    diseased = bool(revision.findings)
    known = {name: str(store.volume_path(case.id, name).absolute()) for name in _made_with(store, case)}
    return row | {
        "mask": str(store.mask_path(revision.id).absolute()) if diseased else "",
        "normal": known.get(PSEUDO_NORMAL, "") if diseased else image,
        "foreground": known.get(FOREGROUND, ""),
        "weight": str(weights.absolute()) if weights is not None and trusted[0] < trusted[1] else "",
        "revision": revision.id,
    }


def _made_with(store: Store, case: CaseRecord) -> list[str]:
    """What is known for certain of a scan because it was made with it; of a real one, nothing."""
    return [name for name in store.volumes(case.id) if name in (PSEUDO_NORMAL, FOREGROUND)] if case.synthetic else []


def _range(weights: Path) -> tuple[float, float]:
    """Least and greatest weight: equal ones everywhere say no more than none, and 0 everywhere that nothing counts."""
    array = read_nifti(weights, None).array
    return float(array.min()), float(array.max())


def _identity(case: Case) -> str:
    """What decides what a case teaches: the names of the store's files are hashes of their contents."""
    files = (case.image, case.mask, case.normal, case.extra.get("doubtful"), case.extra.get("weight"))
    names = [Path(file).name if file else "" for file in files]
    return " ".join([case.case, case.subject, case.split, case.extra.get("contrast", ""), *names])
