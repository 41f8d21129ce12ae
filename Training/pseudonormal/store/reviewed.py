"""What leaves the store: the newest decision on each case, and the split its subject stands in."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pseudonormal.cases import TRAIN, VALIDATION
from pseudonormal.errors import InputError
from pseudonormal.scan.atomic import atomic_file
from pseudonormal.store.cases import SYNTHETIC, UNDECIDED
from pseudonormal.store.store import CaseRecord, RevisionRecord, Status, Store

_PAGE = 200
_VALIDATION_SHARE = 0.2


@dataclass(frozen=True)
class Reviewed:
    """A case with the revision that speaks for it."""

    case: CaseRecord
    revision: RevisionRecord

    @property
    def subject(self) -> str:
        """Pseudonym of the person; a case whose person is not known stands for itself."""
        return self.case.subject or self.case.id

    @property
    def split(self) -> str:
        """The same for all scans of a person."""
        return split_of(self.subject)


def reviewed_cases(store: Store, states: Sequence[str]) -> list[Reviewed]:
    """As :func:`decided_cases`, for what needs some.

    :raises InputError: there is none.
    """
    found = decided_cases(store, states)
    if not found:
        raise InputError(f"the case store holds no case that is {' or '.join(states)}; review some cases first")
    return found


def decided_cases(store: Store, states: Sequence[str]) -> list[Reviewed]:
    """The cases whose newest decision is one of ``states``, by case id; no synthetic ones.

    Drafts and consensuses decide nothing: what was accepted stands while somebody draws on. They count where
    ``states`` asks for them.
    """
    found = []
    for case in real_cases(store):
        decided = [r for r in store.history(case.id) if r.state not in UNDECIDED or r.state in states]
        newest = max(decided, key=lambda revision: revision.number, default=None)
        if newest is not None and newest.state in states:
            found.append(Reviewed(case, newest))
    return sorted(found, key=lambda reviewed: reviewed.case.id)


def real_cases(store: Store) -> Iterator[CaseRecord]:
    """Every case that is a scan of somebody."""
    return (case for case in every_case(store) if not case.synthetic)


def synthetic_cases(store: Store) -> list[CaseRecord]:
    """Scans that a network made, by case id; not those that were rejected."""
    return sorted(every_case(store, SYNTHETIC), key=lambda case: case.id)


def every_case(store: Store, status: Status | None = None) -> Iterator[CaseRecord]:
    """Every case once, although cases may move in the list while it is read.

    :param status: only those that stand so.
    """
    seen: set[str] = set()
    offset, total = 0, 1
    while offset < total:
        page, total = store.cases(status=status, limit=_PAGE, offset=offset)
        yield from (case for case in page if case.id not in seen)
        seen.update(case.id for case in page)
        offset += _PAGE


def split_of(subject: str) -> str:
    """The split of a person: a fifth of all is for validation.

    It depends on nothing but the pseudonym, so that nobody ever moves from one split to the other as cases are added.
    A handful of cases may therefore all stand in one split.
    """
    drawn = int.from_bytes(hashlib.sha256(subject.encode()).digest()[:6], "big") / 2**48
    return VALIDATION if drawn < _VALIDATION_SHARE else TRAIN


def copy_blob(blob: Path, target: Path) -> Path:
    """Copy a stored file out. Never a link: whoever edits what was exported must not edit the store.

    :returns: the target.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copyfile(blob, target))


def write_json(path: Path, content: Any) -> None:
    """Write JSON for people to read, too."""
    with atomic_file(path) as stream:
        stream.write(json.dumps(content, indent=2, ensure_ascii=False).encode() + b"\n")
