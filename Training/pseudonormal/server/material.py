"""What a training would learn from: counted in the case store, nothing is read or changed."""

from __future__ import annotations

from pydantic import BaseModel

from pseudonormal.retraining.material import survey
from pseudonormal.store.store import Store


class SubjectCounts(BaseModel):
    """Subjects by what they are used for; a subject is in one of them, for good."""

    train: int
    validation: int
    test: int


class MaterialAnswer(BaseModel):
    """What there is.

    :param labelled: cases with an accepted mask.
    :param unlabelled: all others but the rejected ones.
    :param subjects: as the next training would have them.
    :param weighted: labelled cases in which somebody marked voxels that are not to be trusted.
    :param synthetic: scans that a generator made; models learn from them too, and are never judged on them.
    :param refusal: why no training can begin, and what to do; empty when one can.
    :param problems: the refusal, and what else should be known, one line each.
    """

    labelled: int
    unlabelled: int
    subjects: SubjectCounts
    weighted: int
    synthetic: int
    refusal: str
    problems: list[str]


def material_of(store: Store, contrast: str) -> MaterialAnswer:
    """Count what a training would use.

    :param contrast: of the scans to use; "any": mix them; empty: there must be one.
    :raises InputError: the store cannot be read.
    """
    found = survey(store, contrast=contrast)
    return MaterialAnswer(
        labelled=found.labelled,
        unlabelled=found.unlabelled,
        subjects=SubjectCounts(**found.subjects),
        weighted=found.weighted,
        synthetic=found.synthetic,
        refusal=found.refusal,
        problems=found.problems,
    )
