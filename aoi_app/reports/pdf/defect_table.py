"""The table of defects with their pictures: bounded in rows and pictures, and it says what it leaves out."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence

from PIL import Image as Picture
from PIL import UnidentifiedImageError
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Image

from aoi_app.reports.pdf.style import SMALL, heading, listing, paragraph, space
from aoi_app.reports.roll.roll_report import ReportDefect, RollReport

MOST_DEFECTS = 1000
"""Defects in the table; of more, those with the most points."""

MOST_PICTURES = 1000
"""Defects of the table that are shown with their picture."""

_SIDE = 13 * mm
_ROWS_AT_ONCE = 100  # a table is laid out as a whole: several short ones are quicker than one long one
_JPEG_QUALITY = 85
_MOST_PIXELS = 4_000_000  # of a picture; a thumbnail has far fewer

_HEADINGS = ("No.", "picture", "along, m", "across, mm", "size, mm", "area, mm²", "score", "type", "points", "verdict")
_WIDTHS = (1.1, 1.9, 1.6, 1.6, 2, 1.5, 1.2, 3, 1.1, 2.6)
_NUMBERS = (0, 2, 3, 4, 5, 6, 8)


def listed_defects(report: RollReport) -> list[ReportDefect]:
    """The defects that the table shows, in the order of the roll."""
    return report.worst(MOST_DEFECTS)


def pictured(defects: Sequence[ReportDefect], report: RollReport) -> list[int]:
    """Numbers of the listed defects whose pictures are wanted: the gravest."""
    ranked = sorted(defects, key=lambda d: (d.is_rejected, -report.points_of(d), -d.peak))
    return [defect.place.number for defect in ranked[:MOST_PICTURES]]


def defect_section(
    report: RollReport, defects: Sequence[ReportDefect], pictures: Mapping[int, bytes], wanted: Sequence[int]
) -> Iterator[list[Flowable]]:
    """The table in parts, so that whoever waits sees it grow.

    Args:
        report: of the roll.
        defects: those that are listed.
        pictures: PNG files of them, by their number.
        wanted: numbers of those whose picture is to be shown; what is missing then is said.
    """
    shown = set(wanted)
    missing = sum(number not in pictures for number in wanted)
    yield [heading("Defects"), *(paragraph(text, SMALL) for text in _said(report, defects, shown, missing)), space(1)]
    for first in range(0, len(defects), _ROWS_AT_ONCE):
        part = defects[first : first + _ROWS_AT_ONCE]
        yield [listing(_HEADINGS, [_row(report, d, pictures, shown) for d in part], _WIDTHS, _NUMBERS)]


def _said(report: RollReport, defects: Sequence[ReportDefect], shown: set[int], missing: int) -> Iterator[str]:
    if not defects:
        yield "None."
        return
    if len(defects) < len(report.defects):
        yield (
            f"{len(defects)} of {len(report.defects)} defects: those with the most points, and among these with the "
            "highest score. All of them are in the XLSX, CSV and JSON files of this roll."
        )
    if len(shown) < len(defects):
        yield f"The {len(shown)} gravest of them are shown with a picture."
    if missing:
        yield f"Pictures that are not in the records any more: {missing}."


def _row(
    report: RollReport, defect: ReportDefect, pictures: Mapping[int, bytes], shown: set[int]
) -> tuple[object, ...]:
    place = defect.place
    verdict: str = place.verdict or "not reviewed"
    if place.verdict and defect.reviewer:
        verdict += f" by {defect.reviewer}"
    kind = defect.type_name or " ".join(filter(None, (defect.shade, defect.shape)))
    return (
        place.number,
        _picture(pictures.get(place.number)) if place.number in shown else "",
        f"{place.start_m:.2f}",
        f"{place.middle_mm:.0f}",
        f"{place.length_mm:.0f} × {place.width_mm:.0f}",
        f"{defect.area_mm2:.0f}",
        f"{defect.peak:.2f}",
        kind,
        report.points_of(defect),
        verdict,
    )


def _picture(data: bytes | None) -> Flowable:
    """A picture of the records; as JPEG, which PDF holds as it is."""
    if data is None:
        return paragraph("picture missing", SMALL)
    try:
        with Picture.open(io.BytesIO(data), formats=("PNG",)) as picture:
            width, height = picture.size
            if width * height > _MOST_PIXELS:
                return paragraph("picture too large", SMALL)
            jpeg = io.BytesIO()
            picture.convert("L" if picture.mode in ("L", "I;16") else "RGB").save(jpeg, "JPEG", quality=_JPEG_QUALITY)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):  # the records keep whatever bytes there are
        return paragraph("picture damaged", SMALL)
    scale = _SIDE / max(width, height)
    jpeg.seek(0)
    return Image(jpeg, width=width * scale, height=height * scale)
