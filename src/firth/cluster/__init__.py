"""Training on a cluster of machines, by Ray (extra ``cluster``).

>>> import firth
>>> model = firth.Word2Vec(vector_size=300, sg=1)
>>> firth.cluster.train(model, "corpus/*.parquet", field="text", address="auto")  # doctest: +SKIP
"""

from firth.cluster._report import Report, WorkerReport
from firth.cluster._train import train

__all__ = ["Report", "WorkerReport", "train"]
