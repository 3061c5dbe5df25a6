"""A model that does not fit what runs: the person decides, and until then nothing changes."""

from __future__ import annotations

from aoi_app.app.asker import Asker
from aoi_app.app.line_model import LineModel, name_of_loaded
from aoi_app.app.notifier import Notifier
from aoi_app.app.roll_controller import RollController
from aoi_app.live.model_loader import LoadedModel
from aoi_app.settings.recipe import RecipeError
from aoi_app.ui.main.question_bar import Answer, Question

_KEEP, _USE = "keep", "use"


class ModelChange:
    """Asks about models that were loaded and are not simply taken over."""

    def __init__(self, line_model: LineModel, roll: RollController, asker: Asker, notifier: Notifier) -> None:
        self._line_model, self._roll, self._asker, self._notifier = line_model, roll, asker, notifier
        line_model.cannot_go_on.connect(roll.begin_with_model)
        line_model.unknown_fabric.connect(self._ask_about_fabric)

    def _ask_about_fabric(self, loaded: LoadedModel, fabric: str) -> None:
        """The cloth that runs would be matched to some other fabric, or to none."""
        name = name_of_loaded(loaded)
        question = Question(
            f"The model {name} does not know {fabric}, which is running. What comes would be compared "
            "with other cloth.",
            (Answer(_KEEP, "Keep the running model"), Answer(_USE, f"Use {name} all the same")),
            _KEEP,
        )
        self._asker.ask(question, lambda key: self._use(loaded) if key == _USE else self._keep())

    def _keep(self) -> None:
        self._notifier.note("The running model goes on.")
        self._line_model.refused.emit()

    def _use(self, loaded: LoadedModel) -> None:
        try:
            self._line_model.adopt(loaded)
        except RecipeError as error:
            self._roll.begin_with_model(loaded, str(error))
