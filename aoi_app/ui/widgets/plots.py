"""Plots as all pages draw them."""

from __future__ import annotations

import pyqtgraph as pg

from aoi_app.ui.widgets.theme import Theme


def plot(title: str, across: str, up: str, theme: Theme) -> pg.PlotWidget:
    """A plot in the colours of the program that nobody moves by accident."""
    widget = pg.PlotWidget(title=title)
    widget.setAccessibleName(title)
    widget.setBackground(theme.panel)
    widget.setMouseEnabled(x=False, y=False)
    widget.setMenuEnabled(False)
    widget.hideButtons()
    for side, text in (("bottom", across), ("left", up)):
        axis = widget.getAxis(side)
        axis.enableAutoSIPrefix(False)
        axis.setPen(theme.faint)
        axis.setTextPen(theme.text)
        widget.setLabel(side, text)
    return widget
