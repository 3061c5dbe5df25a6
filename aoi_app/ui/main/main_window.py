"""The one window of the program: pages behind a bar of buttons, and what is said above all of them."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication, QIcon, QKeySequence
from PySide6.QtWidgets import QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from aoi_app.live.state import Snapshot, State
from aoi_app.ui.main.actions import MENUS, ROWS
from aoi_app.ui.main.alarm_bar import AlarmBar
from aoi_app.ui.main.condition_bar import ConditionBar
from aoi_app.ui.main.navigation import Navigation
from aoi_app.ui.main.question_bar import QuestionBar
from aoi_app.ui.main.work_order_bar import WorkOrderBar
from aoi_app.ui.widgets.actions import fill_menus, make_actions
from aoi_app.ui.widgets.banner import Banner
from aoi_app.ui.widgets.page import Page
from aoi_app.ui.widgets.plain import PlainLabel, set_plain_tip
from aoi_app.ui.widgets.theme import Theme

_TITLE = "Cloth inspection"
_WIDTH_PX, _HEIGHT_PX = 1366, 768


class MainWindow(QMainWindow):
    """Shows one page at a time and announces what the person asks for.

    Signals:
        page_asked: key of the page that the person wants to see.
        close_asked: the person wants to leave.
    """

    page_asked = Signal(str)
    close_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle(_TITLE)
        self.actions_by_key = make_actions(self, ROWS)
        fill_menus(self.menuBar(), self.actions_by_key, MENUS)
        self.navigation = Navigation()
        self.navigation.asked.connect(self.page_asked)
        self.addToolBar(Qt.ToolBarArea.LeftToolBarArea, self.navigation)
        self.condition = ConditionBar()
        self.alarms = AlarmBar()
        self.question_bar = QuestionBar()
        self.work_order_bar = WorkOrderBar()
        self._banner = Banner("Message")
        self._pages = QStackedWidget()
        self._page_by_key: dict[str, Page] = {}
        self._may_close = False
        middle = QWidget()
        whole = QVBoxLayout(middle)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.condition)
        whole.addWidget(self.work_order_bar)
        whole.addWidget(self._pages, 1)
        # What comes unasked comes below the page: above it, it would move a button from under the pointer.
        whole.addWidget(self._banner)
        whole.addWidget(self.alarms)
        whole.addWidget(self.question_bar)
        self.setCentralWidget(middle)
        self._order = PlainLabel()
        self._order.setAccessibleName("Work order")
        self.statusBar().addWidget(self._order)
        self._about = PlainLabel()
        self.statusBar().addPermanentWidget(self._about)
        self.show_snapshot(Snapshot())
        self._fit_to_screen()

    def _fit_to_screen(self) -> None:
        """No larger than what the screen has room for, whatever its scaling."""
        screen = QGuiApplication.primaryScreen()
        room = screen.availableGeometry()
        self.resize(min(_WIDTH_PX, room.width()), min(_HEIGHT_PX, room.height()))

    # --- pages ----------------------------------------------------------------------------------------------------

    def add_page(self, key: str, page: Page) -> None:
        """A page that can be shown from now on."""
        self._page_by_key[key] = page
        self._pages.addWidget(page)

    def add_button(self, key: str, title: str, shortcut: str, tip: str, icon: QIcon) -> None:
        """A button for a page; the page itself may come later."""
        # Qt answers to none of two actions with the same key, so where a menu has it, the menu keeps it.
        has_key = QKeySequence(shortcut) not in [action.shortcut() for action in self.actions_by_key.values()]
        self.navigation.add(key, title, shortcut, tip, icon, has_key=has_key)

    def show_page(self, key: str) -> None:
        """Brings a page to the front, and the keyboard to it. Raises KeyError when it was not added."""
        page = self._page_by_key[key]
        self.navigation.show_current(key)
        for row in ROWS:  # a key that means something else on another page must not reach this one
            if row.page:
                self.actions_by_key[row.key].setEnabled(row.page == key)
        if self._pages.currentWidget() is not page:
            self._pages.setCurrentWidget(page)
            page.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def page(self) -> str:
        """Key of the page that is seen; empty before the first."""
        now = self._pages.currentWidget()
        return next((key for key, page in self._page_by_key.items() if page is now), "")

    def set_theme(self, theme: Theme) -> None:
        """Colours what the style sheet does not reach."""
        self.condition.set_theme(theme)
        for page in self._page_by_key.values():
            page.set_theme(theme)

    # --- what is told ---------------------------------------------------------------------------------------------

    def show_about(self, text: str, tip: str) -> None:
        """What is inspected with what, in the status bar; ``tip`` tells more of the model."""
        self._about.setText(text)
        set_plain_tip(self._about, tip)

    def show_order(self, text: str) -> None:
        """The work order of the running roll, in the title and the status bar; empty without one."""
        self.setWindowTitle(f"{text} – {_TITLE}" if text else _TITLE)
        self._order.setText(text)

    def say(self, text: str, *, is_alarm: bool) -> None:
        """A message below the page; an empty one hides it."""
        self._banner.say(text, alarm=is_alarm)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """The condition of the line, and which actions make sense now."""
        self.condition.show_status(snapshot.status)
        state = snapshot.state
        able = {
            "start": state in (State.IDLE, State.PAUSED) or state.is_over,
            "pause": state is State.RUNNING,
            "splice": state is State.RUNNING,
            "stop": state in (State.OPENING, State.RUNNING, State.PAUSED, State.FINISHING),
            "export": snapshot.roll_id > 0,
        }
        for key, enabled in able.items():
            if self.actions_by_key[key].isEnabled() != enabled:
                self.actions_by_key[key].setEnabled(enabled)

    # --- its end --------------------------------------------------------------------------------------------------

    def allow_close(self) -> None:
        """The roll is closed; the window may go."""
        self._may_close = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 (Qt's name)
        """Asks first, so that the roll is closed properly."""
        if not self._may_close:
            self.close_asked.emit()
        # Where no roll runs the permission comes at once, inside this event, and Qt ignores a close within a close.
        event.setAccepted(self._may_close)
