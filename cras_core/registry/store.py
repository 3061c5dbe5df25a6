"""The history of models: every model that was made, which one is in use, and who decided so when and why.

A folder with one bundle per model, ``<identity>.cras``, and ``store.json``, which names the model in use, those that
are pinned, and every promotion. That one file is replaced whole, so a power cut leaves the old model in use or the
new one, and its log never tells anything else. Whatever changes the store holds an operating system's lock on
``store.lock`` while it does; such a lock goes with its process, however that ends. Reading needs no lock.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from cras_core.errors import JsonFileError, StoreError
from cras_core.files import write_atomically
from cras_core.json_files import read_json
from cras_core.messages import Message, Sentence
from cras_core.registry.bundle import Bundle, read_bundle, write_bundle
from cras_core.registry.diff import Comparison, compare_models
from cras_core.registry.entries import ENDING, Entry, Promotion, PrunePolicy, entry_of, to_prune
from cras_core.registry.provenance import who_is_logged_in
from cras_core.validated import validated

_STATE, _LOCK = "store.json", "store.lock"
_PATIENCE_S = 20.0


@validated("", StoreError)
class _State:
    """What ``store.json`` holds."""

    version: Literal[1]
    promotions: tuple[Promotion, ...]
    pinned: tuple[str, ...]

    @property
    def in_use(self) -> str | None:
        return self.promotions[-1].identity if self.promotions else None


class ModelStore:
    """The models of one folder. Several processes may use it at once."""

    def __init__(self, folder: Path) -> None:
        """``folder`` is made when the first model is added."""
        self.folder = folder
        self._looked_at: dict[tuple[str, int, int], Entry] = {}  # by name, size and time: a model never changes

    def entries(self) -> list[Entry]:
        """All models, the newest first, then files that are none; folders in it are somebody's own.

        Raises:
            StoreError: the folder, or the store's file in it, cannot be read.
        """
        found = []
        try:
            for path in self.folder.iterdir() if self.folder.is_dir() else ():
                if path.name not in (_STATE, _LOCK) and not path.name.startswith(".") and not path.is_dir():
                    with suppress(FileNotFoundError):  # another process has just deleted it
                        found.append(self._look_at(path))
        except OSError as error:
            raise StoreError(
                "models-unreadable", "the models in {folder} cannot be read: {reason}", folder=self.folder, reason=error
            ) from error
        state = self._state(mended=True)
        marked = [replace(e, in_use=e.identity == state.in_use, pinned=e.identity in state.pinned) for e in found]
        newest_first = sorted(marked, key=lambda e: (e.made_s, e.identity), reverse=True)
        return sorted(newest_first, key=lambda e: bool(e.problem))

    def entry(self, identity: str) -> Entry:
        """A model by its identity, or by the beginning of it that no other shares.

        Raises:
            StoreError: there is none, or several.
        """
        found = [e for e in self.entries() if identity and e.identity.startswith(identity)]
        exact = [e for e in found if e.identity == identity]
        if len(exact or found) == 1:
            return (exact or found)[0]
        if found:
            raise StoreError(
                "model-ambiguous",
                "{identity} may be {identities}; give more of it",
                identity=identity,
                identities=[e.identity for e in found],
            )
        raise StoreError(
            "model-unknown",
            "there is no model {identity} in {folder}. {way_out}.",
            identity=identity,
            folder=self.folder,
            way_out=self._way_out(),
        )

    @property
    def in_use(self) -> Entry | None:
        """The model in use; None where none was ever promoted.

        Raises:
            StoreError: it is missing or damaged, or the store's own file is; the text names the way out.
        """
        identity = self._state().in_use
        if identity is None:
            return None
        entry = next((e for e in self.entries() if e.identity == identity), None)
        if entry is None:
            raise StoreError(
                "model-in-use-missing",
                "the model in use, {identity}, is missing from {folder}. {way_out}.",
                identity=identity,
                folder=self.folder,
                way_out=self._way_out(),
            )
        if entry.problem:
            raise StoreError(
                "model-in-use-unusable",
                "the model in use, {identity}, cannot be used: {problem}. {way_out}.",
                identity=identity,
                problem=Sentence(entry.problem),
                way_out=self._way_out(),
            )
        return entry

    @property
    def promotions(self) -> tuple[Promotion, ...]:
        """All of them, the latest last. Raises StoreError when the store's file is damaged."""
        return self._state().promotions

    def read(self, identity: str) -> Bundle:
        """A model itself. Raises StoreError, BundleError."""
        entry = self.entry(identity)
        if entry.problem:
            raise StoreError(
                "model-unusable",
                "the model {identity} cannot be used: {problem}. {way_out}.",
                identity=entry.identity,
                problem=Sentence(entry.problem),
                way_out=self._way_out(),
            )
        return read_bundle(entry.path)

    def add(self, bundle: Bundle) -> Entry:
        """Keeps a model; it is not put into use by that. One that is there already stays as it is.

        Raises:
            BundleError: it cannot be written; nothing of it is left behind.
            StoreError: the folder cannot be used, or another process keeps it too long.
        """
        path = self.folder / f"{bundle.identity}{ENDING}"
        with self._locked():
            if not path.is_file() or self._look_at(path).problem:
                write_bundle(bundle, path)
        return self.entry(bundle.identity)

    def promote(self, identity: str, reason: str = "", author: str | None = None) -> Promotion:
        """Puts a model into use; an older one as well. One that is in use already is not promoted again.

        Raises:
            StoreError: there is no such model, it is damaged, or the decision cannot be written; then the model before
                it stays in use.
        """
        with self._locked():
            entry = self.entry(identity)
            if entry.problem:
                raise StoreError(
                    "model-unusable",
                    "the model {identity} cannot be used: {problem}. {way_out}.",
                    identity=entry.identity,
                    problem=Sentence(entry.problem),
                    way_out=self._way_out(),
                )
            state = self._state(mended=True)
            if state.in_use == entry.identity:
                return state.promotions[-1]
            promotion = Promotion(
                time.strftime("%Y-%m-%dT%H:%M:%S%z"),
                author or who_is_logged_in(),
                state.in_use,
                entry.identity,
                reason,
            )
            self._write(replace(state, promotions=(*state.promotions, promotion)))
        return promotion

    def compare(self, before: str, after: str) -> Comparison:
        """What differs between two models. Raises StoreError, BundleError."""
        return compare_models(self.read(before), self.read(after))

    def pin(self, identity: str, *, pinned: bool = True) -> Entry:
        """Keeps a model from being removed, or no longer. Raises StoreError."""
        with self._locked():
            entry, state = self.entry(identity), self._state()
            others = tuple(i for i in state.pinned if i != entry.identity)
            self._write(replace(state, pinned=(*others, entry.identity) if pinned else others))
        return replace(entry, pinned=pinned)

    def unpin(self, identity: str) -> Entry:
        """The inverse of ``pin``."""
        return self.pin(identity, pinned=False)

    def remove(self, identity: str) -> Entry:
        """Deletes a model, or a file that is none, and returns what it was.

        Raises:
            StoreError: it is in use or pinned, there is none, or it cannot be deleted; or the store's file is
                damaged, so that nobody knows what is in use.
        """
        with self._locked():
            self._state()
            entry = self.entry(identity)
            if entry.in_use:
                raise StoreError(
                    "model-is-in-use",
                    "the model {identity} is in use; put another one into use first",
                    identity=entry.identity,
                )
            if entry.pinned:
                raise StoreError(
                    "model-is-pinned", "the model {identity} is pinned; unpin it first", identity=entry.identity
                )
            self._delete(entry)
        return entry

    def prune(self, policy: PrunePolicy) -> tuple[Entry, ...]:
        """Deletes the oldest models until the bounds hold, as far as ``to_prune`` lets it; what is no model stays.

        Returns:
            What was deleted.

        Raises:
            StoreError: the store's file is damaged, so that nobody knows what is in use; or a file cannot be deleted.
        """
        with self._locked():
            gone = to_prune(self.entries(), self._state().promotions, policy)
            for entry in gone:
                self._delete(entry)
            for leftover in self.folder.glob(f".*{ENDING}.*"):  # of a process that was killed: the lock is ours now
                leftover.unlink(missing_ok=True)
        return gone

    def _delete(self, entry: Entry) -> None:
        try:
            entry.path.unlink()
        except OSError as error:
            raise StoreError(
                "model-not-deleted", "{path} cannot be deleted: {reason}", path=entry.path, reason=error
            ) from error

    def _look_at(self, path: Path) -> Entry:
        """Reads a file of the folder; a sound one that was read before and has not changed is not read again."""
        status = path.stat()
        key = (path.name, status.st_size, status.st_mtime_ns)
        found = self._looked_at.get(key) or entry_of(path)
        if not found.problem:
            self._looked_at[key] = found
        return found

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = FileLock(self.folder / _LOCK, timeout=_PATIENCE_S)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout as error:
            raise StoreError(
                "store-locked",
                "another program has been changing the models in {folder} for {seconds:.0f} s; try again, or end it",
                folder=self.folder,
                seconds=_PATIENCE_S,
            ) from error
        except OSError as error:
            raise StoreError(
                "store-unusable", "the store {folder} cannot be used: {reason}", folder=self.folder, reason=error
            ) from error
        try:
            yield
        finally:
            lock.release()

    def _state(self, *, mended: bool = False) -> _State:
        """What the store's file says. A damaged one counts as empty with ``mended``, otherwise it raises StoreError.
        One that cannot be read raises anyway: what it says may still be good.
        """
        path = self.folder / _STATE
        try:
            return read_json(path, _State)
        except JsonFileError as error:
            if error.fault == "missing" or (error.fault == "content" and mended):
                return _State(1, (), ())
            if error.fault == "unreadable":
                raise StoreError("store-log-unreadable", "{reason}", reason=error) from error
            raise StoreError(
                "store-log-damaged",
                "{path} is damaged ({reason}), so nobody knows the model in use. {way_out}.",
                path=path,
                reason=error,
                way_out=self._way_out(),
            ) from error

    def _write(self, state: _State) -> None:
        path = self.folder / _STATE
        content = asdict(state)
        try:
            if path.is_file() and not self._is_sound():
                path.replace(path.with_suffix(".damaged"))  # a person may still read the log in it
            write_atomically(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())
        except OSError as error:
            raise StoreError(
                "store-log-unwritable",
                "{path} cannot be written: {reason}. Nothing has changed; free some space",
                path=path,
                reason=error,
            ) from error

    def _is_sound(self) -> bool:
        try:
            self._state()
        except StoreError:
            return False
        return True

    def _way_out(self) -> Message:
        """Names a model that could be put into use."""
        try:
            sound = [e for e in self.entries() if not e.problem]
        except StoreError:
            sound = []
        if not sound:
            return Message(
                "store-without-sound-model",
                "There is no sound model in it: train one and add it",
                hint="With: cras models STORE add BUNDLE",
            )
        return Message(
            "store-has-sound-model",
            "Put one that is there into use, such as {identity} of {date}",
            hint="With: cras models STORE use {identity}",
            identity=sound[0].identity,
            date=time.strftime("%Y-%m-%d", time.localtime(sound[0].made_s)),
        )
