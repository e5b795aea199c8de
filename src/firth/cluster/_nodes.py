"""The cluster: how it is reached or started, its nodes, and whether they can do the work."""

from __future__ import annotations

import logging
import os
import platform
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firth import _core
from firth.errors import ClusterError, MissingExtraError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

logger = logging.getLogger("firth")

_SECONDS_TO_CONNECT = 10.0
_SECONDS_TO_ANSWER = 120.0
DEFAULT_PORT = 6379


def import_ray() -> Any:
    """Import Ray.

    Raises
    ------
    MissingExtraError
        It is not installed.
    """
    # Before it is imported: it reports home otherwise, and warns about GPUs that nobody uses.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError("ray", "cluster", "training on a cluster") from error
    return ray


@dataclass(frozen=True)
class Node:
    """A machine of the cluster.

    Attributes
    ----------
    id : str
        Ray's name of it.
    address : str
        Its address in the network.
    cores : int
        Those that Ray may use.
    memory : int
        Bytes that Ray may use.
    """

    id: str
    address: str
    cores: int
    memory: int


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Be connected to a cluster for as long as the block runs.

    Parameters
    ----------
    address : str
        "auto" for the one that runs here or that ``RAY_ADDRESS`` names, and for one that is started
        on this machine where there is none; "local" for a new one; or ``host:port``.

    Raises
    ------
    ClusterError
        There is no cluster at this address, or it cannot be used from here.
    MissingExtraError
        Ray is not installed.
    """
    ray = import_ray()
    if ray.is_initialized():
        yield  # the caller's own connection
        return
    if address not in {"auto", "local"}:
        address = _checked(address)
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        ray.init(address=None if address == "auto" else address, **quiet)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ClusterError(
            f"no cluster can be used at {address!r}: {_first_line(error)}; start one with "
            f"'ray start --head' and the same versions of Python and Ray, or give 'auto'"
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _checked(address: str) -> str:
    """Refuse an address where nothing listens, for which Ray would wait a minute."""
    if "://" in address:
        raise ClusterError(
            f"{address!r}: a cluster is reached from one of its nodes: run this there, and give "
            f"'auto' or host:port"
        )
    host, colon, port = address.rpartition(":")
    if not colon:
        host, port = address, str(DEFAULT_PORT)
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise ClusterError(f"{address!r} is no address: give host:port, 'auto' or 'local'")
    try:
        socket.create_connection((host, int(port)), _SECONDS_TO_CONNECT).close()
    except OSError as error:
        raise ClusterError(
            f"no cluster at {host}:{port} ({error.strerror or error}): check the address that "
            f"'ray start --head' has printed there, and firewalls in between"
        ) from error
    return f"{host}:{port}"


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n", 1)[0].rstrip(".")


def nodes() -> list[Node]:
    """List the nodes that are alive and have cores."""
    import ray

    found = []
    for told in ray.nodes():
        resources = told.get("Resources", {})
        if told["Alive"] and resources.get("CPU", 0) >= 1:
            found.append(
                Node(
                    told["NodeID"],
                    told["NodeManagerAddress"],
                    int(resources["CPU"]),
                    int(resources.get("memory", 0)),
                )
            )
    return sorted(found, key=lambda node: (node.address, node.id))


def on_node(node: Node, *, soft: bool = False) -> dict[str, Any]:
    """Give the options of Ray that put a task or an actor on a node.

    They claim no cores: what trains has the cluster for itself, and what reads text anew after a
    failure must not wait for cores that are never free.
    """
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    strategy = NodeAffinitySchedulingStrategy(node_id=node.id, soft=soft)
    return {"num_cpus": 0, "scheduling_strategy": strategy}


def about_this_process(paths: Sequence[str]) -> dict[str, Any]:
    """Tell what a node has; runs on each of them."""
    from importlib.metadata import version

    _core.isa()
    return {
        "firth": version("firth"),
        "Python": platform.python_version(),
        "missing": [path for path in paths if not Path(path).exists()],
    }


def check_nodes(found: Sequence[Node], paths: Sequence[str]) -> None:
    """Check that all nodes have the same firth and Python, and see the same files.

    Raises
    ------
    ClusterError
        They do not, or one does not answer.
    SourceError
        A file is not on all of them.
    """
    import ray

    if not found:
        raise ClusterError("the cluster has no node with a core that Ray may use")
    here = about_this_process([])
    probe = ray.remote(about_this_process)
    asked = [
        probe.options(**on_node(node), name="firth: look at the node").remote(list(paths))
        for node in found
    ]
    for node, answer in zip(found, asked, strict=True):
        try:
            told = ray.get(answer, timeout=_SECONDS_TO_ANSWER)
        except ray.exceptions.GetTimeoutError as error:
            raise ClusterError(
                f"node {node.address} has not answered for {_SECONDS_TO_ANSWER:.0f} s; look at it "
                f"with 'ray status'"
            ) from error
        except Exception as error:
            raise ClusterError(
                f"node {node.address} cannot run firth: {_last_line(error)}; install the same "
                f"version there: pip install 'firth[cluster]=={here['firth']}'"
            ) from error
        for what in ("firth", "Python"):
            if told[what] != here[what]:
                raise ClusterError(
                    f"node {node.address} has {what} {told[what]}, and this machine {here[what]}: "
                    f"install the same version on all nodes"
                )
        if told["missing"]:
            raise SourceError(
                f"node {node.address} does not see {told['missing'][0]}: all nodes read the text, "
                f"so put it where all of them see it under this name (a shared file system, "
                f"s3://, http://)"
            )


def _last_line(error: BaseException) -> str:
    return str(error).strip().rsplit("\n", 1)[-1].strip().rstrip(".")
