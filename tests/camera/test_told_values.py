"""What a producer does not tell is not asked for for ever; what it told once is."""

from aoi_app.sources.camera.told_values import ToldValues


def test_a_value_that_never_comes_is_given_up_after_some_buffers() -> None:
    told = ToldValues()
    asked = 0
    while told.is_worth_asking("ChunkEncoderValue") and asked < 100:
        told.was_refused("ChunkEncoderValue")
        asked += 1
    assert 1 < asked < 20
    assert told.is_worth_asking("ChunkFrameID")
    told.forget()
    assert told.is_worth_asking("ChunkEncoderValue"), "another run may have other settings"


def test_a_value_that_came_once_is_asked_for_however_often_it_is_missing() -> None:
    told = ToldValues()
    told.came("ChunkEncoderValue")
    for _ in range(1000):
        told.was_refused("ChunkEncoderValue")
    assert told.is_worth_asking("ChunkEncoderValue")
