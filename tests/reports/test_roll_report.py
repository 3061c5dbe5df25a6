"""The report of a roll as files: what stands in them, what is left out, and that no text does any harm."""

from __future__ import annotations

import io
import json
import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import openpyxl
import pypdf
import pytest
from PIL import Image
from reports_tools import defect, record_roll
from sqlalchemy import Engine, text, update
from typer.testing import CliRunner

from aoi_app.alarms.alarm import Alarm
from aoi_app.command_line import app
from aoi_app.inspection.findings.defects import Gap, Remark, WidthAt
from aoi_app.inspection.findings.review import Review
from aoi_app.records.alarm_log import AlarmLog
from aoi_app.records.reviews import write_review
from aoi_app.records.tables import RollRow
from aoi_app.records.work_orders import change_order
from aoi_app.reports.errors import ReportError
from aoi_app.reports.pdf import defect_table
from aoi_app.reports.pdf.document import report_head
from aoi_app.reports.pdf.fonts import marked_up
from aoi_app.reports.roll.reading import read_report
from aoi_app.reports.roll.roll_report import NO_TYPE, pareto_of_types
from aoi_app.reports.roll.writing import write_report
from aoi_app.reports.wording import file_stem, grade_text, verdict_text, width_difference_mm, width_text
from aoi_app.settings.cutting import CutRules
from aoi_app.settings.grading import GradingRules
from aoi_app.settings.recipe import Recipe
from aoi_app.settings.settings import Mill
from aoi_app.settings.work_order import WorkOrder

NOW = datetime(2026, 11, 28, 12, 30, tzinfo=timezone.utc)
MILL = Mill(name="Weberei Müller & Söhne", address="Spinnereistraße 12\nTübingen", logo="/nowhere/logo.png")
HOSTILE = '<b>3/1</b> & =1+1 "Łódź" ткань 布料'
GAPS = (Gap(0, 9, 30.0, 1.25, "the camera stood still"), Gap(9, 0, 60.0, 0.0, "=SUM(A1)"), Gap(10, 9, 80, 2, "p", True))


def pages_of(path: Path) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in pypdf.PdfReader(path).pages]


def review(engine: Engine, roll_id: int, number: int, verdict: Any, code: str | None, name: str | None) -> None:
    write_review(engine, roll_id, number, Review(verdict, code, name, "Aylin", NOW), "Aylin")


def a_roll(engine: Engine) -> int:
    defects = [defect(n, at_m=10.0 * n, length_mm=300) for n in range(1, 6)]
    roll_id = record_roll(
        engine, defects, gaps=GAPS, remarks=[Remark("light", "", 0, 5.0, "<script>")], name=HOSTILE,
        recipe=Recipe(cutting=CutRules(shortest_m=5)), gap_m=3.25, inspected_m=96.75, reserve_m=10.0,
    )  # fmt: skip
    review(engine, roll_id, 1, "confirmed", "W1", "broken end")
    review(engine, roll_id, 2, "confirmed", "=W", "=HYPERLINK(1)")
    review(engine, roll_id, 3, "rejected", None, None)
    AlarmLog(engine).write([Alarm(roll_id, 1, "late", "not inspecting", "The computer is too slow.", 30.0, NOW)])
    return roll_id


def test_all_files_of_a_roll(engine: Engine, tmp_path: Path) -> None:
    roll_id = a_roll(engine)
    report = read_report(engine, roll_id, MILL)
    told: list[float] = []
    files = write_report(engine, report, tmp_path / "out", progress=told.append)
    assert [file.name for file in files] == [f"roll-{roll_id}.{kind}" for kind in ("pdf", "xlsx", "csv", "json")]
    assert told == sorted(told)
    assert told[-1] == 1.0

    pages = pages_of(files[0])
    whole = " ".join(pages)
    for said in (
        "Weberei Müller & Söhne", "/nowhere/logo.png cannot be read: No such file", '<b>3/1</b> & =1+1 "Łódź" ткань',
        "PASSED WHERE INSPECTED", "Points 16", "limit is 40 points per 100 yd²", "broken end",
        "86.75 m good, 10.00 m with reserve, 1.25 m NOT INSPECTED, 2.00 m left out as wanted",
        "the camera stood still", "unknown", "The computer is too slow.", "by nobody", "<script>",
        "1 rejected", "Cut plan", "Released by", "1 times the calibrated one",
    ):  # fmt: skip
        assert said in whole, said
    assert [f"page {n} of {len(pages)}" in page for n, page in enumerate(pages, 1)] == [True] * len(pages)

    values = json.loads(files[3].read_text(encoding="utf-8"))
    assert (values["grade"]["points"], values["grade"]["passed"]) == (16, True)
    assert values["grade"]["left_out"] == {"rejected": 1}
    assert len(values["cut_plan"]["pieces"]) == 8
    assert len(values["defects"]) == len(files[2].read_text(encoding="utf-8-sig").splitlines()) - 1 == 5


