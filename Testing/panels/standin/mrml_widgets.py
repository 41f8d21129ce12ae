"""Slicer's own widgets that the panels use, on a real MRML scene."""
# ruff: noqa: N801, N802, N815 - Slicer's names

from __future__ import annotations

import weakref

import slicer
from PySide6 import QtCore
from Testing.panels.standin import qt
from Testing.panels.standin.ctk import kept


def filler(selector):
    """Fills the selector as long as it lives; the scene may outlive it."""
    reference = weakref.ref(selector)

    def on_scene(scene, event):
        living = reference()
        if living is not None:
            living.fill()

    return on_scene


class qMRMLNodeComboBox(qt.QComboBox):
    """Chooses a node among those of the scene that are of the wanted types."""

    currentNodeChanged = QtCore.Signal(object)
    nodeTypes = QtCore.Property(list, lambda self: self.types, lambda self, types: self.look_for(types))
    noneEnabled = QtCore.Property(bool, lambda self: self.none, lambda self, none: self.allow_none(none))
    showChildNodeTypes = kept("showChildNodeTypes", True)
    showHidden = kept("showHidden", False)
    addEnabled = kept("addEnabled", True)
    removeEnabled = kept("removeEnabled", True)
    renameEnabled = kept("renameEnabled", False)
    selectNodeUponCreation = kept("selectNodeUponCreation", False)
    noneDisplay = kept("noneDisplay", "None")

    def __init__(self, parent=None):
        super().__init__(parent)
        self.types: list[str] = []
        self.ids: list[str] = []
        self.none, self.scene, self.watching, self.last = False, None, [], None
        self.currentIndexChanged.connect(self.tell)

    def look_for(self, types):
        self.types = list(types)
        self.fill()

    def allow_none(self, none):
        self.none = none
        self.fill()

    def setMRMLScene(self, scene):
        for tag in self.watching:
            self.scene.RemoveObserver(tag)
        self.scene, self.watching = scene, []
        if scene:
            for event in (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndCloseEvent):
                self.watching.append(scene.AddObserver(event, filler(self)))
        self.fill()

    def nodes(self):
        if not self.scene:
            return []
        found = {}
        for kind in self.types:
            for node in self.scene.GetNodesByClass(kind):
                wanted = self.showChildNodeTypes or node.GetClassName() == kind
                if wanted and (self.showHidden or not node.GetHideFromEditors()):
                    found[node.GetID()] = node
        return list(found.values())

    def fill(self):
        chosen = self.currentNodeID
        self.blockSignals(True)
        self.clear()
        self.ids = [""] if self.none else []
        if self.none:
            self.addItem(self.noneDisplay)
        for node in self.nodes():
            self.addItem(node.GetName())
            self.ids.append(node.GetID())
        self.setCurrentIndex(self.ids.index(chosen) if chosen in self.ids else min(0, len(self.ids) - 1))
        self.blockSignals(False)
        self.tell()

    def tell(self):
        if self.currentNodeID != self.last:
            self.last = self.currentNodeID
            self.currentNodeChanged.emit(self.currentNode())

    def currentNode(self):
        return self.scene.GetNodeByID(self.currentNodeID) if self.scene and self.currentNodeID else None

    def setCurrentNode(self, node):
        self.setCurrentNodeID(node.GetID() if node else "")

    def setCurrentNodeID(self, node_id):
        self.setCurrentIndex(self.ids.index(node_id or ""))

    currentNodeID = QtCore.Property(str, lambda self: self.id_now(), lambda self, value: self.setCurrentNodeID(value))

    def id_now(self):
        place = self.currentIndex
        return self.ids[place] if 0 <= place < len(self.ids) else ""


class qMRMLSegmentEditorWidget(qt.QWidget):
    """The Segment Editor's widget with a real editor behind it: nodes, segment and undo; no effect draws anything."""

    HANDED_ON = (
        ("setMRMLScene", "SetMRMLScene"),
        ("setMRMLSegmentEditorNode", "SetSegmentEditorNode"),
        ("mrmlSegmentEditorNode", "GetSegmentEditorNode"),
        ("setSegmentationNode", "SetSegmentationNode"),
        ("setSourceVolumeNode", "SetSourceVolumeNode"),
        ("setCurrentSegmentID", "SetCurrentSegmentID"),
        ("setMaximumNumberOfUndoStates", "SetMaximumNumberOfUndoStates"),
        ("saveStateForUndo", "SaveStateForUndo"),
        ("undo", "Undo"),
        ("redo", "Redo"),
    )
    ONLY_SEEN = (
        "setSegmentationNodeSelectorVisible",
        "setSourceVolumeNodeSelectorVisible",
        "setSwitchToSegmentationsButtonVisible",
        "setAddRemoveSegmentButtonsVisible",
        "setActiveEffectByName",
        "setupViewObservations",
        "removeViewObservations",
    )

    def __init__(self, parent=None):
        super().__init__(parent)
        editor = slicer.vtkSlicerSegmentEditorLogic()
        for name, there in self.HANDED_ON:
            setattr(self, name, getattr(editor, there))
        for name in self.ONLY_SEEN:
            setattr(self, name, lambda *_: None)
