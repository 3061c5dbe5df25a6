"""A model that does not fit what runs: the person decides, and until then nothing changes."""

from __future__ import annotations

from aoi_app.app.ground.asker import Asker
from aoi_app.app.ground.notifier import Notifier
from aoi_app.app.roll.ending_question import Wish
from aoi_app.app.roll.line_model import LineModel, name_of_loaded
from aoi_app.app.roll.roll_controller import RollController
from aoi_app.inspection.roll_model import make_roll_model
from aoi_app.live.model_loader import LoadedModel
from aoi_app.settings.recipe import RecipeError
from aoi_app.settings.recipe_book import RecipeBook
from aoi_app.ui.main.question_bar import Answer, Question

_KEEP, _USE = "keep", "use"


class ModelChange:
    """Asks about models that were loaded and are not simply taken over."""

    def __init__(
        self, line_model: LineModel, roll: RollController, recipes: RecipeBook, asker: Asker, notifier: Notifier
    ) -> None:
        self._line_model, self._roll, self._recipes = line_model, roll, recipes
        self._asker, self._notifier = asker, notifier
        line_model.cannot_go_on.connect(self._begin_with)
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
            self._begin_with(loaded, str(error))

    def _begin_with(self, loaded: LoadedModel, why: str) -> None:
        """Begins a roll with a model that cannot go on in the running one, if the person agrees to its end; ``why`` is
        a sentence.
        """
        name, recipe = name_of_loaded(loaded), self._recipes.line

        def prove() -> None:
            model = loaded.detector
            assert model is not None
            try:
                make_roll_model(model, loaded.identity, model.config.tiling, recipe)
            except RecipeError as error:
                raise RecipeError("model-fits-no-roll", "{model}: {problem}", model=name, problem=error) from error

        def change() -> None:
            self._line_model.take(loaded)
            self._roll.end_to_begin()

        wish = Wish(f"{why} Start a new roll with {name}?", "Start the new roll")
        self._roll.ending.ask(wish, change, prove)
