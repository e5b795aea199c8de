"""A Ray cluster of several nodes on this machine, for tests."""

import contextlib
import logging
import os
import signal

import pytest

WORKERS = 3


@contextlib.contextmanager
def nodes_here(n):
    """Start so many nodes with a core each, and be connected to them."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_worker_niceness", "0")  # else all that runs beside it comes first
    ray = pytest.importorskip("ray", reason="Ray is not installed")
    from ray.cluster_utils import Cluster

    cluster = started(Cluster, n)
    try:
        ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


def started(make, n):
    """Start the nodes; once more where a busy machine took longer than Ray waits for it."""
    for last in (False, False, True):
        cluster = make()
        try:
            for _ in range(n):
                cluster.add_node(
                    num_cpus=1, object_store_memory=200_000_000, include_dashboard=False
                )
            cluster.wait_for_nodes()
        except Exception:
            cluster.shutdown()
            if last:
                raise
        else:
            return cluster
    raise AssertionError("unreachable")


def kill(pid):
    os.kill(pid, signal.SIGKILL)
