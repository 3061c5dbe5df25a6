"""What a person can do something about. Everything raised on purpose derives from ``CrasError`` and says what
happened and the way out.
"""

from typing import Literal


class CrasError(Exception):
    """A mistake or a circumstance that its reader can mend; the command lines print its text without a traceback."""


class ConfigError(CrasError):
    """A setting is outside its range, or two settings contradict each other."""


class WeightsError(CrasError):
    """The weights of a backbone cannot be found or do not fit the network."""


class DataError(CrasError):
    """A data set or an image cannot be used as it is."""


class UnreadableError(DataError):
    """A picture is cut off, damaged, or no picture."""


class JsonFileError(DataError):
    """A file of JSON is missing, cannot be read, or does not hold what it should.

    Attributes:
        fault: which of the three: ``missing``, ``unreadable`` (what it holds may still be good), or ``content``.
    """

    def __init__(self, text: str, fault: Literal["missing", "unreadable", "content"]) -> None:
        super().__init__(text)
        self.fault: Literal["missing", "unreadable", "content"] = fault


class BundleError(CrasError):
    """A model file cannot be read or written."""


class ExportError(CrasError):
    """A model cannot be written for another runtime, or would not judge there as it does here."""


class EnrolError(CrasError):
    """A fabric cannot be added to, renamed in or taken out of a model."""


class StoreError(CrasError):
    """A model is not in the store, or the store cannot do what is asked with it."""


class TrainingError(CrasError):
    """Training cannot go on, or was stopped before there was anything to keep."""
