"""The desktop is asked to stay awake, over a real bus, and to forget it again."""

import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aoi_app.live.awake import KeepAwake

SCREEN_SAVER = """
import sys
from jeepney import HeaderFields, MessageType, new_error, new_method_return
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import open_dbus_connection
connection = open_dbus_connection("SESSION")
connection.send_and_get_reply(message_bus.RequestName("org.freedesktop.ScreenSaver"))
print("ready", flush=True)
while True:
    message = connection.receive()
    if message.header.message_type is not MessageType.method_call:
        continue
    member = message.header.fields[HeaderFields.member]
    print(member, *message.body, flush=True)
    answer = new_method_return(message, "u", (17,)) if member == "Inhibit" else new_method_return(message)
    connection.send(answer)
"""


class Desktop:
    def __init__(self, lines: Path) -> None:
        self._lines = lines

    def asked(self, count: int) -> list[str]:
        """What was asked of the desktop, when it is so much."""
        end_s = time.monotonic() + 30
        while time.monotonic() < end_s:
            lines = self._lines.read_text().splitlines()
            if len(lines) >= count + 1:
                return lines[1:]
            time.sleep(0.02)
        raise AssertionError(f"asked: {self._lines.read_text()!r}")


@pytest.fixture
def desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desktop]:
    """A bus of its own with a screen saver on it, which writes down what it is asked."""
    if shutil.which("dbus-daemon") is None:
        pytest.skip("there is no D-Bus here")
    bus = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address=1"], stdout=subprocess.PIPE, text=True
    )
    assert bus.stdout is not None
    address = bus.stdout.readline().strip()
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    out = tmp_path / "asked.txt"
    with out.open("w") as file:
        service = subprocess.Popen([sys.executable, "-c", SCREEN_SAVER], stdout=file, env=dict(os.environ))
    try:
        desktop = Desktop(out)
        desktop.asked(0)
        yield desktop
    finally:
        for process in (service, bus):
            process.kill()
            process.wait()
        bus.stdout.close()


def test_the_desktop_is_asked_for_as_long_as_a_roll_runs(desktop: Desktop) -> None:
    awake = KeepAwake()
    awake.begin()
    assert desktop.asked(1)[0].startswith("Inhibit ")
    awake.end()
    assert desktop.asked(2)[1] == "UnInhibit 17"
    awake.close()
    assert awake.wait(30)


def test_it_is_let_go_when_the_program_ends_in_mid_roll(desktop: Desktop) -> None:
    awake = KeepAwake()
    awake.begin()
    awake.close()
    assert awake.wait(30)
    assert [line.split()[0] for line in desktop.asked(2)] == ["Inhibit", "UnInhibit"]


def test_a_machine_that_offers_nothing_is_told_once_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    awake = KeepAwake()
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            awake.begin()
            awake.end()
        awake.close()
        assert awake.wait(30)
    assert len([r for r in caplog.records if "may sleep" in r.message]) == 1
