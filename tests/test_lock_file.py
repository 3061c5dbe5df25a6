"""The lock file is of these dependencies, and from nowhere but the public index."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

if sys.version_info < (3, 11):
    pytest.skip("tomllib came with Python 3.11", allow_module_level=True)

import tomllib

TOP = Path(__file__).parents[1]
LOCK = TOP / "uv.lock"
PUBLIC = ("https://pypi.org/", "https://files.pythonhosted.org/")


@pytest.fixture(scope="module")
def lock() -> dict[str, Any]:
    return tomllib.loads(LOCK.read_text(encoding="utf-8"))


def test_it_is_of_what_the_project_asks_for(lock: dict[str, Any]) -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (own,) = [package for package in lock["package"] if package["name"] == project["name"]]
    locked = {
        (row["name"], str(Requirement(f"x{row.get('specifier', '')}").specifier))
        for row in own["metadata"]["requires-dist"]
        if "extra ==" not in row.get("marker", "")
    }
    wanted = {
        (re.sub(r"[-_.]+", "-", asked.name).lower(), str(asked.specifier))
        for asked in map(Requirement, project["dependencies"])
    }
    assert locked == wanted, "run: uv lock"


def test_everything_comes_from_the_public_index_with_its_hash(lock: dict[str, Any]) -> None:
    addresses = re.findall(r"[a-z]+://[^\"\s]+", LOCK.read_text(encoding="utf-8"))
    assert addresses
    assert [address for address in addresses if not address.startswith(PUBLIC)] == []
    files = [file for package in lock["package"] for file in [*package.get("wheels", ()), package.get("sdist")] if file]
    assert all(file["hash"].startswith("sha256:") for file in files)
