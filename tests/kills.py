"""Processes that are killed again and again, and go on from what they kept."""

import random
import signal
import subprocess
import time


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
