"""Ctrl-C while workers are started: it comes afterwards, and to the process that asks alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from estimator.workers.signals import deaf, uninterrupted


def test_ctrl_c_waits_for_the_end_of_what_is_begun() -> None:
    done: list[str] = []

    def _begin() -> None:
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
            done.append("all of it")

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            _begin()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert done == ["all of it"]


def test_what_is_begun_elsewhere_than_in_the_main_thread_is_begun_as_it_is() -> None:
    done: list[str] = []

    def _begin() -> None:
        with uninterrupted():
            done.append("begun")

    thread = threading.Thread(target=_begin)
    thread.start()
    thread.join()
    assert done == ["begun"]


def test_what_is_started_deaf_does_not_hear_ctrl_c() -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGINT); print('not heard')"
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with deaf():
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stdout == "not heard\n"
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
