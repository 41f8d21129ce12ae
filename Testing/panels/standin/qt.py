"""PySide6 in PythonQt's idiom: one flat module, properties are attributes, ``connect("signal()", f)``.

What is strict in PythonQt is strict here: ``combo.currentIndex`` is a number, so ``combo.currentIndex()`` fails.
Objects that Qt itself hands out (a table's header) keep PySide's idiom; the panels call only methods on those.
"""

from __future__ import annotations

import ctypes
import functools
import sys

from PySide6 import QtCore, QtGui, QtWidgets

if sys.version_info < (3, 12):
    # PySide 6.12 takes these for immortal, as Python 3.12 made them, and uses up a reference of them at each call that
    # returns one: after some thousand calls an older Python would fall over. This gives them more than can be used up.
    for constant in (None, True, False):
        ctypes.c_ssize_t.from_address(id(constant)).value += 1 << 40

# Qt asks Python for these virtual functions by name: as attributes they would ask themselves.
VIRTUAL = frozenset({"sizeHint", "minimumSizeHint"})
VIRTUAL_OF = {"QProgressBar": VIRTUAL | {"text"}}


@functools.cache
def properties_of(kind: type) -> frozenset[str]:
    """Names that are attributes in PythonQt."""
    meta = kind.staticMetaObject
    names = frozenset(meta.property(index).name() for index in range(meta.propertyCount()))
    return names - VIRTUAL_OF.get(kind.__name__, VIRTUAL)


def connect(self, signature, slot):
    """PythonQt's second way to connect; the signature names the overload, of which the stand-in has one each."""
    getattr(self, signature.partition("(")[0]).connect(slot)
    return True


def disconnect(self, signature, slot):
    getattr(self, signature.partition("(")[0]).disconnect(slot)
    return True


class Idioms:
    """What PythonQt adds to every QObject."""

    def __init_subclass__(cls):
        # The binding looks these two up in the class itself, not in its bases.
        cls.connect, cls.disconnect = connect, disconnect

    def __getattribute__(self, name):
        kind = object.__getattribute__(self, "__class__")
        if name in properties_of(kind):
            return kind.property(self, name)
        return super().__getattribute__(name)

    def __setattr__(self, name, value):
        if name not in properties_of(type(self)):
            super().__setattr__(name, value)
        elif not self.setProperty(name, value):
            message = f"{type(self).__name__}.{name} does not take {value!r}"
            raise TypeError(message)


def in_pythonqt_idiom(kind: type) -> type:
    """The class with PythonQt's idioms; a class that is no QObject has none."""
    return type(kind.__name__, (Idioms, kind), {}) if issubclass(kind, QtCore.QObject) else kind


@functools.cache
def qt_class(name: str):
    for module in (QtWidgets, QtGui, QtCore):
        if hasattr(module, name):
            found = getattr(module, name)
            return in_pythonqt_idiom(found) if isinstance(found, type) else found
    message = f"Qt has no {name}"
    raise AttributeError(message)


def __getattr__(name: str):
    return qt_class(name)
