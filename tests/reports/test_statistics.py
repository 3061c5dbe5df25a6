"""Statistics over rolls: groups and their figures, types, and what the command writes."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pypdf
import pytest
from reports_tools import defect, record_roll
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from aoi_app.command_line import app
from aoi_app.inspection.findings.review import Review
from aoi_app.records.errors import RecordsError
from aoi_app.records.reviews import write_review
from aoi_app.records.roll_counts import RollCount, count_rolls
from aoi_app.records.work_orders import change_order
from aoi_app.reports.roll.roll_report import NO_TYPE
from aoi_app.reports.statistics.statistics import NOT_SAID, group_rolls, pareto, shift_name, total_row
from aoi_app.reports.statistics.statistics_pdf import make_statistics_pdf
from aoi_app.settings.settings import Mill
from aoi_app.settings.work_order import WorkOrder

SHIFTS = (6, 14, 22)


def roll(
    n: int, *, at: datetime, fabric: str = "denim", width_mm: float | None = 1500.0, defects: int = 3
) -> RollCount:
    types: Counter[str | None] = Counter({"slub": defects}) if defects else Counter()
    return RollCount(n, at, "loom", fabric, 200.0, 10.0, 1.0, width_mm, types=types, confirmed=1, rejected=3)


def local(day: int, hour: int) -> datetime:
    return datetime(2026, 3, day, hour).astimezone()


def test_groups_add_up() -> None:
    rolls = [roll(1, at=local(1, 7)), roll(2, at=local(1, 15), width_mm=None), roll(3, at=local(2, 8), fabric="")]
    assert [(r.name, r.rolls, r.defects) for r in group_rolls(rolls, "shift", SHIFTS)] == [
        ("06-14", 2, 6), ("14-22", 1, 3),
    ]  # fmt: skip
    assert [r.name for r in group_rolls(rolls, "day", SHIFTS)] == ["2026-03-01", "2026-03-02"]
    assert [r.name for r in group_rolls(rolls, "week", SHIFTS)] == ["2026-W09", "2026-W10"]
    assert [r.name for r in group_rolls(rolls, "month", SHIFTS)] == ["2026-03"]
    assert [r.name for r in group_rolls(rolls, "fabric", SHIFTS)] == ["denim", "not recognised"]
    woven = [replace(rolls[0], loom="7", article="A", lot="x", operator="Ana"), replace(rolls[1], loom="7"), rolls[2]]
    assert [(r.name, r.rolls) for r in group_rolls(woven, "loom", SHIFTS)] == [("7", 2), (NOT_SAID, 1)]
    assert [[r.name for r in group_rolls(woven, by, SHIFTS)] for by in ("article", "lot", "operator")] == [
        ["A", NOT_SAID], [NOT_SAID, "x"], ["Ana", NOT_SAID],
    ]  # fmt: skip
    total = total_row(rolls)
    assert (total.inspected_m, total.area_m2, total.defects, total.defects_on_area) == (600.0, 600.0, 9, 6)
    assert total.per_100_m2 == pytest.approx(1.0), "defects of a roll without a width are on no area"
    assert total.false_share == pytest.approx(0.75)
    assert total_row([]).per_100_m2 is None


@pytest.mark.parametrize(
    ("hour", "shifts", "name"),
    [(6, SHIFTS, "06-14"), (13, SHIFTS, "06-14"), (23, SHIFTS, "22-06"), (2, SHIFTS, "22-06"), (2, (6,), "all day")],
)
def test_a_shift_goes_over_midnight(hour: int, shifts: tuple[int, ...], name: str) -> None:
    assert shift_name(local(1, hour), shifts) == name


def recorded(engine: Engine) -> tuple[int, int]:
    first = record_roll(engine, [defect(n, at_m=n) for n in range(1, 6)], fabric="denim")
    second = record_roll(engine, [defect(1)], fabric="<b>twill</b>")
    change_order(engine, second, WorkOrder(loom="=7", article="denim 12", lot="L3", operator="Ana"))
    now = datetime.now(timezone.utc)
    write_review(engine, first, 1, Review("rejected", None, None, "Aylin", now), "Aylin")
    write_review(engine, first, 2, Review("confirmed", "Y1", "slub", "Aylin", now), "Aylin")
    with engine.begin() as connection:
        connection.execute(text("UPDATE rolls SET started_at = '2025-05-01 10:00:00.000000' WHERE id = 1"))
    return first, second


def test_the_database_counts(engine: Engine) -> None:
    recorded(engine)
    old, new = count_rolls(engine)
    assert (old.defects, old.confirmed, old.rejected, old.fabric, old.loom) == (4, 1, 1, "denim", "")
    assert (new.loom, new.article, new.lot, new.operator) == ("=7", "denim 12", "L3", "Ana")
    assert pareto([old, new]) == [(NO_TYPE, 4, 0.8), ("slub", 1, 1.0)]
    may = datetime(2025, 5, 1, tzinfo=timezone.utc)
    assert [r.roll_id for r in count_rolls(engine, may, may + timedelta(days=1))] == [1]
    assert [r.roll_id for r in count_rolls(engine, may + timedelta(days=1))] == [2]
    assert count_rolls(engine, None, may) == []


def test_damaged_records_are_said(engine: Engine) -> None:
    recorded(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE rolls SET inspected_m = 'much' WHERE id = 1"))
    with pytest.raises(RecordsError, match="damaged"):
        count_rolls(engine)


def test_many_groups_go_on_over_pages() -> None:
    days = [roll(n, at=local(1, 0) + timedelta(days=n)) for n in range(200)]
    data = make_statistics_pdf(days, Mill(), SHIFTS, "at any time", ["day"])
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages]
    assert len(pages) >= 3
    assert "The last 60 of 200 are shown." in " ".join(pages)


def test_a_part_of_the_work_order_that_nobody_says_has_no_page() -> None:
    rolls = [replace(roll(1, at=local(1, 7)), loom="7"), roll(2, at=local(1, 8))]
    data = make_statistics_pdf(rolls, Mill(), SHIFTS, "at any time", ["loom", "lot"])
    whole = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)
    assert ("Looms:" in whole, NOT_SAID in whole, "Lots:" in whole) == (True, True, False)


def test_the_command_prints_a_table_and_writes_plots(engine: Engine, tmp_path: Path) -> None:
    recorded(engine)
    pdf = tmp_path / "out" / "statistics.pdf"
    done = CliRunner().invoke(
        app, ["statistics", "--by", "fabric", "--pdf", str(pdf), "--since", "2025-01-01", "--database", str(engine.url)]
    )
    assert done.exit_code == 0, done.output
    assert "<b>twill</b>" in done.output
    assert "slub" in done.output
    whole = " ".join(" ".join(page.extract_text().split()) for page in pypdf.PdfReader(pdf).pages)
    for said in (
        "Inspection statistics",
        "Shifts: defects per 100 m²",
        "Looms: defects per 100 m²",
        "=7",
        "<b>twill</b>",
        "2025-05",
        "slub",
        "from 2025-",
    ):
        assert said in whole, said
