"""What several tests of the detector share: a tiny real backbone, tiles in MVTec layout."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import timm
import torch

from cras_core.config.settings import BackboneConfig
from cras_core.features.backbone import Backbone
from cras_core.images import list_images, read_image
from cras_core.registry.bundle import Bundle, read_bundle, write_bundle


@pytest.fixture
def double() -> Iterator[None]:
    """Everything torch makes is float64."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.fixture
def tiny_backbone() -> Callable[..., Backbone]:
    """``tiny_backbone(seed)``: timm's smallest residual network, all its weights random."""

    def make(seed: int = 0, **settings: object) -> Backbone:
        torch.manual_seed(seed)
        config = BackboneConfig("test_resnet", "random, in tests only", **({"input_scale": 1.0} | settings))  # type: ignore[arg-type]
        network = timm.create_model(config.name, features_only=True, out_indices=config.levels, pretrained=False)
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                torch.nn.init.uniform_(module.weight, 0.5, 1.5)
                torch.nn.init.normal_(module.bias, std=0.1)
                torch.nn.init.normal_(module.running_mean, std=0.1)
                torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
        return Backbone(network, config)

    return make


@pytest.fixture
def remade(bundle: Bundle, tmp_path: Path) -> Callable[..., Bundle]:
    """``remade(field=value)``: the small model with some fields changed, written and read again."""

    def make(**changes: object) -> Bundle:
        path = tmp_path / "remade.cras"
        write_bundle(dataclasses.replace(bundle, **changes), path)  # type: ignore[arg-type]
        return read_bundle(path)

    return make


@pytest.fixture(scope="session")
def mvtec(loom_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiles of the loom's cloth in MVTec layout: six to train on, three good and three defective ones to judge by."""
    root = tmp_path_factory.mktemp("mvtec")
    for weave in ("plain", "twill"):
        for i, path in enumerate(list_images(loom_data / weave / "normal")):
            strip = read_image(path)
            _save(root / weave / "train" / "good" / f"{i}.png", strip[:256, 384:640])
            if i < 3:
                _save(root / weave / "test" / "good" / f"{i}.png", strip[256:, 384:640])
        tiles = [
            (strip[top : top + 256, left : left + 256], mask[top : top + 256, left : left + 256])
            for path in list_images(loom_data / weave / "defect")
            for strip, mask in [(read_image(path), read_image(loom_data / weave / "mask" / path.name))]
            for top in (0, 256)
            for left in (256, 512)
        ]
        spoilt = sorted(tiles, key=lambda pair: -int((pair[1] > 0).sum()))[:3]
        for i, (tile, mask) in enumerate(spoilt):
            assert mask.any()
            _save(root / weave / "test" / "spoilt" / f"{i}.png", tile)
            _save(root / weave / "ground_truth" / "spoilt" / f"{i}_mask.png", mask)
    return root


def _save(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", image)[1].tobytes())
