"""How a source of frames runs, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from aoi_app.settings.settings import CameraChoice


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """What a command or the window may ask of a source. Each source uses what concerns it.

    Attributes:
        lines_per_s: line rate; None is the source's own, for a folder or a recording as fast as inspection goes.
        is_live: lines are lost when inspection is late; a recording runs at the pace that it was recorded at.
        loop: a folder begins again at its end.
        separate: every picture of a folder is a web of its own; None: nobody has said, and they are taken as one web.
        bits: depth of 16-bit pictures.
        seed: of the loom.
        lines: length of the loom's roll; after so many the roll of a camera ends.
        seconds: after so many the roll of a camera ends.
        camera: which one ``genicam`` is, and how it is set up.
        record: folder of recordings; None records nothing.
        record_gb: size of a recording.
    """

    lines_per_s: float | None = None
    is_live: bool = False
    loop: bool = False
    separate: bool | None = None
    bits: int | None = None
    seed: int = 0
    lines: int | None = None
    seconds: float | None = None
    camera: CameraChoice = field(default_factory=CameraChoice)
    record: Path | None = None
    record_gb: float = 20.0
