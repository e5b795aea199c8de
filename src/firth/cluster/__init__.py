"""Training on a cluster of machines, by Ray (extra ``cluster``).

::

    model, report = firth.cluster.train(firth.Word2Vec(sg=1), "corpus/*.parquet", field="text")

>>> from firth.cluster import Report
>>> Report(n_words=100, n_bytes=5_000).bytes_per_word
50.0
"""

from firth.cluster._report import Report, WorkerReport
from firth.cluster._train import train

__all__ = ["Report", "WorkerReport", "train"]
