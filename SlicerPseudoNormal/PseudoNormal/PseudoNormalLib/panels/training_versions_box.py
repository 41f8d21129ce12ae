"""The versions of the models: which is current, how each one did, promote and roll back."""

from __future__ import annotations

from PseudoNormalLib.engine.training_replies import VersionInfo
from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.forms import allow, button, note, row, section
from PseudoNormalLib.panels.tables import fill, plain_table
from PseudoNormalLib.training.versions import Versions, comparisons_in_words, version_row, version_titles

HEIGHT = 130  # px


class TrainingVersionsBox:
    """Versions, one a row, the last first. A version that is worse is promoted only after a second question.

    :ivar widget: the section.
    """

    def __init__(self, versions: Versions) -> None:
        self._versions = versions
        self._refused: VersionInfo | None = None
        self.widget, form = section(_("Versions of the models"))
        self.table = plain_table(version_titles(), stretched=3, height=HEIGHT)
        self.table.itemSelectionChanged.connect(self._choose)
        self.none_note = note(_("There are no versions yet: the first training makes them."))
        self.compared = note()
        self.promote_button = button(_("Promote"), "", self._promote)
        self.back_button = button(_("Roll back"), "", self._roll_back)
        self.message = note()
        self.nevertheless_button = button(_("Promote it nevertheless"), "", self._promote_nevertheless)
        self.keep_button = button(_("Leave it"), "", self._forget)
        self.question = row(self.nevertheless_button, self.keep_button)
        for part in (
            self.none_note,
            self.table,
            self.compared,
            row(self.promote_button, self.back_button),
            self.message,
            self.question,
        ):
            form.addRow(part)
        self._signals = (
            (versions.changed, self._show),
            (versions.done, self.say),
            (versions.failed, self.say),
            (versions.refused, self._ask),
        )
        for signal, listener in self._signals:
            signal.connect(listener)
        self.say("")
        self._show()

    @property
    def chosen(self) -> VersionInfo | None:
        """The version whose row is chosen."""
        number = self.table.currentRow()
        return self._versions.all[number] if 0 <= number < len(self._versions.all) else None

    def say(self, line: str) -> None:
        """Tell something below the buttons."""
        self.message.text = line
        self.message.visible = bool(line)

    def close(self) -> None:
        """Follow no more."""
        for signal, listener in self._signals:
            signal.disconnect(listener)

    def _show(self) -> None:
        item = self.table.item(self.table.currentRow(), 0)
        before = None if item is None else item.text()
        fill(self.table, [version_row(version) for version in self._versions.all])
        models = [version.model for version in self._versions.all]
        self.table.setCurrentCell(models.index(before) if before in models else -1, 0)
        self.none_note.visible = not models
        self._choose()

    def _choose(self) -> None:
        self._forget()
        version = self.chosen
        self.compared.text = comparisons_in_words(version)
        self.compared.visible = bool(self.compared.text)
        obstacle = self._versions.promote_obstacle(version)
        allow(self.promote_button, _("Let its model's name mean this version from now on"), obstacle)
        back = self._versions.back_obstacle(version)
        allow(self.back_button, _("Let the version that was current before be so again"), back)

    def _promote(self) -> None:
        self.say("")
        self._versions.promote(self.chosen)

    def _roll_back(self) -> None:
        self.say("")
        self._versions.roll_back(self.chosen.name)

    def _ask(self, version: VersionInfo, reason: str) -> None:
        self._refused = version
        self.say(reason)
        self.question.visible = True

    def _promote_nevertheless(self) -> None:
        version = self._refused
        self._forget()
        self._versions.promote(version, force=True)

    def _forget(self) -> None:
        if self._refused is not None:
            self.say("")
        self._refused = None
        self.question.visible = False
