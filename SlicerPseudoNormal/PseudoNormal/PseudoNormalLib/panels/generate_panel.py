"""The panel of the module PseudoNormal, put together from its boxes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt

from PseudoNormalLib.panels.batch_box import BatchBox
from PseudoNormalLib.panels.comparison_box import FLICKER_KEY, ComparisonBox
from PseudoNormalLib.panels.engine_box import EngineBox
from PseudoNormalLib.panels.export_box import ExportBox
from PseudoNormalLib.panels.findings_box import FindingsBox
from PseudoNormalLib.panels.forms import research_notice
from PseudoNormalLib.panels.generate_box import GenerateBox
from PseudoNormalLib.panels.scan_box import ScanBox
from PseudoNormalLib.panels.setup_box import SetUpBox
from PseudoNormalLib.panels.shortcuts import Shortcuts
from PseudoNormalLib.scene.case_nodes import CaseNodes
from PseudoNormalLib.workbench import Workbench


class GeneratePanel:
    """What the radiologist sees: scan, Generate, findings, comparison, export, batch.

    :param bench: does the work.
    :param requirements: the file with the Python packages that the export of DICOM needs.
    :ivar widget: the panel.
    """

    def __init__(self, bench: Workbench, requirements: Path) -> None:
        self._bench = bench
        self.engine = EngineBox(bench.connection, bench.background)
        self.set_up = SetUpBox(bench.setup, collapsed=bench.connection.state != "missing")
        self.scan = ScanBox(bench.host, bench.choices)
        self.generate = GenerateBox(bench.generate, self._start)
        self.findings = FindingsBox(self._again, bench.handover)
        self.comparison = ComparisonBox(bench.comparison, bench.flicker)
        self.export = ExportBox(bench.host, bench.exporter, requirements)
        self.batch = BatchBox(bench.host, bench.batch, bench.choices)
        self.widget = qt.QWidget()
        layout = qt.QVBoxLayout(self.widget)
        layout.setContentsMargins(0, 0, 0, 0)
        work = (self.scan, self.generate, self.findings, self.comparison, self.export, self.batch)
        for box in (self.engine, self.set_up, *work):
            layout.addWidget(box.widget)
        layout.addWidget(research_notice())
        layout.addStretch(1)
        self._shortcuts = Shortcuts({
            FLICKER_KEY: bench.flicker.toggle,
            "N": lambda: self.findings.table.step(1),
            "P": lambda: self.findings.table.step(-1),
        })  # fmt: skip
        self._signals = (
            (bench.choices.changed, self._offer),
            (bench.connection.changed, self._offer),
            (bench.news.told, self._engine_told),
            (bench.news.silent, self.engine.say),
            (bench.comparison.changed, self._shown),
            (bench.generate.progress, self._offer),
            (bench.generate.finished, self._offer),
            (bench.generate.failed, self._offer),
            (bench.generate.cancelled, self._offer),
        )
        for signal, listener in self._signals:
            signal.connect(listener)
        self._offer()

    def enter(self) -> None:
        """The panel is shown: keys hold, the engine is woken, and the scan that is in view is offered."""
        self._shortcuts.install()
        self._bench.wake()
        self._bench.news.ask()
        self._offer()

    def leave(self) -> None:
        """The panel is hidden: keys mean again what they meant before."""
        self._shortcuts.remove()
        self._bench.flicker.stop()

    def close(self) -> None:
        """Let go of everything; the panel is not used again."""
        self.leave()
        for signal, listener in self._signals:
            signal.disconnect(listener)
        for box in (self.scan, self.generate, self.findings, self.comparison, self.batch, self.engine, self.set_up):
            box.close()

    def _start(self) -> None:
        try:
            self._bench.start()
        finally:
            self._offer()

    def _again(self, case: CaseNodes) -> None:
        self._bench.choose(case)
        self.generate.press()

    def _shown(self, case: CaseNodes | None) -> None:
        self.export.show(case)
        self._offer()

    def _engine_told(self) -> None:
        news = self._bench.news
        self.scan.offer_models(news.models)
        self.engine.show_status(news.status)
        self.batch.offer_store(served=news.status.store)
        self._offer()

    def _offer(self, *_news: Any) -> None:
        obstacle = self._bench.obstacle()
        self.generate.offer(obstacle)
        self.batch.offer(self._bench.engine_missing())
        self.findings.show(self._bench.comparison.case, self._bench.engine_obstacle())
