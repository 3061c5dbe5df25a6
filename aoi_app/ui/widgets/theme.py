"""Colours and sizes, dark and light."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of one theme, as #rrggbb, but for ``accent_behind_text``, which is #aarrggbb.

    Text reads well (contrast above 4.5): ``text``, ``faint`` and ``alarm_text`` on window and panel, ``on_alarm``,
    ``on_accent`` and ``on_condition`` (good, warning) on these colours, ``text`` where ``accent_behind_text`` lies over
    window or panel.
    """

    window: str
    panel: str
    text: str
    faint: str
    line: str
    accent: str
    on_accent: str
    accent_behind_text: str
    good: str
    warning: str
    alarm: str
    on_alarm: str
    on_condition: str
    alarm_text: str


THEMES = {
    "dark": Theme(
        window="#16191d",
        panel="#20252b",
        text="#eef1f4",
        faint="#9aa5b1",
        line="#38414b",
        accent="#4aa3ff",
        on_accent="#0b1016",
        accent_behind_text="#734aa3ff",
        good="#4cc38a",
        warning="#f5b83d",
        alarm="#d93a3a",
        on_alarm="#ffffff",
        on_condition="#0b1016",
        alarm_text="#ff7b78",
    ),
    "light": Theme(
        window="#f3f5f7",
        panel="#ffffff",
        text="#16191d",
        faint="#5b6672",
        line="#c9d1d9",
        accent="#0b63c4",
        on_accent="#ffffff",
        accent_behind_text="#730b63c4",
        good="#1a7f4e",
        warning="#9a6700",
        alarm="#c62828",
        on_alarm="#ffffff",
        on_condition="#ffffff",
        alarm_text="#c62828",
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
        QPalette.ColorRole.HighlightedText: theme.on_accent,
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
QFrame#condition {{ border-bottom: 1px solid {line}; background: {panel}; }}
QLabel#condition_word {{ font-size: 30px; font-weight: 800; }}
QLabel#condition_text {{ font-size: 16px; font-weight: 600; }}
QFrame#condition[kind="good"] {{ background: {good}; }}
QFrame#condition[kind="reserve"] {{ background: {warning}; }}
QFrame#condition[kind="bad"] {{ background: {alarm}; }}
QFrame#condition[kind="good"] QWidget, QFrame#condition[kind="reserve"] QWidget {{ color: {on_condition}; }}
QFrame#condition[kind="bad"] QWidget {{ color: {on_alarm}; }}
QFrame#attention {{ background: {panel}; border: 1px solid {line}; border-radius: 6px; }}
QLabel#attention_word {{ font-size: 40px; font-weight: 800; }}
QLabel#attention_text {{ font-size: 15px; font-weight: 600; }}
QFrame#attention[kind="good"] QLabel#attention_word {{ color: {good}; }}
QFrame#attention[kind="reserve"] {{ background: {warning}; }}
QFrame#attention[kind="bad"] {{ background: {alarm}; }}
QFrame#attention[kind="reserve"] QLabel {{ color: {on_condition}; }}
QFrame#attention[kind="bad"] QLabel {{ color: {on_alarm}; }}
QFrame#alarm {{ background: {alarm}; border: 3px solid {alarm}; }}
QFrame#alarm[lit="false"] {{ border-color: {on_alarm}; }}
QFrame#alarm[kind="reserve"] {{ background: {warning}; border-color: {warning}; }}
QFrame#alarm[kind="reserve"][lit="false"] {{ border-color: {on_condition}; }}
QFrame#alarm[kind="reserve"] QLabel#alarm_text {{ color: {on_condition}; }}
QLabel#alarm_text {{ color: {on_alarm}; font-size: 17px; font-weight: 600; }}
QFrame#alarm QPushButton {{
    background: {on_alarm}; color: {alarm}; font-size: 15px; font-weight: 600; padding: 6px 14px;
    border: 0; border-radius: 4px;
}}
QFrame#alarm[kind="reserve"] QPushButton {{ background: {on_condition}; color: {warning}; }}
QFrame#alarm QPushButton:focus {{ border: 2px solid {text}; }}
QFrame#question {{ background: {panel}; border-bottom: 2px solid {accent}; }}
QLabel#question_text {{ color: {text}; font-size: 17px; font-weight: 600; }}
QFrame#question QPushButton {{ font-size: 15px; font-weight: 600; padding: 6px 14px; }}
QPushButton#first_answer {{ background: {accent}; color: {on_accent}; border: 0; border-radius: 4px; }}
QPushButton#first_answer:focus {{ border: 2px solid {text}; }}
QFrame#card {{ background: {panel}; border: 1px solid {line}; border-radius: 6px; }}
QFrame#card QLabel#hint {{ font-size: 14px; }}
QFrame#card QLabel {{ font-size: 14px; }}
QFrame#card QLabel#figure {{ font-size: 22px; }}
QLabel#hint {{ color: {faint}; }}
QLabel#tile {{ background: {window}; border: 1px solid {line}; color: {faint}; }}
QPushButton#main {{ font-size: 15px; font-weight: 600; padding: 7px 16px; }}
QPushButton#main:enabled {{ background: {accent}; color: {on_accent}; border: 0; border-radius: 4px; }}
QPushButton#main:enabled:focus {{ border: 2px solid {text}; }}
QProgressBar {{ border: 1px solid {line}; border-radius: 3px; text-align: center; height: 18px; }}
QProgressBar::chunk {{ background: {accent_behind_text}; }}
QStatusBar {{ color: {faint}; }}
"""