def test_the_workbook_has_numbers_and_times_and_no_formula(engine: Engine, tmp_path: Path) -> None:
    [path] = write_report(engine, read_report(engine, a_roll(engine), MILL), tmp_path, ["xlsx"])
    book = openpyxl.load_workbook(path)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d", "b"}
    assert not any(cell.hyperlink for cell in cells)
    head, first, second, *_ = book["Defects"].iter_rows(values_only=True)
    row = dict(zip(head, first, strict=True))
    assert (row["along, m"], row["length, mm"], row["points"]) == (10.0, 300.0, 4)
    assert row["reviewed at (UTC)"] == NOW.replace(tzinfo=None)
    assert dict(zip(head, second, strict=True))["type"] == "=HYPERLINK(1)"
    roll = dict(book["Roll"].iter_rows(min_row=2, values_only=True))
    assert (roll["roll"], roll["points"], roll["grade"]) == (HOSTILE, 16, "PASSED WHERE INSPECTED")
    assert [row[1] for row in book["Not inspected"].iter_rows(min_row=2, values_only=True)] == [1.25, None, 2.0]


def test_the_work_order_heads_the_report_and_names_its_files(engine: Engine, tmp_path: Path) -> None:
    first, again = record_roll(engine, width_mm=1480.0), record_roll(engine)
    order = WorkOrder(
        roll_number="../4711/ä", order_number="A 9", article="denim 12", lot="L3", loom="loom 7", operator="Aylin",
        nominal_width_mm=1500.0, gsm=320.5,
    )  # fmt: skip
    change_order(engine, first, order)
    change_order(engine, again, WorkOrder(roll_number="../4711/ä"))
    report = read_report(engine, first, MILL)
    pdf, xlsx = write_report(engine, report, tmp_path / "out", ["pdf", "xlsx"])
    assert (pdf.name, xlsx.name) == (f"roll-_4711_ä-{first}.pdf", f"roll-_4711_ä-{first}.xlsx")
    assert file_stem(read_report(engine, again, MILL)) == f"roll-_4711_ä-{again}", "another inspection of the same roll"
    whole = pages_of(pdf)[0]
    for said in (
        "Roll ../4711/ä Roll inspection report", "Order A 9", "Article denim 12", "Lot L3", "Loom loom 7",
        "Operator Aylin", "Weight 320.5 g/m²", "1480 mm; 1500 mm ordered (-20 mm, -1.3%)",
        f"No. {first} in the records: roll ../4711/ä",
    ):  # fmt: skip
        assert said in whole, said
    roll = dict(openpyxl.load_workbook(xlsx)["Roll"].iter_rows(min_row=2, values_only=True))
    assert (roll["roll number"], roll["weight, g/m²"], roll["lot"]) == ("../4711/ä", 320.5, "L3")
    assert (roll["width, mm"], roll["ordered width, mm"], roll["wider than ordered, mm"]) == (1480.0, 1500.0, -20.0)


@pytest.mark.parametrize(
    ("measured", "ordered", "said"),
    [(None, None, "not measured"), (None, 1500.0, "not measured; 1500 mm ordered"), (1512.4, None, "1512 mm")],
)
def test_a_width_that_is_not_known_is_compared_with_nothing(
    engine: Engine, measured: float | None, ordered: float | None, said: str
) -> None:
    roll_id = record_roll(engine, width_mm=measured)
    change_order(engine, roll_id, WorkOrder(nominal_width_mm=ordered))
    roll = read_report(engine, roll_id, MILL).roll
    assert (width_text(roll), width_difference_mm(roll)) == (said, None)


