"""Values of features, and presets as files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from camera_tools import synthetic

from aoi_app.sources.acquisition.process import CameraProcess
from aoi_app.sources.camera.device import DeviceInfo
from aoi_app.sources.camera.features import Feature, FeatureError, Setting, Value, check_value, parse_value
from aoi_app.sources.camera.presets import (
    Preset,
    PresetCamera,
    PresetFeature,
    apply_settings,
    describe_results,
    load_preset,
    preset_of,
    save_preset,
    wrong_camera,
)
from aoi_app.sources.camera.synthetic import SyntheticDevice
from aoi_app.sources.source import SourceError

INFO = DeviceInfo("a.cti", "id", "Maker", "L8k", "77", "CXP", "free")
WIDTH = Feature("remote", "Width", "Width", (), "integer", 64, "RW", "Beginner", 8, 128, 8, "px")


@pytest.mark.parametrize(("text", "value"), [("72", 72), ("0x40", 64)])
def test_typed_numbers(text: str, value: int) -> None:
    assert parse_value(WIDTH, text) == value


@pytest.mark.parametrize("text", ["wide", "7.5", ""])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(FeatureError, match="Width is a whole number"):
        parse_value(WIDTH, text)


def test_typed_switches() -> None:
    switch = replace(WIDTH, name="ReverseX", type="boolean", value=False)
    assert parse_value(switch, "on") is True
    assert parse_value(switch, "False") is False
    with pytest.raises(FeatureError, match="true or false"):
        parse_value(switch, "maybe")


@pytest.mark.parametrize(
    ("feature", "value", "why"),
    [
        (WIDTH, 136, "out of range: 8 to 128 in steps of 8 px"),
        (WIDTH, 12, "between two steps"),
        (WIDTH, "64", "a whole number, not '64'"),
        (replace(WIDTH, access="RO"), 64, "can only be read now"),
        (replace(WIDTH, access="NA"), 64, "is not available now"),
        (replace(WIDTH, type="register"), 64, "raw register"),
        (replace(WIDTH, type="boolean"), 2, "true or false"),
    ],
)
def test_what_the_camera_would_refuse_is_told_with_the_reason(feature: Feature, value: Value, why: str) -> None:
    with pytest.raises(FeatureError, match=why):
        check_value(feature, value)


def test_a_feature_is_plain_values() -> None:
    assert json.loads(json.dumps(WIDTH.to_json()))["maximum"] == 128


def test_a_preset_is_kept_in_order_with_its_types(tmp_path: Path) -> None:
    features = (
        PresetFeature(node_map="stream", name="Mode", value="OldestFirst"),
        PresetFeature(name="TriggerSelector", value="LineStart"),
        PresetFeature(name="Width", value=8192),
        PresetFeature(name="Gain", value=2.0),
        PresetFeature(name="ReverseX", value=True),
    )
    preset = Preset(camera=PresetCamera(vendor="Maker", model="L8k"), features=features)
    save_preset(tmp_path / "a" / "p.json", preset)
    again = load_preset(tmp_path / "a" / "p.json")
    assert again == preset
    assert [type(s.value) for s in again.settings] == [str, str, int, float, bool]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "no JSON"),
        ('{"features": [{"name": "Width"}]}', r"features\.0\.value"),
        ('{"features": [{"node_map": "lens", "name": "Width", "value": 1}]}', r"features\.0\.node_map"),
        ('{"format": 2}', "format"),
        ('{"colour": 2}', "colour"),
    ],
)
def test_a_bad_preset_is_told_with_its_place(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "p.json"
    path.write_text(text)
    with pytest.raises(SourceError, match=f"is not a camera preset: {why}"):
        load_preset(path)


def test_presets_that_cannot_be_read_or_written_are_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read: No such file"):
        load_preset(tmp_path / "none.json")
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match="cannot be written"):
        save_preset(tmp_path / "file" / "p.json", Preset())


def test_a_preset_of_another_camera_is_told() -> None:
    assert wrong_camera(Preset(camera=PresetCamera(vendor="Maker", model="L8k")), INFO) is None
    assert wrong_camera(Preset(), INFO) is None
    assert "made for Maker L4k, but this camera is Maker L8k" in str(
        wrong_camera(Preset(camera=PresetCamera(vendor="Maker", model="L4k")), INFO)
    )


def test_everything_is_applied_and_nothing_is_left_unsaid() -> None:
    settings = [
        Setting("remote", "Width", 128),
        Setting("remote", "Height", 0),
        Setting("remote", "LineDebouncer", 3),
        Setting("stream", "Mode", "x"),
        Setting("remote", "Gain", 2),
        Setting("remote", "DeviceScanType", "Areascan"),
    ]
    with CameraProcess(synthetic()) as camera:
        results = camera.change(settings)
        assert camera.feature("remote", "Width").value == 128
        assert camera.feature("remote", "Gain").value == 2.0
    assert [r.outcome for r in results] == ["set", "refused", "refused", "refused", "set", "refused"]
    told = describe_results(results)
    assert "Height (remote) = 0 is out of range: 1 to 4096 lines." in told
    assert any("no feature LineDebouncer" in t for t in told)
    assert len(told) == 4


class Rounds(SyntheticDevice):
    """A camera that takes gains in steps of its own and whose format halves the width, as real ones do."""

    def write(self, setting: Setting) -> Feature:
        if setting.name == "Gain":
            setting = replace(setting, value=round(float(setting.value)))
        feature = super().write(setting)
        if setting.name == "PixelFormat":
            super().write(Setting("remote", "Width", 32))
        return feature


def test_what_the_camera_made_of_a_setting_is_told() -> None:
    wanted = [Setting("remote", "Width", 64), Setting("remote", "Gain", 2.4), Setting("remote", "PixelFormat", "RGB8")]
    with Rounds(synthetic()) as camera:
        results = apply_settings(camera, wanted)
    assert describe_results(results) == [
        "Width (remote) was set to 64, after the other settings the camera has 32.",
        "Gain (remote) was set to 2.4, the camera has 2.0.",
    ]


def test_only_what_the_maker_means_to_be_kept_is_in_a_preset() -> None:
    with CameraProcess(synthetic(Width=72)) as camera:
        assert camera.info is not None
        taken = preset_of(camera.info, camera.features("remote"))
    names = [f.name for f in taken.features]
    assert names[:2] == ["Width", "Height"]
    assert not {"Crash", "SkipFrames", "DeviceScanType"} & set(names)
    assert taken.features[0].value == 72
