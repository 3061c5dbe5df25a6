"""The PDF of a roll: its sections on pages with a head, a foot and their numbers."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PIL import Image as Picture
from PIL import UnidentifiedImageError
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, Image, PageTemplate, Table, TableStyle

from aoi_app.reports.pdf.defect_table import defect_section, listed_defects, pictured
from aoi_app.reports.pdf.fonts import PLAIN, one_line, register_fonts
from aoi_app.reports.pdf.sections import (
    alarm_section,
    cut_section,
    earlier_grade_section,
    gap_section,
    grade_section,
    map_section,
    pareto_section,
    remark_section,
    repeat_section,
    roll_section,
    signature_section,
    width_section,
)
from aoi_app.reports.pdf.style import FAINT, FOOT, MARGIN, PAGE, RULE, SMALL, TEXT_WIDTH, TITLE, paragraph, space
from aoi_app.reports.progress import Progress, ignore_progress
from aoi_app.reports.roll.roll_report import RollReport
from aoi_app.reports.wording import roll_text, time_text
from aoi_app.settings.settings import Mill
from aoi_app.settings.strict_json import ContentError, read_whole
from cras_core.messages import cut
from cras_core.messages import shown as shown_error

_TITLE = "Roll inspection report"

_LOGO_WIDTH, _LOGO_HEIGHT = 45 * mm, 20 * mm
_MOST_BYTES, _MOST_PIXELS = 20_000_000, 50_000_000  # of a logo
_LOGO_PIXELS = (1200, 1200)  # that are kept of it; more are not seen on paper
_LONGEST_FOOT = 60  # characters, which fit into two lines


def make_pdf(
    report: RollReport,
    read_pictures: Callable[[list[int]], Mapping[int, bytes]],
    progress: Progress = ignore_progress,
) -> bytes:
    """A roll's report as a PDF file.

    Args:
        report: of the roll.
        read_pictures: gives PNG files of defects by their numbers.
        progress: is told how far it has come; what it raises ends the work.
    """
    register_fonts()
    defects = listed_defects(report)
    wanted = pictured(defects, report)
    number = report.roll.order.roll_number
    pictures = read_pictures(wanted)
    progress(0.1)
    story: list[Flowable] = [
        *report_head(report.mill, f"Roll {number}" if number else _TITLE),
        *([paragraph(_TITLE), space(1)] if number else []),
        *roll_section(report),
        *grade_section(report),
        *map_section(report),
        *width_section(report),
        *earlier_grade_section(report),
        *pareto_section(report),
        *repeat_section(report),
        *cut_section(report),
        *gap_section(report),
        *alarm_section(report),
    ]
    parts = max(1, len(defects) // 100)
    for n, part in enumerate(defect_section(report, defects, pictures, wanted)):
        story += part
        progress(0.1 + 0.3 * min(1.0, n / parts))
    story += [*remark_section(report), *signature_section()]
    return build_document(
        story,
        title=f"{_TITLE}, roll {number or report.roll.roll_id}",
        foot=roll_text(report.roll),
        made=f"made {time_text(report.made_at)}",
        progress=lambda done: progress(0.4 + 0.6 * done),
    )


def build_document(story: list[Flowable], *, title: str, foot: str, made: str, progress: Progress) -> bytes:
    """Sets flowables on pages.

    Args:
        story: what is set; it is used up.
        title: of the file, as a reader of PDF files shows it.
        foot, made: at the foot of each page.
        progress: is told the share of the story that is set.
    """
    file = io.BytesIO()
    total = len(story) or 1
    document = BaseDocTemplate(
        file, pagesize=PAGE, title=one_line(title), author=one_line(foot), leftMargin=MARGIN, rightMargin=MARGIN
    )
    frame = Frame(MARGIN, MARGIN + 4 * mm, TEXT_WIDTH, PAGE[1] - 2 * MARGIN - 4 * mm, 0, 0, 0, 0)
    document.addPageTemplates([PageTemplate(frames=[frame])])
    document.setProgressCallBack(_told(progress, total))
    document.build(story, canvasmaker=_numbered(cut(foot, _LONGEST_FOOT), made))
    progress(1.0)
    return file.getvalue()


def _told(progress: Progress, total: int) -> Callable[[str, Any], None]:
    told = 0.0

    def tell(kind: str, value: Any) -> None:
        nonlocal told
        if kind == "PROGRESS":
            told = max(told, min(1.0, value / total))  # what is split over two pages is counted back by one
            progress(told)

    return tell


def report_head(mill: Mill, title: str) -> list[Flowable]:
    """Logo, name and address of the mill, and the title."""
    address = "\n".join(filter(None, (mill.name, mill.address)))
    logo = _logo(Path(mill.logo)) if mill.logo else ""
    table = Table([[logo, paragraph(address, SMALL)]], colWidths=[TEXT_WIDTH * 0.6, TEXT_WIDTH * 0.4])
    table.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)]))
    return [*([table, space(1)] if logo or address else []), paragraph(title, TITLE), space(2)]


def _logo(path: Path) -> Flowable:
    """The logo; where it cannot be read, that is said in its place, and the report is made all the same."""
    try:
        with Picture.open(io.BytesIO(read_whole(path, _MOST_BYTES)), formats=("PNG", "JPEG")) as picture:
            width, height = picture.size
            if width * height > _MOST_PIXELS:
                return paragraph(f"The logo {path} has too many pixels.", SMALL)
            shown = picture.convert("RGBA")
    except (OSError, SyntaxError, ValueError, ContentError, Picture.DecompressionBombError) as error:
        # Pillow raises all of these for files that are no pictures, or broken ones.
        reason = "no PNG or JPEG" if isinstance(error, UnidentifiedImageError) else shown_error(error)
        return paragraph(f"The logo {path} cannot be read: {reason}", SMALL)
    shown.thumbnail(_LOGO_PIXELS)
    data = io.BytesIO()
    shown.save(data, "PNG")
    data.seek(0)
    scale = min(_LOGO_WIDTH / width, _LOGO_HEIGHT / height)
    image = Image(data, width=width * scale, height=height * scale)
    image.hAlign = "LEFT"
    return image


def _numbered(foot: str, made: str) -> type[Canvas]:
    """A canvas whose pages say how many there are, which is known when all of them are set."""

    class NumberedCanvas(Canvas):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802 - reportlab's name
            self._pages.append(dict(self.__dict__))
            self._startPage()  # type: ignore[attr-defined]  # the way to go on without writing the page

        def save(self) -> None:
            for number, page in enumerate(self._pages, 1):
                self.__dict__.update(page)
                self._draw_foot(number)
                super().showPage()
            super().save()

        def _draw_foot(self, number: int) -> None:
            self.saveState()
            self.setStrokeColor(RULE)
            self.setLineWidth(0.3)
            self.line(MARGIN, MARGIN, PAGE[0] - MARGIN, MARGIN)
            text = paragraph(foot, FOOT)
            _, height = text.wrap(TEXT_WIDTH * 0.5, MARGIN)
            text.drawOn(self, MARGIN, MARGIN - 1 - height)
            self.setFont(PLAIN, 7)
            self.setFillColor(FAINT)
            self.drawString(MARGIN + TEXT_WIDTH * 0.53, MARGIN - 9, made)
            self.drawRightString(PAGE[0] - MARGIN, MARGIN - 9, f"page {number} of {len(self._pages)}")
            self.restoreState()

    return NumberedCanvas
