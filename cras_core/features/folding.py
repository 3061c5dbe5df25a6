"""A frozen network made faster without changing what it computes.

Batch normalisation behind a convolution is folded into it. TensorFlow's "same" padding, which timm computes and
copies at run time, becomes a fixed one: a convolution with an odd kernel and stride 2 pads one more on the right than
on the left; with one row and column of zeros in front, the kernel is even and pads the same on both sides. Together
more than twice as fast on a CPU.
"""

from __future__ import annotations

import copy
import logging
from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

logger = logging.getLogger(__name__)

_CHECK_PX = 64
_TOLERANCE = 1e-3  # of the largest value of a level; folding itself differs by about 1e-6


def fold(network: nn.Module) -> nn.Module:
    """The folded network, or the network as it is where folding would change it.

    Args:
        network: in evaluation mode; takes (B, 3, H, W) with H and W multiples of 64 and returns a list of feature maps.
    """
    folded = copy.deepcopy(network)
    _trim(folded)
    for parent in list(folded.modules()):
        for (name, module), (next_name, following) in pairwise(list(parent.named_children())):
            if not isinstance(module, nn.Conv2d) or not isinstance(following, nn.BatchNorm2d):
                continue
            if following.num_features == module.out_channels:
                setattr(parent, name, fuse_conv_bn_eval(module, following))
                # timm's normalisation layers carry the activation with them
                setattr(parent, next_name, getattr(following, "act", nn.Identity()))
        for name, module in list(parent.named_children()):
            if type(module).__name__ == "Conv2dSame" and isinstance(module, nn.Conv2d):
                setattr(parent, name, _fixed_padding(module))
    folded = folded.eval().requires_grad_(False).to(memory_format=torch.channels_last)
    if not _agree(network, folded):
        logger.warning("%s is used unfolded, folding would change it", type(network).__name__)
        return network.to(memory_format=torch.channels_last)
    return folded


def _trim(network: nn.Module) -> None:
    """Drops what timm's EfficientNets compute behind the last level that is asked for."""
    blocks, stages = getattr(network, "blocks", None), getattr(network, "_stage_out_idx", None)
    if isinstance(blocks, nn.Sequential) and isinstance(stages, dict) and getattr(network, "feature_hooks", 0) is None:
        network.blocks = blocks[: max(stages)]


def _fixed_padding(convolution: nn.Conv2d) -> nn.Conv2d:
    """The same for inputs whose sides are multiples of the stride."""
    kernel, stride = convolution.kernel_size[0], convolution.stride[0]
    if (
        convolution.kernel_size[0] != convolution.kernel_size[1]
        or kernel % 2 == 0
        or stride not in (1, 2)
        or convolution.dilation != (1, 1)
    ):
        return convolution
    extra = stride - 1
    fixed = nn.Conv2d(
        convolution.in_channels,
        convolution.out_channels,
        kernel + extra,
        stride,
        padding=(kernel - 1) // 2,
        groups=convolution.groups,
        bias=convolution.bias is not None,
    )
    with torch.no_grad():
        fixed.weight.zero_()
        fixed.weight[:, :, extra:, extra:] = convolution.weight
        if convolution.bias is not None and fixed.bias is not None:
            fixed.bias.copy_(convolution.bias)
    return fixed


@torch.inference_mode()
def _agree(network: nn.Module, folded: nn.Module) -> bool:
    x = torch.randn(1, 3, _CHECK_PX, 2 * _CHECK_PX, generator=torch.Generator().manual_seed(0))
    return all(
        a.shape == b.shape and float((a - b).abs().max()) <= _TOLERANCE * float(a.abs().max())
        for a, b in zip(network(x), folded(x), strict=True)
    )