def test_a_damaged_work_order_is_told(engine: Engine) -> None:
    roll_id = record_roll(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE rolls SET gsm = -1"))
    with pytest.raises(ReportError, match=f"work order .* roll {roll_id} is damaged"):
        read_report(engine, roll_id, MILL)


def test_a_verdict_changes_the_grade(engine: Engine) -> None:
    roll_id = a_roll(engine)
    assert read_report(engine, roll_id, MILL).grade.points == 16
    review(engine, roll_id, 4, "rejected", None, None)
    assert read_report(engine, roll_id, MILL).grade.points == 12
    assert read_report(engine, roll_id, MILL, grading=GradingRules(ignored_types=("W1",))).grade.points == 8


def test_every_grade_is_kept_with_its_reason(engine: Engine, tmp_path: Path) -> None:
    roll = record_roll(engine, [defect(1, at_m=0.5), defect(2, at_m=2.0, length_mm=400.0)])
    first = read_report(engine, roll, MILL)
    assert [g.reason for g in first.earlier_grades] == ["the first grade of the roll"]
    again = read_report(engine, roll, MILL)
    assert again.earlier_grades == first.earlier_grades, "the same grade is not given twice"
    review(engine, roll, 2, "rejected", None, None)
    judged = read_report(engine, roll, MILL)
    read_report(engine, roll, MILL, grading=GradingRules(scheme="ten-point"))  # to try it out: no grade of the roll
    with engine.begin() as connection:
        recipe = Recipe(grading=GradingRules(margin_mm=25.0)).model_dump(mode="json")
        connection.execute(update(RollRow).values(recipe=recipe))
    ruled = read_report(engine, roll, MILL)
    assert [g.reason for g in ruled.earlier_grades][1:] == ["1 more verdict", "other rules: margin_mm"]
    assert [g.points for g in ruled.earlier_grades] == [first.grade.points, judged.grade.points, ruled.grade.points]
    pdf = " ".join(pages_of(write_report(engine, ruled, tmp_path, ["pdf"])[0]))
    assert "1 more verdict" in pdf
    assert "other rules: margin_mm" in pdf


def test_the_width_along_the_roll_is_kept_and_reported(engine: Engine, tmp_path: Path) -> None:
    widths = tuple(WidthAt(float(m), 1500.0 - (30.0 if m == 4 else 0.0)) for m in range(8))
    roll = record_roll(engine, [defect(1, at_m=0.5)], widths=widths)
    report = read_report(engine, roll, MILL)
    assert report.widths == widths
    [path] = write_report(engine, report, tmp_path, ["pdf"])
    assert "narrowest 1470 mm at 4 m" in " ".join(pages_of(path))


def test_types_are_counted_the_most_frequent_first(engine: Engine) -> None:
    types = pareto_of_types(read_report(engine, a_roll(engine), MILL))
    assert [(t.name, t.defects, t.points, t.share) for t in types] == [
        (NO_TYPE, 2, 8, 0.5), ("=HYPERLINK(1)", 1, 4, 0.75), ("broken end", 1, 4, 1.0),
    ]  # fmt: skip


def test_the_report_of_an_empty_roll(engine: Engine, tmp_path: Path) -> None:
    figures = {"length_m": 0.0, "inspected_m": 0.0, "width_mm": None, "reserve_m": None}
    report = read_report(engine, record_roll(engine, **figures), Mill())
    pdf, xlsx, *_ = write_report(engine, report, tmp_path)
    whole = " ".join(pages_of(pdf))
    assert "NO GRADE" in whole
    assert "not measured" in whole
    assert "No cloth went by." in whole
    assert openpyxl.load_workbook(xlsx)["Defects"].max_row == 1


def test_pages_are_bounded_and_what_is_left_out_is_said(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gravest are listed; a picture that is gone or damaged is named in its place."""
    monkeypatch.setattr(defect_table, "MOST_DEFECTS", 20)
    monkeypatch.setattr(defect_table, "MOST_PICTURES", 10)
    many = [defect(n, at_m=n / 10, length_mm=300 if n % 7 == 0 else 5) for n in range(1, 201)]
    roll_id = record_roll(engine, many)
    with engine.begin() as connection:
        connection.execute(text("UPDATE defects SET thumbnail = NULL WHERE number = 49"))
        connection.execute(text("UPDATE defects SET thumbnail = :data WHERE number = 98"), {"data": b"no picture"})
    report = read_report(engine, roll_id, MILL)
    assert [d.place.number for d in report.worst(28)] == [7 * n for n in range(1, 29)]
    [path] = write_report(engine, report, tmp_path, ["pdf"])
    whole = " ".join(pages_of(path))
    assert "20 of 200 defects" in whole
    assert "The 10 gravest of them are shown with a picture." in whole
    assert whole.count("picture missing") == 1
    assert whole.count("picture damaged") == 1
    assert "Pictures that are not in the records any more: 1." in whole


def test_somebody_stops_a_report_and_no_file_is_left(engine: Engine, tmp_path: Path) -> None:
    def stop(_done: float) -> None:
        raise InterruptedError

    report = read_report(engine, a_roll(engine), MILL)
    with pytest.raises(InterruptedError):
        write_report(engine, report, tmp_path / "out", ["pdf"], stop)
    assert not (tmp_path / "out" / "roll-1.pdf").exists()


def test_damaged_rules_in_the_records_are_said(engine: Engine) -> None:
    roll_id = a_roll(engine)
    with engine.begin() as connection:
        connection.execute(text("""UPDATE rolls SET recipe = '{"grading": {"scheme": "six-point"}}'"""))
    with pytest.raises(ReportError, match="grading rules in the recipe of roll 1 are not valid") as raised:
        read_report(engine, roll_id, MILL)
    assert raised.value.code == "report-rules-damaged"
    assert read_report(engine, roll_id, MILL, grading=GradingRules()).grade.points == 16


def test_what_repeats_is_told(engine: Engine, tmp_path: Path) -> None:
    spots = [defect(n, at_m=1.0 + 0.75 * n, across_mm=640.0) for n in range(1, 41)]
    report = read_report(engine, record_roll(engine, spots), MILL)
    pdf, xlsx, _, plain = write_report(engine, report, tmp_path)
    assert "repeat every 0.750 m" in " ".join(pages_of(pdf))
    assert openpyxl.load_workbook(xlsx)["Repeats"]["B2"].value == pytest.approx(0.75)
    assert json.loads(plain.read_text(encoding="utf-8"))["repeats"][0]["period_m"] == pytest.approx(0.75)


@pytest.mark.parametrize("value", ["1e300", "-1e9", "9e999"])
@pytest.mark.parametrize("column", ["position_m", "length_mm"])
def test_a_defect_that_lies_on_no_cloth_is_said(engine: Engine, column: str, value: str) -> None:
    roll_id = record_roll(engine, [defect(1)])
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE defects SET {column} = {value}"))
    with pytest.raises(ReportError, match="records of roll 1 are damaged: defect 1"):
        read_report(engine, roll_id, MILL)


def test_a_cut_plan_without_an_answer_is_said_in_the_report(engine: Engine, tmp_path: Path) -> None:
    rules = CutRules(shortest_m=50, longest_m=60)
    report = read_report(engine, a_roll(engine), MILL, cutting=rules)
    assert report.cut_problem.startswith("No piece of 50.00 m fits")
    [path] = write_report(engine, report, tmp_path, ["json"])
    assert json.loads(path.read_text(encoding="utf-8"))["cut_problem"] == report.cut_problem


@pytest.mark.parametrize(
    ("said", "markup"),
    [
        ("<b>&", "&lt;b&gt;&amp;"),
        ("布料", '<font name="STSong-Light">布料</font>'),
        ("生地の", '<font name="HeiseiKakuGo-W5">生地の</font>'),
        ("직물", '<font name="HYSMyeongJo-Medium">직물</font>'),
        ("🧵", "□"),
        ("a\x00b\nc", "a\\x00b<br/>c"),
        ("", ""),
    ],
)
def test_text_is_set_in_a_font_that_has_it(said: str, markup: str) -> None:
    assert marked_up(said) == markup


def test_the_command_writes_what_is_asked_for(engine: Engine, tmp_path: Path) -> None:
    roll_id = a_roll(engine)
    base = ["--database", str(engine.url)]
    done = CliRunner().invoke(app, ["report", str(roll_id), "--json", "--out", str(tmp_path / "out"), *base])
    assert (done.exit_code, [p.name for p in (tmp_path / "out").iterdir()]) == (0, [f"roll-{roll_id}.json"])
    assert "PASSED WHERE INSPECTED: " in done.output
    cut = CliRunner().invoke(app, ["cut-plan", str(roll_id), "--shortest", "8", *base])
    assert (cut.exit_code, "m lost of 100.00 m" in cut.output) == (0, True)
    nothing = CliRunner().invoke(app, ["cut-plan", str(roll_id), "--length", "70", *base])
    assert "No piece of 70.00 m fits" in str(nothing.exception)


def test_a_hundred_thousand_defects_are_graded_and_counted() -> None:
    """The values; that the files are bounded is held above."""
    from aoi_app.reports.grading.grade import grade

    many = [defect(n, at_m=n / 100) for n in range(100_000)]
    assert grade(many, GradingRules(), inspected_m=1000, width_mm=1500).points == 4000


@pytest.mark.parametrize("kind", ["text", "cut off", "folder", "pipe", "too many pixels"])
def test_a_logo_that_is_none_is_said_and_the_report_is_made(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "logo.png"
    picture = io.BytesIO()
    Image.effect_noise((60, 40), 50).save(picture, "PNG")
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "too many pixels":
        Image.new("1", (9000, 9000)).save(path)
    else:
        path.write_bytes(b"no picture" if kind == "text" else picture.getvalue()[:900])
    *_, title, _ = report_head(Mill(logo=str(path)), "Report")
    assert title.text == "Report"
    [table, *_] = report_head(Mill(logo=str(path)), "Report")
    said = table._cellvalues[0][0].text
    assert "The logo" in said
    assert ("too many pixels" if kind == "too many pixels" else "cannot be read") in said


def test_no_text_is_too_long_for_a_page(engine: Engine, tmp_path: Path) -> None:
    endless = "\n".join("W" * 200 for _ in range(300))
    remark = Remark("light", "", 0, 1.0, endless)
    roll_id = record_roll(engine, [defect(1)], name=endless, gaps=[Gap(0, 9, 1.0, 1.0, endless)], remarks=[remark])
    review(engine, roll_id, 1, "confirmed", "W1", endless)
    AlarmLog(engine).write([Alarm(roll_id, 1, "late", endless, endless, 30.0, NOW, 1, NOW, endless)])
    mill = Mill(name="M" * 200, address="\n" * 1000, logo="/" + "l" * 4000)
    [path] = write_report(engine, read_report(engine, roll_id, mill), tmp_path, ["pdf"])
    assert 3 <= len(pages_of(path)) <= 9


def test_a_workbook_of_any_text_opens(engine: Engine) -> None:
    from aoi_app.reports.roll.xlsx import make_xlsx

    roll_id = record_roll(engine, [defect(1)], name="\x01\x0b @SUM ='cmd'|'/c calc'!A0 🧵" + "x" * 40_000)
    book = openpyxl.load_workbook(io.BytesIO(make_xlsx(read_report(engine, roll_id, Mill()))))
    assert dict(book["Roll"].iter_rows(min_row=2, values_only=True))["roll"].endswith("x")


@pytest.mark.parametrize(
    ("gaps", "word"),
    [
        ((), "PASSED"),
        ((Gap(100, 50, 10.0, 1.0, "pause", is_wanted=True),), "PASSED"),
        ((Gap(100, 50, 10.0, 1.0, "camera away"),), "PASSED WHERE INSPECTED"),
    ],
)
def test_a_roll_that_was_not_inspected_whole_has_not_passed_whole(
    engine: Engine, gaps: tuple[Gap, ...], word: str
) -> None:
    missed = sum(gap.length_m for gap in gaps)
    roll = record_roll(engine, [], gaps=gaps, inspected_m=100.0 - missed, gap_m=missed)
    read = read_report(engine, roll, Mill())
    assert verdict_text(read) == word
    assert ("not inspected" in grade_text(read)) is (word != "PASSED")
