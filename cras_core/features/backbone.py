"""The frozen network that sees the image: any timm pyramid, with real weights."""

from __future__ import annotations

import copy
from functools import cache, lru_cache
from typing import Any

import timm
import torch
from torch import Tensor, nn

from cras_core.config.settings import HUB, BackboneConfig
from cras_core.errors import WeightsError
from cras_core.features.folding import fold
from cras_core.features.weights import WAYS_OUT, FileState, fingerprint, load_into, read_weights, state_of


class Backbone(nn.Module):
    """E_phi of the paper without the aggregation: images in, one feature map per level out. Frozen, always in
    evaluation mode.

    Attributes:
        channels: channels of each level.
        strides: stride of each level, in pixels of the image that ``forward`` is given.
        weights_hash: sha256 of the weights.
        precision: what the network computes in; float32, or bfloat16 or float16 where that is faster.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, config: BackboneConfig, *, folded: bool = True) -> None:
        super().__init__()
        network = network.eval().requires_grad_(False)
        self.network = fold(network) if folded else network
        self.config = config
        self.precision = torch.float32
        info: Any = network.feature_info
        self.channels: tuple[int, ...] = tuple(info.channels())
        self.strides: tuple[float, ...] = tuple(r / config.input_scale for r in info.reduction())
        cfg: Any = network.pretrained_cfg
        self.register_buffer("mean", torch.tensor(cfg["mean"]).view(1, 3, 1, 1) * 255, persistent=False)
        self.register_buffer("std", torch.tensor(cfg["std"]).view(1, 3, 1, 1) * 255, persistent=False)
        self.weights_hash = fingerprint(network)

    def train(self, mode: bool = True) -> Backbone:  # noqa: ARG002
        """Stays in evaluation mode: the statistics of its normalisation layers belong to the weights."""
        return super().train(False)

    def forward(self, images: Tensor) -> list[Tensor]:
        """(B, 3, H, W) RGB, 0..255 -> one (B, C, H / stride, W / stride) per level.

        H and W times the input scale must be multiples of the coarsest level's reduction.
        """
        x = (images - self.mean) / self.std
        if self.config.input_scale != 1.0:
            x = nn.functional.interpolate(x, scale_factor=self.config.input_scale, mode="bilinear", align_corners=False)
        x = x.contiguous(memory_format=torch.channels_last)
        if self.precision is torch.float32:
            levels: list[Tensor] = self.network(x)
            return levels
        with torch.autocast(x.device.type, dtype=self.precision):
            levels = self.network(x)
        return [level.float() for level in levels]


def load_backbone(config: BackboneConfig, *, folded: bool = True) -> Backbone:
    """Builds a backbone and fills it with the weights that ``config`` names; ``folded`` off leaves it as timm builds
    it, to compare with.

    The last few are kept, and each caller gets a copy of its own: to build and fold one takes twenty times as long as
    to copy it, and every model that is loaded or trained wants one. A file of weights that was changed is read again.

    Raises:
        WeightsError: timm has no such network, or its weights cannot be reached; the message says what to do.
    """
    state = None if config.weights == HUB else state_of(config.weights)
    return copy.deepcopy(_built(config, folded, state))


@lru_cache(maxsize=4)
def _built(config: BackboneConfig, folded: bool, _: FileState | None) -> Backbone:
    """The same, built; the state of the file of weights is there for the cache only."""
    try:
        network = timm.create_model(config.name, features_only=True, out_indices=config.levels, pretrained=False)
    except Exception as error:  # timm raises anything, even AssertionError, for a network it does not have like this
        raise WeightsError(
            "network-unknown",
            "timm offers no network {network!r} with levels ({levels}): {reason}",
            network=config.name,
            levels=config.levels,
            reason=error,
        ) from error
    if config.caffe_strides:
        _move_strides(network)
    if config.weights == HUB:
        weights, order = _from_hub(config), None
    else:
        weights = read_weights(config.weights)
        order = _names_of(config.name)
    with torch.no_grad():
        load_into(network, weights, order, config.weights)
    return Backbone(network, config, folded=folded)


@cache
def _names_of(network: str) -> tuple[str, ...]:
    """The weights of a whole network of timm, in their order; building one only to ask for them takes a while."""
    return tuple(timm.create_model(network, pretrained=False).state_dict())


def _from_hub(config: BackboneConfig) -> dict[str, Tensor]:
    try:
        whole = timm.create_model(config.name, pretrained=True)
    except Exception as error:  # the hub's client raises its own, requests', urllib's and the operating system's errors
        raise WeightsError(
            "weights-not-fetched",
            "The weights of {network} cannot be fetched from timm's hub ({kind}). {ways_out}",
            network=config.name,
            kind=type(error).__name__,
            ways_out=WAYS_OUT,
        ) from error
    return dict(whole.state_dict())


def _move_strides(network: nn.Module) -> None:
    """Moves the stride of each stage of a ResNet from the second to the first convolution of its first block."""
    stages: list[Any] = [m for name, m in network.named_children() if name in ("layer2", "layer3", "layer4")]
    blocks = [stage[0] for stage in stages]
    if not blocks or not all(hasattr(b, "conv3") for b in blocks):
        raise WeightsError("caffe-strides-not-for-network", "caffe_strides is for ResNets with bottleneck blocks only")
    for block in blocks:
        block.conv1.stride, block.conv2.stride = (2, 2), (1, 1)
