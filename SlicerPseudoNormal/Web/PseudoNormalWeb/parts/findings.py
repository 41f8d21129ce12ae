"""The findings of the case that is shown, and what follows from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PseudoNormalLib.i18n import _
from PseudoNormalLib.scene.case_nodes import stored_as
from PseudoNormalLib.scene.findings_words import WORDS, cells, findings_of, row_after, summary, titles
from PseudoNormalLib.scene.navigation import jump_to_finding
from trame.widgets import html
from trame_server.utils.typed_state import TypedState

from PseudoNormalWeb.window.forms import button, note, section

if TYPE_CHECKING:
    from PseudoNormalLib.scene.case_nodes import CaseNodes

    from PseudoNormalWeb.window.window import Window


@dataclass
class FindingsState:
    """What the table says.

    :param rows: the cells of each finding.
    :param current: the row that was gone to last; -1: none.
    :param no_steps: why one cannot step; the others likewise.
    """

    summary: str = ""
    rows: list[list[str]] = field(default_factory=list)
    current: int = -1
    no_steps: str = ""
    not_again: str = ""
    not_sent: str = ""
    sent: str = ""


class FindingsPart:
    """The table of findings, steps through it, generating again with the mask as it is now, and handing over.

    :param press_generate: begins what is chosen.
    """

    def __init__(self, window: Window, press_generate: Callable[[], None]) -> None:
        self._bench = bench = window.bench
        self._handover, self._press_generate = bench.handover, press_generate
        self._case: CaseNodes | None = None
        self._state = TypedState(window.server.state, FindingsState)
        self._signals = (
            (bench.comparison.changed, self._show),
            (bench.generate.progress, self._offer),
            (bench.generate.finished, self._offer),
            (bench.generate.failed, self._offer),
            (bench.generate.cancelled, self._offer),
            (bench.news.told, self._offer),
            (self._handover.changed, self._offer),
            (self._handover.failed, self._say),
        )
        for signal, listener in self._signals:
            signal.connect(listener)
        self._show(bench.comparison.case)

    def build(self) -> None:
        """Make the widgets, inside the trame layout that is open."""
        name = self._state.name
        with section(_("Findings")):
            note(f"{{{{ {name.summary} }}}}")
            self._build_table()
            with html.Div(classes="pn-row"):
                previous, following = _("Go to the previous finding"), _("Go to the next finding")
                button(_("Previous (P)"), lambda: self.step(-1), tip=previous, reason=name.no_steps)
                button(_("Next (N)"), lambda: self.step(1), tip=following, reason=name.no_steps)
            tip = _("After you changed the lesion mask: restore the scan for the mask as it is now")
            button(_("Generate again with this mask"), self._again, tip=tip, reason=name.not_again, wide=True)
            tip = _("Put scan, result and the mask as it is now into the case store, where annotators find it")
            button(_("Send to review"), self._send, tip=tip, reason=name.not_sent, wide=True)
            note(f"{{{{ {name.sent} }}}}", v_show=(name.sent,))

    def close(self) -> None:
        """Follow no more; the part is not used again."""
        for signal, listener in self._signals:
            signal.disconnect(listener)

    def step(self, by: int) -> None:
        """Go to another finding, round and round.

        :param by: 1 for the next, -1 for the previous.
        """
        self.go_to(row_after(self._state.data.current, by, findings_of(self._case)))

    def go_to(self, row: int) -> None:
        """Show a finding in all views."""
        findings = findings_of(self._case)
        if 0 <= row < len(findings):
            self._state.data.current = row
            jump_to_finding(self._case.image, findings[row])

    def _build_table(self) -> None:
        name = self._state.name
        with html.Table(v_show=f"{name.rows}.length", classes="pn-table"):
            with html.Thead(), html.Tr():
                for column, title in enumerate(titles()):
                    html.Th(title, classes="pn-words" if column == WORDS else "")
            with (
                html.Tbody(),
                html.Tr(
                    v_for=f"(row, index) in {name.rows}",
                    key="index",
                    classes=(f"index === {name.current} ? 'pn-on' : ''",),
                    click=(self.go_to, "[index]"),
                ),
            ):
                html.Td(
                    "{{ cell }}",
                    v_for="(cell, column) in row",
                    key="column",
                    classes=(f"column === {WORDS} ? 'pn-words' : ''",),
                )

    def _again(self) -> None:
        self._bench.choose(self._case)
        self._press_generate()

    def _send(self) -> None:
        self._say("")
        self._handover.send(self._case)

    def _show(self, case: CaseNodes | None) -> None:
        if case is not self._case or case is None:
            self._case = case
            findings = findings_of(case)
            data = self._state.data
            data.rows, data.current, data.sent = [cells(finding) for finding in findings], -1, ""
            data.summary = summary(case)
            data.no_steps = "" if findings else _("There are no findings to go to")
        self._offer()

    def _offer(self, *_news: Any) -> None:
        data, case = self._state.data, self._case
        lesions = case is not None and case.lesions is not None
        data.not_again = self._bench.engine_obstacle() if lesions else _("There is no lesion mask yet: press Generate")
        data.not_sent = self._handover.obstacle(case)
        stored = stored_as(case) if case is not None else ""
        if stored:
            self._say(_("Sent to review as {name}").format(name=stored))

    def _say(self, line: str) -> None:
        self._state.data.sent = line
