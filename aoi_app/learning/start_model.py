"""Which model inspects when the program starts and nobody names one."""

from __future__ import annotations

from pathlib import Path

from aoi_app.learning.wording import store_problem_text
from cras_core.errors import StoreError
from cras_core.registry.store import ModelStore


def model_to_start(models: Path, otherwise: Path) -> tuple[Path, str]:
    """The model in use of the history.

    Args:
        models: folder of the history; it need not be there.
        otherwise: the bundle where there is no history, or where its model cannot be used.

    Returns:
        The bundle and, where the history's model cannot be used, a sentence that names it and the way out.
    """
    try:
        entry = ModelStore(models).in_use
    except StoreError as error:
        said = store_problem_text(error)
        until = f"Until then {otherwise.name} inspects, which may not know your cloth."
        return otherwise, f"{said[:1].upper()}{said[1:]} {until}"
    return (entry.path, "") if entry is not None else (otherwise, "")
