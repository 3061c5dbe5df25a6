"""Colours and sizes, dark and light."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of one theme, as #rrggbb."""

    window: str
    panel: str
    text: str
    faint: str
    line: str
    accent: str
    good: str
    warning: str
    alarm: str
    on_alarm: str


THEMES = {
    "dark": Theme(
        "#16191d", "#20252b", "#eef1f4", "#9aa5b1", "#38414b", "#4aa3ff", "#4cc38a", "#f5b83d", "#d93a3a", "#ffffff"
    ),
    "light": Theme(
        "#f3f5f7", "#ffffff", "#16191d", "#5b6672", "#c9d1d9", "#0b63c4", "#1a7f4e", "#9a6700", "#c62828", "#ffffff"
    ),
}


def apply_theme(app: QApplication, name: str) -> Theme:
    """Colours the whole program and returns the colours."""
    theme = THEMES[name]
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: theme.window,
        QPalette.ColorRole.Base: theme.panel,
        QPalette.ColorRole.AlternateBase: theme.window,
        QPalette.ColorRole.Button: theme.panel,
        QPalette.ColorRole.ToolTipBase: theme.panel,
        QPalette.ColorRole.WindowText: theme.text,
        QPalette.ColorRole.Text: theme.text,
        QPalette.ColorRole.ButtonText: theme.text,
        QPalette.ColorRole.ToolTipText: theme.text,
        QPalette.ColorRole.PlaceholderText: theme.faint,
        QPalette.ColorRole.Highlight: theme.accent,
        QPalette.ColorRole.HighlightedText: "#ffffff",
        QPalette.ColorRole.Link: theme.accent,
    }
    for role, color in roles.items():
        palette.setColor(role, QColor(color))
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme.faint))
    app.setStyle("Fusion")
    app.setPalette(palette)
    app.setStyleSheet(_STYLE.format(**{name: getattr(theme, name) for name in theme.__slots__}))
    return theme


_STYLE = """
QToolBar {{ border: 0; border-bottom: 1px solid {line}; spacing: 6px; padding: 4px; }}
QToolButton {{ padding: 6px 10px; font-size: 14px; border: 1px solid transparent; border-radius: 4px; }}
QToolButton:hover {{ border-color: {line}; background: {panel}; }}
QToolButton:checked {{ border-color: {accent}; background: {panel}; }}
QToolButton:focus, QTableView:focus, QSlider:focus {{ border: 1px solid {accent}; }}
QTableView {{ gridline-color: {line}; font-size: 14px; border: 1px solid {line}; }}
QHeaderView::section {{
    background: {window}; color: {faint}; border: 0; border-bottom: 1px solid {line}; padding: 4px;
}}
QLabel#figure {{ font-size: 22px; font-weight: 600; }}
QLabel#position {{ font-size: 34px; font-weight: 700; }}
QLabel#caption {{ color: {faint}; font-size: 12px; }}
QLabel#banner {{ background: {alarm}; color: {on_alarm}; font-size: 17px; font-weight: 600; padding: 8px 12px; }}
QLabel#banner[kind="note"] {{ background: {panel}; color: {text}; }}
QFrame#alarm {{ background: {alarm}; border-bottom: 1px solid {on_alarm}; }}
QLabel#alarm_text {{ color: {on_alarm}; font-size: 17px; font-weight: 600; }}
QFrame#alarm QPushButton {{
    background: {on_alarm}; color: {alarm}; font-size: 15px; font-weight: 600; padding: 6px 14px;
    border: 0; border-radius: 4px;
}}
QFrame#alarm QPushButton:focus {{ border: 2px solid {text}; }}
QLabel#state {{
    font-size: 16px; font-weight: 700; padding: 3px 12px; border-radius: 10px; color: #ffffff; background: {faint};
}}
QLabel#state[kind="running"] {{ background: {good}; }}
QLabel#state[kind="paused"] {{ background: {warning}; }}
QLabel#state[kind="failed"] {{ background: {alarm}; }}
QFrame#card {{ background: {panel}; border: 1px solid {line}; border-radius: 6px; }}
QFrame#card QLabel#hint {{ font-size: 14px; }}
QFrame#card QLabel {{ font-size: 14px; }}
QFrame#card QLabel#figure {{ font-size: 22px; }}
QLabel#hint {{ color: {faint}; }}
QLabel#tile {{ background: {window}; border: 1px solid {line}; color: {faint}; }}
QPushButton#main {{ font-size: 15px; font-weight: 600; padding: 7px 16px; }}
QPushButton#main:enabled {{ background: {accent}; color: #ffffff; border: 0; border-radius: 4px; }}
QPushButton#main:enabled:focus {{ border: 2px solid {text}; }}
QProgressBar {{ border: 1px solid {line}; border-radius: 3px; text-align: center; height: 18px; }}
QProgressBar::chunk {{ background: {accent}; }}
QStatusBar {{ color: {faint}; }}
"""
