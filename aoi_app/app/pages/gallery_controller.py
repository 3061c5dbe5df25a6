"""The page of the gallery: defects of all rolls are found and judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from aoi_app.app.pages.program import Program
from aoi_app.app.pages.refresh import Refresh
from aoi_app.inspection.findings.review import Verdict
from aoi_app.review.gallery_service import GalleryService
from aoi_app.review.gallery_state import GalleryItem
from aoi_app.settings.people import user_name
from aoi_app.ui.gallery.gallery_page import GalleryPage


class GalleryController:
    """
    Attributes:
        page: the page.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self._service = GalleryService(program.engine, user_name())
        page = self.page = GalleryPage()
        self._refresh = Refresh(page, self._service.ask, page.show_state)
        page.shown.connect(lambda: self._service.find(page.filter.wanted()))
        page.wanted_changed.connect(self._service.find)
        page.more_wanted.connect(self._service.more)
        page.decided.connect(self._decide)
        page.type_named.connect(lambda items, kind: self._service.name([item.key for item in items], kind))
        page.suggestions_taken.connect(self._take_suggestions)
        page.undo_asked.connect(self._service.undo)
        program.defect_types.changed.connect(self._show_types)
        self._show_types()

    @property
    def is_at_rest(self) -> bool:
        """Nothing is being read or written."""
        return self._service.is_at_rest

    def close(self) -> None:
        """Ends its thread."""
        self._refresh.stop()
        self._service.close()

    def _show_types(self) -> None:
        self.page.show_types(self._program.defect_types.now)

    def _decide(self, items: Sequence[GalleryItem], verdict: str) -> None:
        keys = [item.key for item in items]
        if verdict:
            self._service.decide(keys, cast("Verdict", verdict))
        else:
            self._service.clear(keys)

    def _take_suggestions(self, items: Sequence[GalleryItem]) -> None:
        known = {kind.code: kind for kind in self._program.defect_types.now}
        by_code: dict[str, list[GalleryItem]] = {}
        for item in items:
            if item.suggestion is not None:
                by_code.setdefault(item.suggestion.code, []).append(item)
        for code, alike in by_code.items():
            if code in known:
                self._service.name([item.key for item in alike], known[code])
            else:
                self._program.notifier.note(f"Type {code} is no longer in the list of defect types (settings).")
