"""What the keys of the review do, in every host."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PseudoNormalLib.review.bench import ReviewBench

BRUSH_STEP = 1.25


def actions(review: ReviewBench, show_keys: Callable[[], Any]) -> dict[str, Callable[[], Any]]:
    """What to do by the names in :mod:`PseudoNormalLib.review.keys`; without an open case nothing happens.

    :param show_keys: shows what the keys do.
    """
    return {
        "next_finding": lambda: review.deciding.do("next"),
        "previous_finding": lambda: review.deciding.do("previous"),
        "accept_finding": lambda: review.deciding.do("accept"),
        "reject_finding": lambda: review.deciding.do("reject"),
        "keep_finding": lambda: review.deciding.do("keep"),
        "grow": review.grow,
        "shrink": review.shrink,
        "distrust": review.drawing.toggle,
        "larger_brush": lambda: review.set_brush(radius_mm=review.radius_mm * BRUSH_STEP),
        "smaller_brush": lambda: review.set_brush(radius_mm=review.radius_mm / BRUSH_STEP),
        "flicker": review.bench.flicker.toggle,
        "undo": review.deciding.undo,
        "redo": review.deciding.redo,
        "save": review.verdict.save,
        "accept_case": lambda: review.verdict.finish("accepted"),
        "help": show_keys,
    }
