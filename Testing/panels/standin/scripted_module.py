"""The four base classes of a scripted module: as much of them as the module files use."""
# ruff: noqa: N802 - Slicer's names

from __future__ import annotations

import sys
import unittest
from pathlib import Path

import slicer
from Testing.panels.standin import qt


class ScriptedLoadableModule:
    """Describes the module; Slicer fills in nothing else for our use."""

    def __init__(self, parent):
        self.parent = parent


def widget_with_layout():
    widget = qt.QWidget()
    widget.setLayout(qt.QVBoxLayout())
    return widget


class ScriptedLoadableModuleWidget:
    """The module's page: a widget with a layout that ``setup`` fills."""

    def __init__(self, parent=None):
        self.parent = parent or widget_with_layout()
        self.layout = self.parent.layout()

    def resourcePath(self, name):
        return str(Path(sys.modules[type(self).__module__].__file__).parent / "Resources" / name)

    def setup(self):
        pass

    def cleanup(self):
        pass


class ScriptedLoadableModuleLogic:
    """Holds what the module computes."""

    def __init__(self, parent=None):
        self.parent = parent


class ScriptedLoadableModuleTest(unittest.TestCase):
    """The module's self-test."""

    def delayDisplay(self, message):
        slicer.app.processEvents()
