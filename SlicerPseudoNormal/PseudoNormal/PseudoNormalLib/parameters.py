"""A module's parameters: a plain dataclass, kept in the scene, so that they are saved and loaded with it."""

from __future__ import annotations

import json
from dataclasses import MISSING, Field, field, fields
from typing import Any, Generic, TypeVar

from PseudoNormalLib.observation import Observation
from PseudoNormalLib.signals import Signal

Values = TypeVar("Values")


def node_field() -> Any:
    """A dataclass field that holds a MRML node or None."""
    return field(default=None, metadata={"node": True})


class ParameterNode(Generic[Values]):
    """Parameters of one module in the scene.

    ::

        @dataclass(frozen=True)
        class Parameters:
            volume: Any = node_field()
            opacity: float = 0.5

        parameters = ParameterNode(host.scene, "PseudoNormal", Parameters)
        parameters.changed.connect(show)  # show(values), also after loading a scene
        parameters.update(opacity=0.7)
        parameters.values.opacity

    :param module: the module's name; there is one node for each in a scene.
    :param kind: a dataclass whose fields all have a default and hold nodes or what JSON can tell; nested lists and
        objects come back as lists and dictionaries.
    """

    def __init__(self, scene: Any, module: str, kind: type[Values]) -> None:
        self.changed = Signal()
        self._kind = kind
        self._fields: dict[str, Field[Any]] = {one.name: one for one in fields(kind)}
        self._scene = scene
        self._node = _node_of(scene, module)
        self._told = self.values
        self._observations = [
            Observation(self._node, "ModifiedEvent", self._look),
            # While a scene loads or closes, nodes come and go one by one: it is looked at when that is over.
            Observation(scene, scene.EndBatchProcessEvent, self._look),
        ]

    @property
    def values(self) -> Values:
        """The parameters now; what the scene does not tell has its default."""
        given = {name: self._read(one) for name, one in self._fields.items()}
        return self._kind(**{name: value for name, value in given.items() if value is not MISSING})

    def update(self, **values: Any) -> None:
        """Change some of them; listeners are told once, and only of a change.

        :raises TypeError: there is no parameter of that name, or JSON cannot tell its value.
        """
        texts = {}
        for name, value in values.items():
            if name not in self._fields:
                raise TypeError(f"{self._kind.__name__} has no parameter {name!r}")
            if not self._is_node(name):
                texts[name] = json.dumps(value, ensure_ascii=False)
        modifying = self._node.StartModify()
        try:
            for name, value in values.items():
                if self._is_node(name):
                    self._node.SetNodeReferenceID(name, value.GetID() if value is not None else None)
                else:
                    self._node.SetParameter(name, texts[name])
        finally:
            self._node.EndModify(modifying)
        self._look()

    def close(self) -> None:
        """Look at the scene no more."""
        for observation in self._observations:
            observation.stop()

    def _is_node(self, name: str) -> bool:
        return bool(self._fields[name].metadata.get("node"))

    def _read(self, one: Field[Any]) -> Any:
        if self._is_node(one.name):
            return self._node.GetNodeReference(one.name)
        text = self._node.GetParameter(one.name)
        try:
            value = json.loads(text)
        except ValueError:  # nothing there, or a scene that somebody edited
            return MISSING
        return tuple(value) if isinstance(value, list) else value

    def _look(self, *_: Any) -> None:
        if self._scene.IsBatchProcessing():
            return
        now = self.values
        if now != self._told:
            self._told = now
            self.changed.emit(now)


def _node_of(scene: Any, module: str) -> Any:
    """The module's node in the scene, made where there is none.

    As a singleton it stays the same node when a scene is loaded or closed; its values are those loaded, or none.
    """
    node = scene.GetSingletonNode(module, "vtkMRMLScriptedModuleNode")
    if node is None:
        node = scene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
        node.UnRegister(None)
        node.SetSingletonTag(module)
        node.SetModuleName(module)
        node.SetAttribute("ModuleName", module)
        node.SetName(module)
        scene.AddNode(node)
    return node
