"""Processes that are interrupted, or killed again and again and go on from what they kept."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path


def let_work(process, seconds):
    """Wait until a process has used its processors for so long from now on.

    By the clock a machine with other work may not have let it do anything. Where the system does
    not tell, so it is nonetheless.
    """
    stat = Path(f"/proc/{process.pid}/stat")

    def used():
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            return time.monotonic()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    until = used() + seconds
    deadline = time.monotonic() + 60
    while used() < until and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)


def position(folder):
    """Tell how far the states in the folder of a checkpoint have come."""
    return max((int(state.name[6:]) for state in folder.glob("state-*")), default=0)


def kill_until_done(command, folder, most_kills):
    """Run a command until it is through, killing it on the way: at most so many times.

    A third of the kills come while it starts, reads, or opens what was kept, the others while it
    trains, or saves. A fast machine may be through before the last.
    """
    draw = random.Random(5)
    reached = [0]
    while True:
        kills = len(reached) - 1
        with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
            if kills < most_kills:
                if kills % 3 == 0:
                    time.sleep(draw.random() * 0.6)
                else:
                    while process.poll() is None and position(folder) == reached[-1]:
                        time.sleep(0.002)
                    time.sleep(draw.random() * 0.03)
                process.kill()
            error = process.communicate(timeout=300)[1]
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, error.decode()
        reached.append(position(folder))
    assert kills >= 3
    assert reached == sorted(reached)
    assert len(set(reached)) > kills / 2
    assert not list(folder.parent.glob(".run.*"))
    assert not list(folder.glob(".*"))
