"""Everything that the module PseudoNormal does, put together for one host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PseudoNormalLib.batch import Batch
from PseudoNormalLib.choices import Choices
from PseudoNormalLib.engine.background import Background
from PseudoNormalLib.engine.connection import EngineConnection
from PseudoNormalLib.engine.jobs import EngineJobs
from PseudoNormalLib.engine.news import EngineNews
from PseudoNormalLib.engine.setup import EngineSetup
from PseudoNormalLib.export.exporter import Exporter
from PseudoNormalLib.generate import GenerateLogic
from PseudoNormalLib.handover import Handover
from PseudoNormalLib.i18n import _
from PseudoNormalLib.parameters import ParameterNode
from PseudoNormalLib.report import keep_page
from PseudoNormalLib.scene.case_nodes import case_of
from PseudoNormalLib.scene.comparison import Comparison
from PseudoNormalLib.scene.flicker import Flicker

if TYPE_CHECKING:
    from PseudoNormalLib.hosts import Host
    from PseudoNormalLib.scene.case_nodes import CaseNodes

MODULE = "PseudoNormal"
REPORT_PAGE = "report_html"
"""What the engine calls its report for reading."""


class Workbench:
    """The logics of the module, and what follows from one for the other.

    A case that was generated is shown, and its report kept for the session. A scan that is chosen is shown too: with
    its result where it has one; without, only where all views are ours.

    :ivar choices: what the user chose, kept in the scene.
    """

    def __init__(self, host: Host) -> None:
        self.host = host
        self.background = Background(host.tick)
        self.connection = EngineConnection(host, self.background)
        self.setup = EngineSetup(self.background, self.connection, host.data_folder / "engine")
        self.jobs = EngineJobs(self.background, self.connection.client)
        self.news = EngineNews(self.jobs, self.connection)
        self.choices = ParameterNode(host.scene, MODULE, Choices)
        self.generate = GenerateLogic(host, self.jobs)
        self.handover = Handover(self.jobs)
        self.comparison = Comparison(host)
        self.flicker = Flicker(self.comparison)
        self.exporter = Exporter(host, self.background)
        self.batch = Batch(self.background, self.connection.client)
        self.generate.finished.connect(self._show)
        self.choices.changed.connect(self._chosen)
        self.news.told.connect(self._engine_told)

    def wake(self) -> None:
        """Offer the scan that is in view where none is chosen, and start an engine on this computer."""
        if self.choices.values.image is None:
            active = self.host.application_logic.GetSelectionNode().GetActiveVolumeID()
            self.choices.update(image=self.host.scene.GetNodeByID(active) if active else None)
        self.connection.start()

    def obstacle(self) -> str:
        """Why nothing can be generated now, in one line; empty when it can."""
        chosen = "" if self.choices.values.image is not None else _("Choose a scan first")
        return self.engine_obstacle() or chosen

    def engine_obstacle(self) -> str:
        """Why the engine can be given no work now, in one line; empty when it can."""
        return self.engine_missing() or (_("A pseudo-normal is being generated") if self.generate.running else "")

    def engine_missing(self) -> str:
        """Why there is no engine to give work to, in one line; empty when there is one."""
        if self.connection.state == "missing":
            return _("There is no engine on this computer yet: set it up first")
        if self.connection.state == "remote" and not self.connection.choice.url.strip():
            return _("Give the server's address first")
        return ""

    def start(self) -> None:
        """Begin what was chosen; the outcome is told by the signals of ``generate``.

        An engine on this computer that does not run yet is started; the work waits for it.

        :raises ValueError: it cannot be begun; the text is one line for people.
        """
        self.connection.start()
        self.generate.start(self.choices.values.request(self.host))

    def choose(self, case: CaseNodes) -> None:
        """Have a case's scan generated again next, for its mask as it stands in the scene."""
        self.choices.update(image=case.image, lesions=case.lesions)

    def close(self) -> None:
        """Let go of the scene and end the engine on this computer."""
        self.generate.cancel()
        self.batch.cancel()
        self.setup.cancel()
        self.comparison.close()
        self.choices.close()
        self.connection.close()

    def _chosen(self, choices: Choices) -> None:
        shown = self.comparison.case
        if choices.image is None or (shown is not None and shown.image is choices.image):
            return
        case = case_of(choices.image)
        if case.complete or self.host.own_views:
            self.comparison.show(case)
        else:
            self.comparison.close()

    def _engine_told(self) -> None:
        self.handover.served = self.news.status is not None and self.news.status.store

    def _show(self, case: CaseNodes) -> None:
        page = self.generate.generated.documents.get(REPORT_PAGE)
        if page:
            keep_page(self.host, self.generate.generated.report, page)
        self.comparison.show(case)
