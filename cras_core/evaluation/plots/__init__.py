"""Pictures of what a model sees, after figures 4, 6 and 7 of the CRAS paper. The only part that knows matplotlib.

Nothing is chosen by what is drawn here: every limit and every scale comes from the bundle.
"""

from __future__ import annotations

from cras_core.evaluation.plots.write import PlotOptions, write_plots

__all__ = ["PlotOptions", "write_plots"]
