"""The work order: asked for, remembered for the next roll, recorded with the roll, corrected while it runs."""

from __future__ import annotations

from PySide6.QtCore import QObject
from sqlalchemy import Engine

from aoi_app.app.ground.notifier import Notifier
from aoi_app.app.ground.settings_holder import SettingsHolder
from aoi_app.app.roll.roll_controller import RollController
from aoi_app.live.session import Session
from aoi_app.live.state import State
from aoi_app.records.errors import RecordsError
from aoi_app.records.work_orders import change_order, earlier_rolls
from aoi_app.settings.work_order import NO_ORDER, WorkOrder, load_work_order, save_work_order
from aoi_app.ui.main.main_window import MainWindow


class WorkOrderController(QObject):
    """Holds the order of the running roll, and that of the next one, which is the same but for the roll number."""

    def __init__(
        self, window: MainWindow, notifier: Notifier, settings: SettingsHolder, engine: Engine, roll: RollController
    ) -> None:
        super().__init__()
        self._window, self._notifier, self._settings = window, notifier, settings
        self._engine, self._roll = engine, roll
        self._now = NO_ORDER
        roll.next_order, problem = load_work_order()
        if problem is not None:
            notifier.warn(problem)
        bar = window.work_order_bar
        bar.kept.connect(self._keep)
        bar.closed.connect(bar.close_bar)
        bar.number_typed.connect(self._number_typed)
        roll.began.connect(self._began)

    def start(self) -> None:
        """Begins a roll, or goes on after a pause. The order is asked for first, where the settings want that."""
        is_new = self._roll.session_state is State.IDLE or self._roll.session_state.is_over
        if is_new and self._settings.now.asks_work_order and self._window.work_order_bar.isHidden():
            self.ask()
        else:
            self._roll.start()

    def ask(self) -> None:
        """Shows the order of the running roll, or of the next one."""
        running = self._roll.is_running
        self._window.work_order_bar.show_order(self._now if running else self._roll.next_order, begins_roll=not running)

    def _keep(self, order: WorkOrder, begins_roll: bool) -> None:
        self._window.work_order_bar.close_bar()
        if begins_roll:
            self._roll.next_order = order
            self._roll.start()
            return
        try:
            change_order(self._engine, self._roll.roll_id, order)
        except RecordsError as error:
            self._notifier.warn(str(error))
            return
        self._show(order)
        self._remember(order)
        self._notifier.note("The work order is recorded with this roll.")

    def _number_typed(self, number: str) -> None:
        """A number that is taken is no mistake where a roll is inspected again, but it is said."""
        text = ""
        try:
            running = self._roll.roll_id if self._roll.is_running else 0
            earlier = earlier_rolls(self._engine, number.strip(), but=running)
        except RecordsError as error:
            text = str(error)
        else:
            if earlier:
                when = earlier[0].started_at.astimezone()
                text = f"{number} was inspected before, on {when:%Y-%m-%d at %H:%M}. This is another inspection of it."
        self._window.work_order_bar.show_note(text)

    def _began(self, _session: Session) -> None:
        self._window.work_order_bar.close_bar()
        self._show(self._roll.next_order)
        self._remember(self._roll.next_order)

    def _show(self, order: WorkOrder) -> None:
        self._now = order
        self._window.show_order(order.text)

    def _remember(self, order: WorkOrder) -> None:
        self._roll.next_order = order.for_next_roll()
        try:
            save_work_order(self._roll.next_order)
        except OSError as error:
            self._notifier.warn(f"The work order cannot be kept for the next roll: {error.strerror or error}.")
