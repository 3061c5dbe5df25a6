"""The recipes of the fabrics: a folder with one JSON file for each."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from aoi_app.settings.recipe import Recipe, RecipeError, load_recipe
from cras_core.files import write_atomically


def load_recipes(folder: Path) -> tuple[dict[str, Recipe], list[str]]:
    """The recipes of a folder by their fabric, and a sentence about each file that could not be used.

    A folder that is not there holds none. Of two recipes of one fabric the first by name counts.
    """
    found: dict[str, Recipe] = {}
    problems = []
    try:
        files = sorted(folder.glob("*.json")) if folder.is_dir() else []
    except OSError as error:
        return {}, [f"The recipes in {folder} cannot be read: {error.strerror or error}."]
    for path in files:
        try:
            recipe = load_recipe(path)
        except RecipeError as error:
            problems.append(f"{error}. It is left out.")
            continue
        if recipe.fabric is None:
            problems.append(f"The recipe {path} names no fabric. It is left out.")
        elif recipe.fabric in found:
            problems.append(f"The recipe {path} is a second one of {recipe.fabric}. It is left out.")
        else:
            found[recipe.fabric] = recipe
    return found, problems


def save_recipe(recipe: Recipe, folder: Path) -> Path:
    """Keeps the recipe of a fabric and returns its file; an older one of the fabric is replaced, whole or not at all.

    Raises:
        RecipeError: it names no fabric, or the file cannot be written.
    """
    if recipe.fabric is None:
        raise RecipeError(
            "recipe-without-fabric", "The recipe {name!r} names no fabric that it could be kept for.", name=recipe.name
        )
    path = folder / f"{quote(recipe.fabric, safe=' ')}.json"
    try:
        write_atomically(path, (recipe.model_dump_json(indent=1) + "\n").encode())
    except OSError as error:
        raise RecipeError(
            "recipe-unwritable", "The recipe {path} cannot be written: {reason}", path=path, reason=error
        ) from error
    return path
