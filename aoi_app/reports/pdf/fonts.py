"""Text of files and people on paper: fonts with many scripts, and no character that is taken for markup.

DejaVu Sans Condensed comes with the program and has Latin, Greek, Cyrillic and many symbols. Chinese, Japanese and
Korean are set in the standard fonts of PDF, which every reader of PDF files replaces by one of its own. A character
that none of them has becomes a box. Arabic and Hebrew letters are there, but neither joined nor set from right to left.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator
from itertools import groupby
from typing import Literal
from xml.sax.saxutils import escape

from reportlab import rl_config
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont

from aoi_app.settings.assets import asset
from cras_core.messages import cut, printable

PLAIN, BOLD = "AoiSans", "AoiSans-Bold"
"""Names of the fonts within reportlab."""

_JAPANESE, _KOREAN, _CHINESE = "HeiseiKakuGo-W5", "HYSMyeongJo-Medium", "STSong-Light"
_LONGEST_TEXT, _MOST_LINES = 400, 8  # what is longer fits on no page; the other files of a report hold all of it
_MISSING = "\N{WHITE SQUARE}"


@functools.cache
def register_fonts() -> None:
    """Makes the fonts known to reportlab; to be called before anything is set in them."""
    # Pictures as bytes and not as letters: a quarter smaller, and the report of many defects takes half the time.
    rl_config.useA85 = 0
    pdfmetrics.registerFont(_plain_font())
    pdfmetrics.registerFont(TTFont(BOLD, str(asset("fonts/DejaVuSansCondensed-Bold.ttf"))))
    pdfmetrics.registerFontFamily(PLAIN, normal=PLAIN, bold=BOLD, italic=PLAIN, boldItalic=BOLD)
    for name in (_JAPANESE, _KOREAN, _CHINESE):
        pdfmetrics.registerFont(UnicodeCIDFont(name))


def marked_up(text: object) -> str:
    """Foreign text for a paragraph of reportlab: bounded, its lines kept, and nothing in it taken for markup."""
    lines = cut(str(text), _LONGEST_TEXT).splitlines() or [""]
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], " ".join(lines[_MOST_LINES - 1 :])]
    return "<br/>".join("".join(_runs(printable(line))) for line in lines)


def one_line(text: object, most: int = 120) -> str:
    """Foreign text for a place where one font has to do, such as the foot of a page; without markup."""
    return "".join(c if _font_of(c) == PLAIN else _MISSING for c in printable(cut(str(text), most)))


def _runs(line: str) -> Iterator[str]:
    has_kana = any(_script(c) == "kana" for c in line)
    for font, characters in groupby(line, lambda c: _font_of(c, has_kana=has_kana)):
        run = escape("".join(characters))
        if font == PLAIN:
            yield run
        elif font is None:
            yield _MISSING * len(run)
        else:
            yield f'<font name="{font}">{run}</font>'


def _font_of(character: str, *, has_kana: bool = False) -> str | None:
    """The font that has a character; None where none has it."""
    if ord(character) in _glyphs():
        return PLAIN
    script = _script(character)
    if script == "han":
        return _JAPANESE if has_kana else _CHINESE
    return {"kana": _JAPANESE, "hangul": _KOREAN, None: None}[script]


@functools.cache
def _glyphs() -> frozenset[int]:
    return frozenset(_plain_font().face.charToGlyph)


@functools.cache
def _plain_font() -> TTFont:
    return TTFont(PLAIN, str(asset("fonts/DejaVuSansCondensed.ttf")))


def _script(character: str) -> Literal["han", "kana", "hangul"] | None:
    if ord(character) > 0xFFFF:  # beyond what the standard fonts of PDF hold
        return None
    name = unicodedata.name(character, "")
    if name.startswith(("CJK UNIFIED", "CJK COMPAT", "IDEOGRAPHIC", "FULLWIDTH")):
        return "han"
    if name.startswith(("HIRAGANA", "KATAKANA", "HALFWIDTH KATAKANA")):
        return "kana"
    return "hangul" if name.startswith("HANGUL") else None
