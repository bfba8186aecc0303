import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest


def test_a_program_that_is_told_to_stop_finishes_what_it_holds() -> None:
    told = run("stop.wait(30); print('finished')", signal.SIGTERM)
    assert (told.returncode, told.stdout) == (0, "ready\nfinished\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_an_interrupt_and_a_hang_up_stop_a_program_too(number: signal.Signals) -> None:
    assert run("stop.wait(30)", number).returncode == 0


def test_a_second_signal_ends_a_program_at_once() -> None:
    told = run("stop.wait(30); print('busy', flush=True); time.sleep(30)", signal.SIGTERM, signal.SIGTERM)
    assert told.returncode == -signal.SIGTERM


def test_a_program_that_hangs_is_ended_when_patience_is_over() -> None:
    told = run("time.sleep(30)", signal.SIGTERM, patience=0.2)
    assert told.returncode == os.EX_TEMPFAIL
    assert "giving up" in told.stderr


def test_a_signal_that_comes_while_the_event_is_looked_at_stops_a_program_too() -> None:
    held = "stop._cond.acquire(); signal.raise_signal(signal.SIGTERM); stop._cond.release()"
    assert run(f"{held}; print(stop.wait(10))").stdout == "ready\nTrue\n"


def test_a_hang_up_that_nohup_has_switched_off_stays_off() -> None:
    told = run(
        "stop.wait(0.5); print(stop.is_set())", signal.SIGHUP, before="signal.signal(signal.SIGHUP, signal.SIG_IGN)"
    )
    assert told.stdout == "ready\nFalse\n"


def run(
    work: str, *signals: signal.Signals, patience: float = 9.0, before: str = ""
) -> "subprocess.CompletedProcess[str]":
    """Run a program in a process of its own, send it signals once it is ready, and wait for its end."""
    script = f"""
        import signal, time
        from veldwatch.process import stop_on_signals
        {before}
        stop = stop_on_signals({patience})
        print("ready", flush=True)
        {work}
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        for number in signals:
            process.send_signal(number)
            time.sleep(0.3)
        rest, complaint = process.communicate(timeout=30)
    return subprocess.CompletedProcess(command, process.returncode, said + rest, complaint)
