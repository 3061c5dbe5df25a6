"""The colours of the window."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QColor

from aoi_app.ui.widgets.theme import THEMES

READABLE = 4.5  # contrast of normal text in the WCAG, level AA


def luminance(color: QColor) -> float:
    channels = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in color.getRgbF()[:3])
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), channels, strict=True))


def contrast(a: QColor, b: QColor) -> float:
    darker, lighter = sorted((luminance(a), luminance(b)))
    return (lighter + 0.05) / (darker + 0.05)


def laid_over(top: QColor, ground: QColor) -> QColor:
    share = top.alphaF()
    pairs = zip(top.getRgbF()[:3], ground.getRgbF()[:3], strict=True)
    return QColor.fromRgbF(*(share * a + (1 - share) * b for a, b in pairs))


@pytest.mark.parametrize("name", THEMES)
def test_text_can_be_read_on_every_colour_that_it_stands_on(name: str) -> None:
    theme = THEMES[name]
    pairs = [
        (theme.text, theme.window),
        (theme.text, theme.panel),
        (theme.faint, theme.window),
        (theme.faint, theme.panel),
        (theme.alarm_text, theme.window),
        (theme.alarm_text, theme.panel),
        (theme.on_alarm, theme.alarm),
        (theme.on_accent, theme.accent),
        (theme.on_condition, theme.good),
        (theme.on_condition, theme.warning),
    ]
    contrasts = {pair: contrast(QColor(pair[0]), QColor(pair[1])) for pair in pairs}
    for ground in (theme.window, theme.panel):
        done = laid_over(QColor(theme.accent_behind_text), QColor(ground))
        contrasts["text", f"progress on {ground}"] = contrast(QColor(theme.text), done)
    assert {pair: c for pair, c in contrasts.items() if c < READABLE} == {}
