"""Which subjects are learnt from, which choose numbers and which judge: decided once for each and kept."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from pseudonormal.store.records import Split
from pseudonormal.store.reviewed import decided_cases, real_cases
from pseudonormal.store.store import Store

# In the order in which empty ones are filled: with two subjects a model can be trained and judged.
SHARES: dict[Split, float] = {"train": 0.70, "test": 0.15, "validation": 0.15}


def frozen_splits(store: Store, seed: int = 0) -> dict[str, Split]:
    """The split of every subject of the store; those that have none yet get one, which they keep for good.

    A subject is a person's pseudonym, or a case's id where the person is not known. Synthetic cases have no split here:
    they are learnt from and nothing else.

    :param seed: of the order in which subjects are given out; matters only for those that have no split yet.
    :raises InputError: the store cannot be written.
    """
    planned = planned_splits(store, seed)
    known = store.splits()
    if planned.keys() <= known.keys():
        return known
    return store.freeze_splits(planned)


def planned_splits(store: Store, seed: int = 0) -> dict[str, Split]:
    """What :func:`frozen_splits` would return now; nothing is kept."""
    accepted = decided_cases(store, ("accepted",))
    diseased = {reviewed.subject for reviewed in accepted if reviewed.revision.findings}
    sound = {reviewed.subject for reviewed in accepted} - diseased
    others = {case.subject or case.id for case in real_cases(store)} - diseased - sound
    return with_new_subjects(store.splits(), (diseased, sound, others), seed)


def with_new_subjects(known: Mapping[str, Split], groups: Sequence[Collection[str]], seed: int) -> dict[str, Split]:
    """Give each new subject the split that lacks most, known ones stay.

    Each group fills the shares by itself, the first one every split once before: however few have a drawn lesion,
    there is somebody to learn from, and then somebody to judge on.

    :param groups: subjects with accepted lesions, those that were accepted without any, and all others, who may be
        labelled one day.
    """
    found = dict(known)
    for place, group in enumerate(groups):
        counts = Counter(found[subject] for subject in group if subject in found)
        for subject in sorted(set(group) - set(found), key=lambda subject: _drawn(subject, seed)):
            found[subject] = _lacking(counts, one_each=place == 0)
            counts[found[subject]] += 1
    return found


def _lacking(counts: Mapping[Split, int], *, one_each: bool) -> Split:
    total = sum(counts.values()) + 1
    return max(
        SHARES, key=lambda split: (one_each and not counts.get(split), SHARES[split] * total - counts.get(split, 0))
    )


def _drawn(subject: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}:{subject}".encode()).hexdigest()
