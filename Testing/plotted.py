"""What a chart of the scene shows."""

from __future__ import annotations


def plotted(chart):
    """The curves of a vtkMRMLPlotChartNode by name, as (x, y) pairs."""
    found = {}
    for number in range(chart.GetNumberOfPlotSeriesNodes()):
        series = chart.GetNthPlotSeriesNode(number)
        table = series.GetTableNode().GetTable()
        columns = [table.GetColumnByName(name) for name in (series.GetXColumnName(), series.GetYColumnName())]
        found[series.GetName()] = [
            tuple(column.GetValue(row) for column in columns) for row in range(table.GetNumberOfRows())
        ]
    return found
