"""Slicer's view of a chart: draws the curves of a real MRML chart, with its title and legend."""
# ruff: noqa: N801, N802 - Slicer's names

from __future__ import annotations

import math

from PySide6 import QtCore, QtGui
from Testing.panels.standin import qt

LEFT, TOP, RIGHT, BOTTOM = 44, 20, 110, 18


class qMRMLPlotView(qt.QWidget):
    """Looks at its chart each time it is painted, and paints again when the chart says that it changed."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self.scene = self.view = None
        self.timer = qt.QTimer(self)  # Slicer's own is told by MRML's events
        self.timer.timeout.connect(self.update)
        self.timer.start(200)

    def setMRMLScene(self, scene):
        self.scene = scene
        if scene is None:
            self.view = None
            self.timer.stop()

    def setMRMLPlotViewNode(self, view):
        self.view = view

    def mrmlPlotViewNode(self):
        return self.view

    def curves(self):
        """Name, colour and points of each curve."""
        chart = self.view.GetPlotChartNode() if self.view else None
        for number in range(chart.GetNumberOfPlotSeriesNodes() if chart else 0):
            series = chart.GetNthPlotSeriesNode(number)
            table = series.GetTableNode().GetTable()
            x, y = (table.GetColumnByName(name) for name in (series.GetXColumnName(), series.GetYColumnName()))
            points = [(x.GetValue(row), y.GetValue(row)) for row in range(table.GetNumberOfRows())]
            yield series.GetName(), series.GetColor(), [point for point in points if not math.isnan(point[1])]

    def paintEvent(self, event):
        painter = QtGui.QPainter(self)
        whole = QtCore.QRectF(self.rect)
        painter.fillRect(whole, QtCore.Qt.white)
        chart = self.view.GetPlotChartNode() if self.view else None
        if chart is None:
            return
        painter.drawText(QtCore.QRectF(0, 2, whole.width(), TOP), QtCore.Qt.AlignCenter, chart.GetTitle() or "")
        inside = whole.adjusted(LEFT, TOP, -RIGHT, -BOTTOM)
        painter.setPen(QtCore.Qt.gray)
        painter.drawRect(inside)
        curves = list(self.curves())
        points = [point for _, _, curve in curves for point in curve]
        if not points:
            return
        (left, right), (low, high) = (extent([point[axis] for point in points]) for axis in (0, 1))
        painter.setPen(QtCore.Qt.black)
        painter.drawText(QtCore.QPointF(2, inside.top() + 10), f"{high:.3g}")
        painter.drawText(QtCore.QPointF(2, inside.bottom()), f"{low:.3g}")
        painter.drawText(QtCore.QPointF(inside.left(), whole.bottom() - 4), f"{left:.0f}")
        painter.drawText(QtCore.QPointF(inside.right() - 24, whole.bottom() - 4), f"{right:.0f}")
        for number, (name, colour, curve) in enumerate(curves):
            painter.setPen(QtGui.QPen(QtGui.QColor.fromRgbF(*colour), 2))
            painter.drawText(QtCore.QPointF(inside.right() + 6, inside.top() + 12 + 14 * number), name)
            painter.drawPolyline(
                [
                    QtCore.QPointF(
                        inside.left() + inside.width() * (x - left) / (right - left),
                        inside.bottom() - inside.height() * (y - low) / (high - low),
                    )
                    for x, y in curve
                ]
            )


def extent(values):
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)
