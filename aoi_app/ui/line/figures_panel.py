"""The figures of the running roll, to be read from two metres."""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from aoi_app.live.state import Snapshot
from aoi_app.ui.widgets.plain import PlainLabel

_FIGURES = (
    ("speed", "speed"),
    ("width", "width of cloth"),
    ("defects", "defects"),
    ("gaps", "not inspected"),
    ("fabric", "fabric (similarity)"),
    ("tiles", "tiles per second"),
    ("proof", "sees (proven)"),
)
_CAMERA_FIGURES = (("camera", "camera (restarts)"), ("ring", "memory in use (lines lost)"))


class FiguresPanel(QWidget):
    """Position large, the rest in a grid, the backlog as a bar."""

    def __init__(self) -> None:
        super().__init__()
        self._position = PlainLabel()
        self._position.setObjectName("position")
        self._position.setAccessibleName("Position along the web")
        self._figures: dict[str, QLabel] = {}
        self._of_camera: list[QLabel] = []
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(2)
        for i, (key, caption) in enumerate((*_FIGURES, *_CAMERA_FIGURES)):
            small = PlainLabel(caption)
            small.setObjectName("caption")
            large = PlainLabel("–")
            large.setObjectName("figure")
            large.setAccessibleName(caption)
            grid.addWidget(small, 2 * (i // 2), i % 2)
            grid.addWidget(large, 2 * (i // 2) + 1, i % 2)
            self._figures[key] = large
            if key in dict(_CAMERA_FIGURES):
                self._of_camera += [small, large]
        self._backlog = QProgressBar()
        self._backlog.setRange(0, 100)
        self._backlog.setFormat("backlog %p %")
        self._backlog.setAccessibleName("Backlog")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.addWidget(self._position)
        layout.addLayout(grid)
        layout.addWidget(self._backlog)
        self.show_snapshot(Snapshot())

    def show_snapshot(self, s: Snapshot) -> None:
        """Shows the figures of this moment."""
        self._set(self._position, f"{s.position_m:.2f} m")
        texts = {
            "speed": f"{s.speed_m_min:.1f} m/min",
            "width": f"{s.width_mm:.0f} mm" if s.width_mm else "–",
            "defects": str(s.defects),
            "gaps": f"{s.gap_m:.2f} m ({s.gaps})",
            "fabric": _fabric_text(s),
            "tiles": f"{s.tiles_per_s:.1f}",
            "proof": _proof_text(s),
        }
        camera = s.camera
        for label in self._of_camera:
            label.setVisible(camera is not None)
        if camera is not None:
            if camera.speed_m_min is not None:
                texts["speed"] = f"{camera.speed_m_min:.1f} m/min"
            texts["camera"] = f"{camera.state} ({camera.restarts})"
            texts["ring"] = f"{camera.fill:.0%} ({camera.lost_lines})"
        for key, text in texts.items():
            self._set(self._figures[key], text)
        self._backlog.setValue(round(100 * s.backlog))

    @staticmethod
    def _set(label: QLabel, text: str) -> None:
        if label.text() != text:
            label.setText(text)


def _fabric_text(s: Snapshot) -> str:
    """Which fabric runs; the nearest one is not its name where the cloth is unknown."""
    if s.fabric is None:
        return "–"
    is_unknown = any(cause.key == "unknown cloth" for cause in s.status.causes)
    return f"{'unknown' if is_unknown else s.fabric} ({s.similarity:.2f})"


def _proof_text(s: Snapshot) -> str:
    """The smallest painted spot that was found, and how long ago."""
    if s.proof is None:
        return "–"
    smallest = s.proof.proof.smallest_mm
    seen = f"{smallest:g} mm" if smallest is not None else "nothing"
    return f"{seen} ({max(0.0, s.position_m - s.proof.position_m):.1f} m ago)"
