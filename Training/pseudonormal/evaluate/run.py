"""The whole evaluation: every tier that the given cases allow, its tables, plots and targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pseudonormal.cases import TRAIN, VALIDATION, Case
from pseudonormal.errors import InputError
from pseudonormal.evaluate.detection import Segmenter
from pseudonormal.evaluate.entrants import Bench, Entrant, classical_entrant, learnt_entrant
from pseudonormal.evaluate.longitudinal import longitudinal_rows, visit_pairs
from pseudonormal.evaluate.plots import Example, examples_plot
from pseudonormal.evaluate.real import found_rows, restoration_rows
from pseudonormal.evaluate.rows import Row, RowStore, number, write_atomically
from pseudonormal.evaluate.simulated import STRATA, Trial, given_trial, simulated_trials, trial_rows
from pseudonormal.evaluate.subject import ForegroundOf, Subject, load_subject
from pseudonormal.evaluate.summary import example_path, write_summary
from pseudonormal.evaluate.tables import Table
from pseudonormal.evaluate.targets import Target
from pseudonormal.lesions.source import LesionSource
from pseudonormal.recipes.restoration import Restorer

ROWS_FILE = "rows.jsonl"


class Progress(Protocol):
    """Told how far the evaluation is."""

    def __call__(self, done: int, total: int, message: str) -> None:
        """Take notice that ``done`` of ``total`` steps are over."""
        ...


@dataclass(frozen=True)
class Plan:
    """What every case goes through.

    :param out: where results are written.
    :param entrants: baselines and learnt restorers.
    :param source: simulates lesions; None: only given ones are restored.
    :param families: which lesion families are simulated.
    :param seeds: for each seed, one lesion of each size and family is simulated in each case.
    :param texture: measure the gradient ratio with seeded grain too.
    :param segmenter: finds lesions without a mask; None leaves those tiers out.
    :param foreground_of: finds the brain where a case names no foreground.
    :param generated: a folder written by ``generate``, whose outputs are checked on the native grid.
    """

    out: Path
    entrants: tuple[Entrant, ...]
    source: LesionSource | None
    families: tuple[str, ...]
    seeds: tuple[int, ...]
    texture: bool
    segmenter: Segmenter | None
    foreground_of: ForegroundOf | None
    generated: Path | None


@dataclass(frozen=True)
class Evaluation:
    """What came out.

    :param rows: all rows, by tier: "simulated", "real", "found", "difference", "longitudinal".
    :param tables: the summary tables.
    :param targets: what is wanted and what was measured.
    :param warnings: what could not be done, in words.
    """

    rows: dict[str, list[Row]]
    tables: list[Table]
    targets: list[Target]
    warnings: list[str]


@dataclass
class _Tally:
    """Rows so far and how far we are."""

    progress: Progress | None
    total: int
    done: int = 0
    rows: dict[str, list[Row]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    pictured: set[str] = field(default_factory=set)

    def add(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self.rows.setdefault(str(row["tier"]), []).append(row)

    def step(self, message: str, steps: int = 1) -> None:
        self.done += steps
        if self.progress is not None:
            self.progress(self.done, self.total, message)


def evaluate(
    cases: Sequence[Case],
    out: Path,
    restorers: Sequence[Restorer],
    *,
    baselines: Sequence[Restorer],
    source: LesionSource | None = None,
    families: Sequence[str] | None = None,
    seeds: Sequence[int] = (0,),
    texture: bool = False,
    segmenter: Segmenter | None = None,
    foreground_of: ForegroundOf | None = None,
    generated: Path | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure restorers against classical baselines and write tables and plots.

    Cases in split "train" are left out; those in split "validation" only choose thresholds. Labelled and normal cases
    get simulated lesions (tier A); a labelled case whose ``normal`` is given is restored as it is. Labelled cases are
    also restored at their real lesions (tier B), and searched without a mask when there is a segmenter, as are
    normal ones. Pairs of visits make the longitudinal tier.

    Writes ``OUT/rows.jsonl`` while it runs, from which a second call with the same settings goes on, and at the end
    one CSV for each tier, ``summary.csv``, ``summary.md``, ``summary.json`` and ``plots/*.png``.

    :param restorers: learnt ones; see ``entrants.learnt_entrant`` for what they may say about themselves.
    :param baselines: classical ones.
    :param source: simulates the lesions of tier A; None leaves simulated ones out.
    :param families: lesion families to simulate; all of the source's when None.
    :param seeds: for each, one lesion of each size and family is simulated in each case.
    :param texture: also measure the gradient ratio with seeded grain.
    :param segmenter: finds lesions without a mask; should come from other data than the restorers.
    :param foreground_of: finds the brain where a case names no foreground.
    :param generated: a folder written by ``generate`` whose outputs are checked on the native grid.
    :param progress: called after each step.
    :raises InputError: when a case cannot be used, no case is left to evaluate, or OUT cannot be written.
    """
    entrants = (*map(classical_entrant, baselines), *map(learnt_entrant, restorers))
    _check_names(entrants)
    known = () if source is None else tuple(source.families)
    families = known if families is None else families
    unknown = [family for family in families if family not in known]
    if source is not None and unknown:
        raise InputError(f"lesion family '{unknown[0]}' is not known: take one of {', '.join(known)}")
    plan = Plan(
        out,
        entrants,
        source,
        tuple(families),
        tuple(seeds),
        texture,
        segmenter,
        foreground_of,
        generated,
    )
    pairs = [pair for pair in visit_pairs(cases) if not {TRAIN, VALIDATION} & {pair[0].split, pair[1].split}]
    single = [case for case in cases if case.kind in ("labelled", "normal") and case.split != TRAIN]
    if segmenter is None:
        single = [case for case in single if case.split != VALIDATION]
    if not pairs and all(case.split == VALIDATION for case in single):
        raise InputError(
            "no case can be evaluated: list at least one that is labelled (mask), normal (normal = image) or a pair of "
            f"visits, and not in split '{TRAIN}' or '{VALIDATION}'"
        )
    store = RowStore(out / ROWS_FILE)
    tally = _Tally(progress, sum(_steps(case, plan) for case in single) + len(pairs))
    tally.warnings += [
        f"{case.case}: left out, nothing is known about its lesions"
        for case in cases
        if case.kind == "unlabelled" and case.split != TRAIN and not case.extra.get("visit")
    ]
    for case in single:
        _evaluate_case(case, plan, store, tally)
    for first, second in pairs:
        rows = longitudinal_rows(first, second, lambda case: load_subject(case, foreground_of), entrants, store)
        if not rows:
            tally.warnings.append(f"{first.subject}: no change between the visits is large and clear enough")
        tally.add(rows)
        tally.step(f"{first.subject}: visits compared")
    tables, wanted = write_summary(out, tally.rows, tally.warnings)
    return Evaluation(tally.rows, tables, wanted, tally.warnings)


