"""What a person can do something about. Everything raised on purpose derives from ``CrasError``: it carries a code and
values, and its text, which is made when it is shown, says what happened and the way out.
"""

from __future__ import annotations

from typing import Literal

from cras_core.messages import Message, portable


class CrasError(Exception):
    """A mistake or a circumstance that its reader can mend; the command lines print its text without a traceback.

    ``raise DataError("picture-too-small", "{path} is smaller than {least_px} px.", path=path, least_px=16)``

    Attributes:
        message: code, template and values; the text of the error is the text of its message.
    """

    def __init__(self, code: str, template: str, /, *, hint: str = "", **values: object) -> None:
        """
        Args:
            code: what it means, as ``picture-too-small``; programs compare it.
            template: the English sentence with ``{name}`` for every value; see ``Message``.
            hint: the way out that only a command line has, with options and commands.
            values: what fills the template and the hint.
        """
        super().__init__(code, template)
        self.message = Message(code, template, hint=hint, **values)

    def __str__(self) -> str:
        return str(self.message)

    def __reduce__(self) -> tuple[object, ...]:
        # An error of a training or of a camera is raised again in another process. The constructors of subclasses take
        # different arguments, so the error is made without them and gets back what it holds.
        state = {name: portable(value) for name, value in self.__dict__.items()}
        return _blank, (type(self), self.args), state

    @property
    def code(self) -> str:
        """What it means, whatever the language of its text."""
        return self.message.code

    @property
    def hint(self) -> str:
        """The way out for a command line; empty without one."""
        return self.message.hint


def _blank(kind: type[CrasError], args: tuple[object, ...]) -> CrasError:
    error = kind.__new__(kind)
    error.args = args
    return error


def command_line_text(error: CrasError) -> str:
    """What a command line prints of an error: its sentence, and the way out with options and commands."""
    text = str(error)
    if error.hint and not text.endswith((".", "?", "!")):
        text += "."
    return f"{text} {error.hint}".rstrip()


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

    def __init__(
        self,
        code: str,
        template: str,
        /,
        *,
        fault: Literal["missing", "unreadable", "content"],
        hint: str = "",
        **values: object,
    ) -> None:
        super().__init__(code, template, hint=hint, **values)
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
