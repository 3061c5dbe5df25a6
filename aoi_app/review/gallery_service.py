"""Finds defects of all rolls, records verdicts on many at once, takes them back; in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from sqlalchemy import Engine

from aoi_app.background.state_holder import StateHolder
from aoi_app.background.worker import SerialWorker
from aoi_app.inspection.findings.review import NO_REVIEW, Review
from aoi_app.inspection.findings.wanted import DefectFilter
from aoi_app.records.defect_search import FoundDefect, find_defects, read_opinions
from aoi_app.records.reviews import Said, write_reviews
from aoi_app.records.tables import utc_now
from aoi_app.review.gallery_state import GalleryItem, GalleryState, Key
from aoi_app.review.suggestion import TypeSuggestions
from aoi_app.settings.defect_types import DefectType

_PAGE = 200
_KNOWN = 1000  # reviewed defects that types are suggested from, the latest
_MOST_UNDONE = 50


class GalleryService:
    """Every command returns at once; the state tells later what came of it."""

    def __init__(self, engine: Engine, who: str) -> None:
        """
        Args:
            engine: the records.
            who: judges.
        """
        self._engine, self._who = engine, who
        self._holder = StateHolder(GalleryState())
        self._worker = SerialWorker("gallery", self._holder.fail)
        self._filter = DefectFilter()
        self._last_row: int | None = None
        self._suggestions: TypeSuggestions | None = None
        self._done: list[tuple[str, list[tuple[Key, Review]]]] = []  # what it was, and what was said before

    @property
    def state(self) -> GalleryState:
        """The newest one."""
        return self._holder.state

    def ask(self) -> GalleryState:
        """The newest one, for somebody who shows it."""
        return self._holder.ask()

    @property
    def is_at_rest(self) -> bool:
        """Nothing is being read or written."""
        return self._worker.is_idle

    def find(self, wanted: DefectFilter) -> None:
        """Shows the first page of what is looked for."""
        self._worker.put(lambda: self._find(wanted))

    def more(self) -> None:
        """Shows another page behind those that are shown; not while one is being read, because a view asks again."""
        if self._worker.is_idle and self.state.has_more:
            self._worker.put(self._more)

    def decide(self, keys: Sequence[Key], verdict: Literal["confirmed", "rejected"]) -> None:
        """Confirms or rejects defects."""
        at = utc_now()
        self._worker.put(lambda: self._say(keys, verdict, lambda now: now.decided(verdict, self._who, at)))

    def name(self, keys: Sequence[Key], kind: DefectType) -> None:
        """Names the type of defects, which confirms them."""
        at = utc_now()
        self._worker.put(lambda: self._say(keys, f"named {kind.name}", lambda now: now.named(kind, self._who, at)))

    def clear(self, keys: Sequence[Key]) -> None:
        """Takes back what was said of defects."""
        self._worker.put(lambda: self._say(keys, "cleared", lambda _: NO_REVIEW))

    def undo(self) -> None:
        """Takes the last command back: what was said before holds again. The history keeps both."""
        self._worker.put(self._undo)

    def close(self) -> None:
        """Ends after what was asked for."""
        self._worker.close()

    def _find(self, wanted: DefectFilter) -> None:
        self._filter, self._last_row = wanted, None
        with self._holder.doing("Looking for defects …"):
            self._holder.change(items=(), has_more=False, note="", is_alarm=False)
            self._more()
        # Behind the first page: somebody looks at it already.
        self._learn()
        self._holder.change(items=self._with_suggestions(self.state.items))

    def _more(self) -> None:
        found = find_defects(self._engine, self._filter, before=self._last_row, most=_PAGE)
        if found:
            self._last_row = found[-1].row_id
        items = (*self.state.items, *self._items(found))
        note = "" if items else "No defect is like that."
        self._holder.change(items=items, has_more=len(found) == _PAGE, note=note)

    def _learn(self) -> None:
        known = find_defects(self._engine, DefectFilter(verdict="confirmed"), most=_KNOWN)
        self._suggestions = suggestions = TypeSuggestions([(f.defect, f.review) for f in known])
        right = suggestions.right
        about = (
            f"Types are suggested from {suggestions.known} reviewed defects; among these {right:.0%} are right."
            if right is not None
            else "No types are suggested yet: confirm five defects with their types first."
        )
        self._holder.change(about_suggestions=about)

    def _items(self, found: Sequence[FoundDefect]) -> list[GalleryItem]:
        opinions = read_opinions(self._engine, [f.key for f in found]) if found else {}
        items = [GalleryItem(f.key, f.roll_number, f.defect, f.review, opinions.get(f.key, {}), None) for f in found]
        return list(self._with_suggestions(items))

    def _with_suggestions(self, items: Sequence[GalleryItem]) -> tuple[GalleryItem, ...]:
        """With a suggestion for each that has no type and is no false alarm."""
        if self._suggestions is None:
            return tuple(items)
        asked = [item for item in items if item.review.type_code is None and item.review.verdict != "rejected"]
        given = dict(zip([i.key for i in asked], self._suggestions.suggest([i.defect for i in asked]), strict=True))
        return tuple(
            item if item.suggestion == given.get(item.key) else replace(item, suggestion=given.get(item.key))
            for item in items
        )

    def _say(self, keys: Sequence[Key], what: str, change: Callable[[Review], Review]) -> None:
        now = {item.key: item.review for item in self.state.items if item.key in set(keys)}
        if not now:
            return
        self._write([(key, change(review)) for key, review in now.items()])
        count = "1 defect" if len(now) == 1 else f"{len(now)} defects"
        self._done = [*self._done, (f"{count} {what}", list(now.items()))][-_MOST_UNDONE:]
        self._holder.change(undoable=self._done[-1][0], note=f"{count} {what}.", is_alarm=False)

    def _undo(self) -> None:
        if not self._done:
            self._holder.say("There is nothing to take back.")
            return
        what, before = self._done[-1]
        self._write(before)
        self._done.pop()
        self._holder.change(
            undoable=self._done[-1][0] if self._done else "", note=f"Taken back: {what}.", is_alarm=False
        )

    def _write(self, said: Sequence[tuple[Key, Review]]) -> None:
        """Records first, then shows."""
        write_reviews(self._engine, [Said(*key, review) for key, review in said], self._who)
        now = dict(said)
        opinions = read_opinions(self._engine, list(now))
        self._holder.change(
            items=tuple(
                replace(item, review=now[item.key], opinions=opinions.get(item.key, {})) if item.key in now else item
                for item in self.state.items
            )
        )