def _steps(case: Case, plan: Plan) -> int:
    if case.split == VALIDATION or case.has_truth:
        return 1
    return 1 + (len(STRATA) * len(plan.seeds) if plan.source is not None else 0)


def _evaluate_case(case: Case, plan: Plan, store: RowStore, tally: _Tally) -> None:
    subject = load_subject(case, plan.foreground_of)
    if case.has_truth:
        if subject.lesion.any():
            tally.add(trial_rows(given_trial(subject), plan.entrants, Bench(), store, plan.texture))
        tally.step(f"{case.case}: given lesion")
        return
    if plan.segmenter is not None:
        tally.add(found_rows(subject, plan.segmenter, plan.entrants, store))
    if subject.lesion.any() and case.split != VALIDATION:
        tally.add(restoration_rows(subject, plan.entrants, store, plan.segmenter, plan.generated))
    tally.step(f"{case.case}: real lesions")
    if plan.source is not None and case.split != VALIDATION:
        _simulate(subject, plan, plan.source, store, tally)


def _simulate(subject: Subject, plan: Plan, source: LesionSource, store: RowStore, tally: _Tally) -> None:
    placed: dict[str, int] = {stratum.name: 0 for stratum in STRATA}
    for trials in simulated_trials(subject, source, plan.families, plan.seeds):
        bench = Bench()
        rows = [trial_rows(trial, plan.entrants, bench, store, plan.texture) for trial in trials]
        tally.add([row for of_trial in rows for row in of_trial])
        if trials:
            stratum = str(trials[0].labels["stratum"])
            placed[stratum] += len(trials)
            picture = example_path(plan.out, stratum)
            if stratum not in tally.pictured and (bench.asked or not picture.exists()):
                shown = [_example(*one, plan, bench) for one in zip(trials, rows, strict=True)]
                write_atomically(picture, examples_plot(shown))
            tally.pictured.add(stratum)
        tally.step(f"{subject.case.case}: simulated lesions")
    wanted = len(plan.families) * len(plan.seeds)
    for name, count in placed.items():
        if count < wanted:
            tally.warnings.append(f"{subject.case.case}: {wanted - count} of {wanted} {name} lesions found no place")


def _example(trial: Trial, rows: Sequence[Row], plan: Plan, bench: Bench) -> Example:
    """The lesion with its best classical and the first learnt restoration."""
    classical = [row for row in rows if not row["learnt"]]
    best = max(classical, key=lambda row: number(row, "psnr_db"))["restorer"] if classical else None
    shown = [entrant for entrant in plan.entrants if entrant.name == best]
    shown += [entrant for entrant in plan.entrants if not entrant.classical][:1]
    outputs = {
        entrant.name: bench.restore(entrant, trial.image, trial.lesion, trial.foreground)[0] for entrant in shown
    }
    return Example(str(trial.labels["family"]), trial.image, trial.truth, trial.lesion, outputs)


def _check_names(entrants: Sequence[Entrant]) -> None:
    names = [entrant.name for entrant in entrants]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"'{twice}' takes part twice: name each recipe or model once")
    if not names:
        raise InputError("nothing takes part: name at least one recipe or model")
