"""Single settings by their dotted names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from pydantic_core import from_json

from cras_core.config.settings import CrasConfig
from cras_core.errors import ConfigError
from cras_core.messages import Sentence


def with_settings(config: CrasConfig, assignments: Mapping[str, str]) -> CrasConfig:
    """Changes settings by their dotted names, as in ``{"train.epochs": "50"}``; values are read as JSON, else as text.
    They are checked together, so their order does not matter.

    Raises:
        ConfigError: an unknown name, or a value outside its range.
    """
    values = config.to_dict()
    for dotted, text in assignments.items():
        section, _, name = dotted.partition(".")
        if not isinstance(values.get(section), dict) or name not in values[section]:
            known = Sentence(", ".join(_names(config)))
            raise ConfigError(
                "setting-not-known", "unknown setting {name}; known are {known}", name=dotted, known=known
            )
        try:
            values[section][name] = from_json(text)
        except ValueError:  # no JSON: it is a text, written without quotes
            values[section][name] = text
    return CrasConfig.from_dict(values)


def _names(config: CrasConfig) -> list[str]:
    return [f"{section.name}.{f.name}" for section in fields(config) for f in fields(getattr(config, section.name))]
