"""Fabrics taken out, renamed and taken over without training; the others score as before."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from cras_core.data.folders import find_good_cloth
from cras_core.detectors.cras.detector import CrasDetector
from cras_core.errors import EnrolError
from cras_core.evaluation.webs import inspect_strip
from cras_core.images import read_image
from cras_core.registry.bundle import Bundle
from cras_core.training.enrol import enrol
from cras_core.training.fabric_changes import merge, remove_fabric, rename_fabric
from cras_core.training.fabric_tensors import put_together, take_apart


@pytest.fixture(scope="module")
def three(bundle: Bundle, loom_data: Path) -> Bundle:
    """Plain, twill, and satin enrolled quickly."""
    satin = find_good_cloth(loom_data, "satin")
    return enrol(bundle, dataclasses.replace(satin, paths=satin.paths[:2]), "cpu")


def test_a_model_comes_apart_and_together_again(bundle: Bundle) -> None:
    shared, fabrics = take_apart(bundle)
    again = put_together(bundle, shared, fabrics)
    assert again.keys() == bundle.tensors.keys()
    assert all(torch.equal(again[name], tensor) for name, tensor in bundle.tensors.items())
    assert not {"means", "middles", "centers.0"} & shared.keys()


def test_a_model_that_keeps_its_fabrics_in_another_way_is_refused(bundle: Bundle) -> None:
    strange = {name: t for name, t in bundle.tensors.items() if name != "middles"}
    with pytest.raises(EnrolError, match="does not keep its fabrics apart, so none can be added or taken out"):
        remove_fabric(dataclasses.replace(bundle, tensors=strange), "twill")


def test_without_a_fabric_the_others_score_as_before(three: Bundle, loom_data: Path) -> None:
    fewer = remove_fabric(three, "twill", "Ada")
    assert fewer.fabrics == ("plain", "satin")
    picture = read_image(next((loom_data / "satin" / "defect").iterdir()))
    before, _ = inspect_strip(CrasDetector.from_bundle(three, "cpu"), picture, 2)
    after, _ = inspect_strip(CrasDetector.from_bundle(fewer, "cpu"), picture, 1)
    for a, b in zip(before, after, strict=True):
        assert np.array_equal(a.score, b.score, equal_nan=True)
    told = fewer.provenance
    assert (told["kind"], told["author"], told["parent"]) == ("edit", "Ada", three.identity)
    assert set(told["samples"]) == set(told["pictures"]) == {"plain", "satin"}
    assert not any(w.startswith("twill: ") for w in told["warnings"])


def test_what_is_added_and_removed_again_leaves_the_model_as_it_was(bundle: Bundle, three: Bundle) -> None:
    assert remove_fabric(three, "satin").identity == bundle.identity


def test_the_last_fabric_stays(bundle: Bundle) -> None:
    one = remove_fabric(bundle, "twill")
    with pytest.raises(EnrolError, match="plain is the only fabric of the model"):
        remove_fabric(one, "plain")
    with pytest.raises(EnrolError, match="there is no fabric denim in the model; it has plain"):
        remove_fabric(one, "denim")


def test_a_fabric_gets_another_name_and_keeps_all_else(three: Bundle) -> None:
    renamed = rename_fabric(three, "satin", "atlas")
    assert renamed.fabrics == ("plain", "twill", "atlas")
    assert dataclasses.replace(renamed.calibrations[2], fabric="satin") == three.calibrations[2]
    assert all(torch.equal(renamed.tensors[name], t) for name, t in three.tensors.items())
    assert renamed.provenance["samples"]["atlas"] == three.provenance["samples"]["satin"]
    assert "satin" not in renamed.provenance["samples"]
    assert [w.split(":")[0] for w in renamed.provenance["warnings"]][-1] == "atlas"


def test_names_that_cannot_be_given_are_refused(bundle: Bundle) -> None:
    with pytest.raises(EnrolError, match="fabric twill is in the model already"):
        rename_fabric(bundle, "plain", "twill")
    with pytest.raises(EnrolError, match="a fabric needs a name"):
        rename_fabric(bundle, "plain", " ")
    with pytest.raises(EnrolError, match="there is no fabric denim"):
        rename_fabric(bundle, "denim", "x")


def test_fabrics_of_another_copy_are_taken_over(bundle: Bundle, three: Bundle, loom_data: Path) -> None:
    basket = find_good_cloth(loom_data, "basket")
    there = enrol(bundle, dataclasses.replace(basket, paths=basket.paths[:2]), "cpu")
    four = merge(three, there)
    assert four.fabrics == ("plain", "twill", "satin", "basket")
    assert [c.enrolled_quickly for c in four.calibrations] == [False, False, True, True]
    assert four.calibrations[3].limit == there.calibrations[2].limit
    assert torch.equal(four.tensors["centers.3"], there.tensors["centers.2"])
    assert set(four.provenance["samples"]) == set(four.fabrics)
    assert four.provenance["merged"] == there.identity
    with pytest.raises(EnrolError, match=f"{there.identity} has no fabric that {four.identity} has not"):
        merge(four, there)
    # In which order they came does not matter for the limits between fabrics.
    other_way = {c.fabric: c for c in merge(there, three).calibrations}
    for c in four.calibrations:
        assert other_way[c.fabric].level_limit == pytest.approx(c.level_limit, abs=1e-6)


def test_models_of_different_trainings_do_not_merge(bundle: Bundle) -> None:
    other = dataclasses.replace(bundle, tensors=bundle.tensors | {"mean": bundle.tensors["mean"] + 1})
    with pytest.raises(EnrolError, match=r"come from different trainings; .*Train all fabrics together"):
        merge(bundle, other)
