"""A Ray cluster of several nodes on this machine, for tests."""

import contextlib
import logging
import os
import signal

import pytest


@contextlib.contextmanager
def nodes_here(n):
    """Start so many nodes with a core each, and be connected to them."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray = pytest.importorskip("ray", reason="Ray is not installed")
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    try:
        for _ in range(n):
            # By name: several nodes on one machine would quarrel about one port.
            cluster.add_node(num_cpus=1, object_store_memory=200_000_000, include_dashboard=False)
        cluster.wait_for_nodes()
        ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


def kill(pid):
    os.kill(pid, signal.SIGKILL)
