"""A retraining from beginning to end: store -> material -> training -> candidate -> judgement -> registry."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from pseudonormal.evaluate.rows import RowStore
from pseudonormal.models.bundle import Model, load_model
from pseudonormal.models.comparison import Comparison
from pseudonormal.models.device import choose_device
from pseudonormal.models.registry import Registry
from pseudonormal.models.versions import Entry
from pseudonormal.retraining.begun import Begun, begin, go_on
from pseudonormal.retraining.candidate import Candidate, facts_of, make_bundle
from pseudonormal.retraining.finding import brain_finder
from pseudonormal.retraining.judge import Judge, compared, means
from pseudonormal.retraining.learner import learner, start_weights
from pseudonormal.retraining.material import TEST
from pseudonormal.store.store import Store
from pseudonormal.training.interrupt import heeding
from pseudonormal.training.settings import Settings
from pseudonormal.training.trainer import train

Tell = Callable[[Mapping[str, Any]], None]


def retrain(
    store: Store,
    run: Path,
    parent: str,
    settings: Settings,
    *,
    recipe: str = "smile",
    options: Any = None,
    contrast: str = "",
    resume: bool = False,
    registry: Registry | None = None,
    tell: Tell = lambda _: None,
    stop: threading.Event | None = None,
) -> Candidate:
    """Train a model anew from what was accepted in the store, judge it on subjects kept aside, and register it.

    What is current stays so: the candidate waits to be promoted. A run that was stopped or killed, at whatever stage,
    goes on with ``resume`` from where it was, with the material, the parent and the version that it began with; once
    its candidate is made, with the judging.

    :param run: folder of the run; also gets what :func:`pseudonormal.training.trainer.train` writes.
    :param parent: the model to go on from: a name, ``NAME:VERSION`` or a bundle's folder; ignored on ``resume``.
    :param recipe: how to train; ignored on ``resume``, as is ``contrast``.
    :param options: the recipe's own.
    :param contrast: see :func:`pseudonormal.retraining.material.gather`.
    :param registry: None: the user's.
    :param tell: gets {"stage": "material", counts}, then each line of the trainer, then {"stage": "judging", "done":
        share}; in between {"warning": line} about what does not hinder.
    :param stop: once it is set, the state is saved and the training ends.
    :raises InputError: there is nothing to learn from, the run cannot be begun or resumed, or something cannot be
        written; what was reached stays.
    :raises Stopped: ``stop`` was set.
    """
    registry, stop = registry or Registry(), stop or threading.Event()
    if resume:
        begun = go_on(run, registry)
    else:
        begun = begin(store, run, parent, registry, contrast=contrast, trained_by=(recipe, settings, options))
    tell({"stage": "material", **begun.material.survey.counts})
    known = next((entry for entry in registry.entries(begun.name) if entry.version == begun.version), None)
    if known is not None:  # it was interrupted after its last word
        return Candidate(known)
    before = load_model(str(begun.bundle), choose_device(settings.device))
    bundle = run / "candidate" / begun.name
    if not bundle.exists():
        _make(bundle, begun, run, before, settings, options, resume=resume, tell=tell, stop=stop)
    return _judged(registry, begun, bundle, before, run, tell, stop)


def _make(
    bundle: Path,
    begun: Begun,
    run: Path,
    before: Model,
    settings: Settings,
    options: Any,
    *,
    resume: bool,
    tell: Tell,
    stop: threading.Event,
) -> None:
    """Train, and make the candidate's bundle."""
    brain = brain_finder(before, stop)
    with heeding(_networks(before), stop):
        taught = learner(begun.recipe, begun.material, brain, before, options)
    weights = train(
        taught,
        run,
        settings,
        start=start_weights(taught, begun.bundle),
        resume=resume,
        progress=tell,
        warn=lambda line: tell({"warning": line}),
        stop=stop,
    )
    tell({"stage": "judging", "done": 0.0})
    said = asdict(settings) | ({} if options is None else asdict(options))
    facts = facts_of(begun.version, begun.parent, begun.material, begun.recipe, said)
    make_bundle(
        bundle, begun, before, {key: weights[key] for key in weights if key in before.hashes}, facts, brain, stop
    )


def _judged(
    registry: Registry, begun: Begun, bundle: Path, before: Model, run: Path, tell: Tell, stop: threading.Event
) -> Candidate:
    """Judge candidate and parent on the same cases, hold the candidate against all versions, register it."""
    after = load_model(str(bundle), before.device)
    judge = Judge(begun.material.of(TEST), brain_finder(before, stop), RowStore(run / "judged.jsonl"))
    with heeding([*_networks(before), *_networks(after)], stop):
        of_after, of_before = judge.judge([after, before], lambda share: tell({"stage": "judging", "done": share}))
    registry.measured(begun.name, begun.parent, means(of_before), of_before)
    against = {entry.version: compared(of_after, entry.cases) for entry in registry.entries(begun.name)}
    comparisons = {version: comparison for version, comparison in against.items() if comparison is not None}
    entry = Entry(
        begun.name,
        begun.version,
        begun.parent,
        data=begun.material.fingerprint,
        recipe=begun.recipe,
        metrics=means(of_after),
        cases=of_after,
        comparisons={begun.parent: Comparison(0, {}), **comparisons},  # it was judged, be it on nobody
    )
    return Candidate(registry.register(bundle, entry))


def _networks(model: Model) -> list[torch.nn.Module]:
    return [model.brain, model.lesion, model.restore]
