"""The widgets of CTK that the panels use."""
# ruff: noqa: N801, N802, N815 - CTK's names

from __future__ import annotations

from PySide6 import QtCore, QtWidgets
from Testing.panels.standin import qt

HEADER = 26  # px, the bar of a collapsible button
UNBOUND = 16777215  # Qt's greatest size


def kept(name: str, start):
    """A Qt property that keeps what it is given; ``start`` is its first value and says its type."""

    def read(widget):
        return widget.__dict__.get(f"kept_{name}", start)

    def write(widget, value):
        widget.__dict__[f"kept_{name}"] = value
        widget.update()

    return QtCore.Property(type(start), read, write)


class ctkCollapsibleButton(qt.QWidget):
    """A bar with a title that hides and shows what is laid out below it."""

    contentsCollapsed = QtCore.Signal(bool)
    text = kept("text", "")

    def __init__(self, parent=None):
        super().__init__(parent)
        self.setContentsMargins(0, HEADER, 0, 0)

    def isCollapsed(self):
        return QtWidgets.QWidget.maximumHeight(self) == HEADER

    def setCollapsed(self, closed):
        if closed != self.isCollapsed():
            self.setMaximumHeight(HEADER if closed else UNBOUND)
            self.contentsCollapsed.emit(closed)

    collapsed = QtCore.Property(bool, isCollapsed, setCollapsed)

    def setText(self, text):
        self.text = text

    def mousePressEvent(self, event):
        if event.position().y() < HEADER:
            self.setCollapsed(not self.isCollapsed())

    def paintEvent(self, event):
        painter = QtWidgets.QStylePainter(self)
        bar = QtWidgets.QStyleOptionToolButton()
        bar.initFrom(self)
        bar.rect = QtCore.QRect(0, 0, QtWidgets.QWidget.width(self), HEADER - 3)
        painter.drawPrimitive(QtWidgets.QStyle.PE_PanelButtonCommand, bar)
        painter.drawText(bar.rect.adjusted(24, 0, 0, 0), QtCore.Qt.AlignVCenter, self.text)
        bar.rect = QtCore.QRect(6, 5, 13, 13)
        style = QtWidgets.QStyle
        painter.drawPrimitive(style.PE_IndicatorArrowRight if self.isCollapsed() else style.PE_IndicatorArrowDown, bar)


class ctkSliderWidget(qt.QWidget):
    """A slider and a box with the number, kept at the same value."""

    valueChanged = QtCore.Signal(float)

    def __init__(self, parent=None):
        super().__init__(parent)
        self.slider = QtWidgets.QSlider(QtCore.Qt.Horizontal, self)
        self.box = QtWidgets.QDoubleSpinBox(self)
        self.slider.valueChanged.connect(lambda step: self.box.setValue(step * self.box.singleStep()))
        self.box.valueChanged.connect(self.take)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.slider)
        layout.addWidget(self.box)

    def take(self, value):
        self.slider.blockSignals(True)
        self.fit()
        self.slider.blockSignals(False)
        self.valueChanged.emit(value)

    def fit(self):
        """The slider's steps are the box's."""
        step = self.box.singleStep()
        self.slider.setRange(round(self.box.minimum() / step), round(self.box.maximum() / step))
        self.slider.setValue(round(self.box.value() / step))

    def change(self, setter, value):
        setter(value)
        self.fit()

    value = QtCore.Property(
        float, lambda self: self.box.value(), lambda self, value: self.box.setValue(value), notify=valueChanged
    )
    minimum = QtCore.Property(
        float, lambda self: self.box.minimum(), lambda self, value: self.change(self.box.setMinimum, value)
    )
    maximum = QtCore.Property(
        float, lambda self: self.box.maximum(), lambda self, value: self.change(self.box.setMaximum, value)
    )
    singleStep = QtCore.Property(
        float, lambda self: self.box.singleStep(), lambda self, value: self.change(self.box.setSingleStep, value)
    )
    decimals = QtCore.Property(
        int, lambda self: self.box.decimals(), lambda self, value: self.change(self.box.setDecimals, value)
    )
    suffix = QtCore.Property(
        str, lambda self: self.box.suffix(), lambda self, value: self.change(self.box.setSuffix, value)
    )

    def setValue(self, value):
        self.value = value


class ctkPathLineEdit(qt.QWidget):
    """A path to type, or to choose with the button beside it."""

    currentPathChanged = QtCore.Signal(str)
    Dirs, Files = 1, 2
    filters = kept("filters", 0)
    nameFilters = QtCore.Property(list, lambda self: self.names, lambda self, names: setattr(self, "names", names))

    def __init__(self, parent=None):
        super().__init__(parent)
        self.names: list[str] = []
        self.line = QtWidgets.QLineEdit(self)
        self.line.textChanged.connect(self.currentPathChanged)
        self.browse = QtWidgets.QToolButton(self)
        self.browse.setText("…")
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.line)
        layout.addWidget(self.browse)

    currentPath = QtCore.Property(str, lambda self: self.line.text(), lambda self, path: self.line.setText(path))

    def setCurrentPath(self, path):
        self.currentPath = path


def __getattr__(name: str):
    message = f"the stand-in has no ctk.{name} yet"
    raise AttributeError(message)
