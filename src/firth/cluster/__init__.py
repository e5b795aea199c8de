"""Training on a cluster of machines, by Ray (extra ``cluster``)."""

from firth.cluster._report import Report, WorkerReport
from firth.cluster._train import train

__all__ = ["Report", "WorkerReport", "train"]
