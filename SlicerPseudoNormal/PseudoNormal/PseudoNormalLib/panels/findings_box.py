"""The findings of the case that is shown, and what follows from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PseudoNormalLib.handover import Handover
from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.findings_table import FindingsTable
from PseudoNormalLib.panels.forms import allow, button, note, row, section
from PseudoNormalLib.scene.case_nodes import CaseNodes, stored_as
from PseudoNormalLib.scene.findings import Finding
from PseudoNormalLib.scene.findings_words import findings_of, summary
from PseudoNormalLib.scene.navigation import jump_to_finding


class FindingsBox:
    """The table of findings, steps through it, generating again with the mask as it is now, and handing over.

    :param again: called with the case when its pseudo-normal is wanted for the mask as it stands in the scene.
    :param handover: sends the case to the case store.
    :ivar widget: the section.
    """

    def __init__(self, again: Callable[[CaseNodes], Any], handover: Handover) -> None:
        self._handover = handover
        self._case: CaseNodes | None = None
        self.widget, form = section(_("Findings"))
        self.summary = note()
        self.table = FindingsTable(self._jump)
        self.previous_button = button(_("Previous (P)"), "", lambda: self.table.step(-1))
        self.next_button = button(_("Next (N)"), "", lambda: self.table.step(1))
        self.again_button = button(_("Generate again with this mask"), "", lambda: again(self._case))
        self.send_button = button(_("Send to review"), "", self._send)
        self.sent_note = note()
        steps = row(self.previous_button, self.next_button)
        parts = (self.summary, self.table.widget, steps, self.again_button, self.send_button, self.sent_note)
        for part in parts:
            form.addRow(part)
        handover.changed.connect(self._follow)
        handover.failed.connect(self._say)
        self.show(None)

    def close(self) -> None:
        """Follow no more."""
        self._handover.changed.disconnect(self._follow)
        self._handover.failed.disconnect(self._say)

    def show(self, case: CaseNodes | None, running: str = "") -> None:
        """Show the findings of a case.

        :param running: why nothing can be generated now; empty when it can.
        """
        if case is not self._case or case is None:
            self._case = case
            self._fill(case)
            self._say("")
        tip = _("After you changed the lesion mask in the Segment Editor: restore the scan for the mask as it is now")
        lesions = case is not None and case.lesions is not None
        allow(self.again_button, tip, running if lesions else _("There is no lesion mask yet: press Generate"))
        self._follow()

    def _send(self) -> None:
        self._say("")
        self._handover.send(self._case)

    def _follow(self) -> None:
        tip = _("Put scan, result and the mask as it is now into the case store, where annotators find it")
        allow(self.send_button, tip, self._handover.obstacle(self._case))
        stored = stored_as(self._case) if self._case is not None else ""
        if stored:
            self._say(_("Sent to review as {name}").format(name=stored))

    def _say(self, line: str) -> None:
        self.sent_note.text = line
        self.sent_note.visible = bool(line)

    def _fill(self, case: CaseNodes | None) -> None:
        findings = findings_of(case)
        self.table.show(findings)
        self.summary.text = summary(case)
        reason = "" if findings else _("There are no findings to go to")
        allow(self.previous_button, _("Go to the previous finding"), reason)
        allow(self.next_button, _("Go to the next finding"), reason)

    def _jump(self, finding: Finding) -> None:
        jump_to_finding(self._case.image, finding)
