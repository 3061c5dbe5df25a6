"""A thread that does one thing after the other says how much it has to do."""

import threading

from aoi_app.background.worker import SerialWorker

PATIENCE_S = 30.0


def test_a_job_that_is_being_done_is_not_rest() -> None:
    began, go_on = threading.Event(), threading.Event()
    failures: list[str] = []
    worker = SerialWorker("test", failures.append)
    assert worker.is_idle

    def job() -> None:
        began.set()
        go_on.wait(PATIENCE_S)

    worker.put(job)
    assert began.wait(PATIENCE_S)
    assert not worker.has_jobs
    assert not worker.is_idle
    worker.put(lambda: None)
    assert worker.waiting == 1
    go_on.set()
    worker.close()
    assert worker.wait(PATIENCE_S)
    assert worker.is_idle, "its end is done too"
    assert failures == []
