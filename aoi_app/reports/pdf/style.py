"""How a report looks: paper, colours, paragraphs, and tables of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, Spacer, Table, TableStyle

from aoi_app.reports.pdf.fonts import BOLD, PLAIN, marked_up

PAGE = A4
MARGIN = 15 * mm
TEXT_WIDTH = PAGE[0] - 2 * MARGIN

INK = HexColor("#1a1a1a")
FAINT = HexColor("#6b6b6b")
RULE = HexColor("#c8c8c8")
HEAD = HexColor("#ececec")
GOOD, BAD, UNSURE = HexColor("#1b7f3b"), HexColor("#b3261e"), HexColor("#7a5a00")
CLOTH = HexColor("#f6f3ea")
BAR = HexColor("#3b6ea5")

TEXT = ParagraphStyle("text", fontName=PLAIN, fontSize=8.5, leading=11, textColor=INK)
SMALL = ParagraphStyle("small", parent=TEXT, fontSize=7, leading=9)
NUMBER = ParagraphStyle("number", parent=SMALL, alignment=TA_RIGHT)
LABEL = ParagraphStyle("label", parent=TEXT, textColor=FAINT)
TITLE = ParagraphStyle("title", parent=TEXT, fontName=BOLD, fontSize=16, leading=20)
HEADING = ParagraphStyle("heading", parent=TEXT, fontName=BOLD, fontSize=11, leading=14, spaceBefore=9, spaceAfter=3)
FOOT = ParagraphStyle("foot", parent=SMALL, textColor=FAINT, leading=8)
VERDICT = ParagraphStyle("verdict", parent=TEXT, fontName=BOLD, fontSize=15, leading=18)


def severity_colour(points: int) -> Color:
    """Colour of a defect by its points: the more, the darker, so that it is told on grey paper too."""
    return HexColor({0: "#9a9a9a", 1: "#e0a030", 2: "#dd7a1c", 3: "#cc3d1a"}.get(points, "#8c0a2a"))


def paragraph(text: object, style: ParagraphStyle = TEXT) -> Paragraph:
    """A paragraph of any text."""
    return Paragraph(marked_up(text), style)


def heading(text: str) -> Flowable:
    """A heading that stays with what follows."""
    return Paragraph(marked_up(text), ParagraphStyle("kept", parent=HEADING, keepWithNext=1))


def space(height_mm: float) -> Flowable:
    """Some room."""
    return Spacer(1, height_mm * mm)


def pairs(rows: Sequence[tuple[str, object]], width: float = TEXT_WIDTH) -> Flowable:
    """Labels with their values, in two columns of pairs."""
    half = (len(rows) + 1) // 2
    cells: list[list[Any]] = []
    for n in range(half):
        row: list[Any] = []
        for at in (n, n + half):
            label, value = rows[at] if at < len(rows) else ("", "")
            row += [paragraph(label, LABEL), paragraph(value)]
        cells.append(row)
    table = Table(cells, colWidths=[width * 0.17, width * 0.33] * 2)
    table.setStyle(TableStyle([*_TIGHT, ("LINEBELOW", (0, 0), (-1, -1), 0.3, RULE)]))
    return table


def listing(
    headings: Sequence[str], rows: Sequence[Sequence[Any]], widths: Sequence[float], numbers: Sequence[int] = ()
) -> Flowable:
    """A table that goes on over pages, its head on each.

    Args:
        headings: of the columns.
        rows: texts, or flowables such as pictures.
        widths: of the columns, in parts of all of them together.
        numbers: columns that hold numbers of ours, no text of files or people; they are set to the right.
    """
    scale = TEXT_WIDTH / sum(widths)
    head = [paragraph(text, NUMBER if n in numbers else SMALL) for n, text in enumerate(headings)]
    body = [[_cell(cell, is_number=n in numbers) for n, cell in enumerate(row)] for row in rows]
    table = Table([head, *body], colWidths=[w * scale for w in widths], repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                *_TIGHT,
                ("BACKGROUND", (0, 0), (-1, 0), HEAD),
                ("LINEBELOW", (0, 0), (-1, -1), 0.3, RULE),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("FONT", (0, 1), (-1, -1), PLAIN, SMALL.fontSize, SMALL.leading),
                *(("ALIGN", (n, 0), (n, -1), "RIGHT") for n in numbers),
            ]
        )
    )
    return table


def _cell(cell: object, *, is_number: bool) -> Flowable | str:
    """Numbers need no paragraph, which takes ten times as long as a text; there are thousands of them."""
    if isinstance(cell, Flowable):
        return cell
    return str(cell) if is_number else paragraph(cell, SMALL)


_TIGHT: list[tuple[Any, ...]] = [
    ("TOPPADDING", (0, 0), (-1, -1), 1.5),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
    ("LEFTPADDING", (0, 0), (-1, -1), 2),
    ("RIGHTPADDING", (0, 0), (-1, -1), 2),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
]
