"""Options that no person means: each is one sentence and exit status 2, never a traceback."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from aoi_app.__main__ import main
from aoi_app.command_line import app

LONG = "x" * 300
NUMBER = "1" + "0" * 30


@pytest.mark.parametrize(
    "arguments",
    [
        ["export", NUMBER],
        ["rolls", "--last", NUMBER],
        ["inspect", "folder", "--record-gb", "inf"],
        ["inspect", "folder", "--record-gb", "nan"],
        ["inspect", "folder", "--seconds", "nan"],
        ["inspect", "folder", "--lines", NUMBER],
        ["inspect", "folder", "--min-area-mm2", "inf"],
        ["weave", "folder", "--lines", NUMBER],
        ["weave", "folder", "--seed", "-1"],
    ],
)
def test_a_number_out_of_range_is_refused_with_its_option(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert isinstance(result.exception, SystemExit)


@pytest.mark.parametrize(
    "arguments",
    [
        ["rolls", "--database", f"sqlite:///{LONG}/{LONG}.db"],
        ["rolls", "--database", "sqlite:///\udcff.db"],
        ["inspect", LONG],
        ["inspect", f"{LONG}.json"],
        ["inspect", "--source", f"replay:{LONG}"],
        ["inspect", "--source", f"genicam:{LONG}"],
        ["inspect", "--source", f"genicam:{LONG}", "--mm-per-count", "inf"],
        ["inspect", "folder", "--mm-per-px", "nan"],
        ["inspect", "folder", "--recipe", LONG],
        ["inspect", "folder", "--preset", LONG],
        ["weave", LONG, "--strips", "1"],
        ["camera", "features", "--producer", "synthetic", "--preset", LONG],
        ["export", "1", "--out", LONG],
    ],
)
def test_a_name_that_nothing_can_have_is_said_in_a_sentence(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["aoi", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("Error: ")
    assert "Traceback" not in said
    assert said.count("\n") == 1
