"""Plots as all pages draw them."""

from __future__ import annotations

import pyqtgraph as pg

from aoi_app.ui.widgets.theme import Theme


def plot(title: str, across: str, up: str, theme: Theme) -> pg.PlotWidget:
    """A plot in the colours of the program that nobody moves by accident."""
    widget = pg.PlotWidget(title=title)
    widget.setAccessibleName(title)
    widget.setMouseEnabled(x=False, y=False)
    widget.setMenuEnabled(False)
    widget.hideButtons()
    for side, text in (("bottom", across), ("left", up)):
        widget.getAxis(side).enableAutoSIPrefix(False)
        widget.setLabel(side, text)
    color_plot(widget, theme)
    return widget


def show_values(widget: pg.PlotWidget, *, across: bool) -> None:
    """Whether numbers stand below a plot; without curves those of pyqtgraph mean nothing."""
    widget.getAxis("bottom").setStyle(showValues=across)


def color_plot(widget: pg.PlotWidget, theme: Theme) -> None:
    """Gives ground, title, axes and legend of a plot the colours of a theme; its curves are left as they are."""
    widget.setBackground(theme.panel)
    title = widget.getPlotItem().titleLabel
    title.setText(title.text, color=theme.text)
    for side in ("bottom", "left"):
        axis = widget.getAxis(side)
        axis.setPen(theme.faint)
        axis.setTextPen(theme.text)
    legend = widget.getPlotItem().legend
    if legend is not None:
        legend.setLabelTextColor(theme.text)
        for _, label in legend.items:
            label.setText(label.text, color=theme.text)
