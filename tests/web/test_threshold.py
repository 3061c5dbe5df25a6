"""A place is a defect when its score reaches the threshold: at it, above it, and never where nothing was inspected."""

import ast
import math
from pathlib import Path

import numpy as np
import pytest

from cras_core.web.threshold import CALIBRATED_THRESHOLD, reaches

TOP = Path(__file__).parents[2]
SCORES = {"peak", "score", "scores", "suspicion", "after", "before"}


@pytest.mark.parametrize(
    ("score", "threshold", "is_defect"),
    [
        (1.0, 1.0, True),
        (math.nextafter(1.0, 0.0), 1.0, False),
        (2.5, 1.0, True),
        (0.9, 0.8, True),
        (math.nan, 0.1, False),
    ],
)
def test_a_score_makes_a_defect_from_the_threshold_on(score: float, threshold: float, is_defect: bool) -> None:
    assert reaches(score, threshold) is is_defect


def test_scores_are_compared_cell_by_cell_and_cells_that_were_not_inspected_are_no_defects() -> None:
    scores = np.array([[0.5, 1.0], [np.nan, 1.5]], np.float32)
    np.testing.assert_array_equal(reaches(scores, CALIBRATED_THRESHOLD), [[False, True], [False, True]])


def test_nobody_writes_the_rule_anew() -> None:
    """Whoever compares a score with a threshold asks ``reaches``."""
    found = []
    for path in [p for package in ("aoi_app", "cras_core") for p in (TOP / package).rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.GtE | ast.Lt):
                continue
            right = ast.unparse(node.comparators[0])
            is_score = ast.unparse(node.left).split(".")[-1] in {
                "peak",
                "score",
                "scores",
                "suspicion",
                "after",
                "before",
            }
            if right.split(".")[-1].lstrip("_") == "threshold" or (is_score and right in {"1", "1.0"}):
                found.append(f"{path.relative_to(TOP)}:{node.lineno} {ast.unparse(node)}")
    assert [line.split(":")[0] for line in found] == ["cras_core/web/threshold.py"], found
