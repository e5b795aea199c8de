"""Texts told apart: 20 Newsgroups with and without pre-trained vectors, and how fast that is.

python benchmarks/classify.py table --vectors DIR [--sizes 1000,11314] [--seeds 3] [--trials FILE]
python benchmarks/classify.py tutorial --vectors DIR      # the terms of Keras's tutorial
python benchmarks/classify.py speed                       # our loop beside plain PyTorch's
python benchmarks/classify.py encode

`table` adds each trial to FILE as it ends, passes over those that are there, and prints the table
of all.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from quality import DATA

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from firth.tasks import ClassifierComparison, LabelledTexts

NEWS = DATA / "corpora" / "20news-bydate.tar.gz"
ROUNDS = 5
KIM = {"model": "kim", "maxlen": 200, "precision": "bfloat16"}
CNN = {"model": "cnn", "maxlen": 200, "precision": "bfloat16", "dropout": 0.2}
# Passes by how many texts there are: few texts take more of them.
FEW = {"epochs": 16, "batch_size": 32, "patience": 5}
MANY = {"epochs": 5, "batch_size": 64, "patience": 2}


def table(
    vectors: str, sizes: Sequence[int], seeds: Sequence[int], network: str, trials: Path
) -> None:
    """Compare classifiers on 20 Newsgroups by date, headers stripped."""
    import firth
    from firth.tasks import COMPARED, compare_classifiers, read_split

    train, test = read_split(NEWS, headers="strip")
    if test is None:
        raise SystemExit(f"{NEWS} has no folder of test texts")
    wv = firth.load(vectors)
    done = read_trials(trials)
    for size in sizes:
        for seed in seeds:
            for name in COMPARED:
                is_network = name.startswith("network")
                called = f"{network} {name}" if is_network else name
                if any((t["name"], t["n_texts"], t["seed"]) == (called, size, seed) for t in done):
                    continue
                settings = (KIM if network == "kim" else CNN) | (FEW if size < 5000 else MANY)
                found = compare_classifiers(
                    train,
                    test,
                    wv,
                    names=[name],
                    sizes=[size],
                    seeds=[seed],
                    settings=(settings if is_network else {}) | {"progress": False},
                )
                done.append(asdict(found.trials[0]) | {"name": called})
                with trials.open("a") as file:
                    file.write(json.dumps(done[-1]) + "\n")
    found = comparison_of(done, len(test))
    print(found.to_markdown())
    for size in sizes:
        for first in ("frozen", "fine-tuned"):
            names = f"{network} network, {first}", f"{network} network, from scratch"
            mean, low, high = found.difference(*names, size)
            print(
                f"{first} - from scratch, {size:,} texts: {mean:+.3f} ({low:+.3f} to {high:+.3f})"
            )


def read_trials(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.open()] if path.exists() else []


def comparison_of(trials: Sequence[dict[str, Any]], n_test: int) -> ClassifierComparison:
    from firth.tasks import ClassifierComparison, Trial

    return ClassifierComparison([Trial(**each) for each in trials], n_test)


def tutorial(vectors: str, epochs: int) -> None:
    """Run the tutorial's own terms: headers kept, a random split, 20,000 words, length 1,000."""
    from firth.tasks import TextClassifier, read_split, split_texts

    first, second = read_split(NEWS, headers="keep")
    if second is None:
        raise SystemExit(f"{NEWS} has no folder of test texts")
    first.texts += second.texts
    first.labels += second.labels
    for told, texts in (("headers kept", first), ("and the group's name put back", named(first))):
        train, test = split_texts(texts, 0.2, seed=1)
        for embedding in ("frozen", "scratch"):
            classifier = TextClassifier(
                vectors,
                "cnn",
                embedding,
                maxlen=1000,
                num_words=20_000,
                epochs=epochs,
                batch_size=128,
                learning_rate=1e-3,
                dropout=0.0,
                validation=0.0,
                precision="bfloat16",
                progress=False,
            )
            begin = time.perf_counter()
            classifier.fit(train.texts, train.labels)
            seconds = time.perf_counter() - begin
            accuracy = classifier.score(test.texts, test.labels)
            print(f"{told}, {embedding}: {accuracy:.3f} after {epochs} passes, {seconds:.0f} s")
            sys.stdout.flush()


def named(texts: LabelledTexts) -> LabelledTexts:
    """Put back the header line that the tutorial's copy had, and the one by date has not."""
    from dataclasses import replace

    pairs = zip(texts.texts, texts.labels, strict=True)
    return replace(texts, texts=[f"Newsgroups: {label}\n{text}" for text, label in pairs])


def speed(n_texts: int) -> None:
    """Time an epoch of our loop beside the same network in plain PyTorch, in turns."""
    import torch

    from firth.tasks import TextClassifier

    random = np.random.default_rng(1)
    words = np.array([f"w{i}" for i in range(20_000)])
    texts = [" ".join(words[random.zipf(1.3, 200) % len(words)]) for _ in range(n_texts)]
    labels = [str(i % 20) for i in range(n_texts)]
    for model in ("cnn", "kim"):
        ours, plain = [], []
        for _ in range(ROUNDS):
            classifier = TextClassifier(
                model=model,
                embedding="scratch",
                maxlen=200,
                epochs=1,
                validation=0,
                batch_size=64,
                progress=False,
            ).fit(texts, labels)
            learned: Any = classifier._learned  # noqa: SLF001 (the very network)
            ours.append(learned.record.seconds)
            network, ids = learned.network, learned.encoder.encode(texts)
            plain.append(plain_epoch(torch, network, ids, [int(label) for label in labels]))
        ratio = min(ours) / min(plain)
        print(f"{model}: ours {min(ours):.2f} s, plain {min(plain):.2f} s, {ratio:.3f} of it")


def plain_epoch(torch: Any, network: Any, ids: Any, labels: Any) -> float:
    """Learn as a page of PyTorch's documentation would, from tensors in a DataLoader."""
    data = torch.utils.data.TensorDataset(torch.from_numpy(ids), torch.tensor(labels))
    loader = torch.utils.data.DataLoader(data, batch_size=64, shuffle=True)
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.0)
    criterion = torch.nn.CrossEntropyLoss()
    network.train()
    begin = time.perf_counter()
    for batch, targets in loader:
        optimizer.zero_grad()
        criterion(network(batch), targets).backward()
        optimizer.step()
    return time.perf_counter() - begin


def encode() -> None:
    """Time texts to ids."""
    from firth import TextEncoder
    from firth.tasks import read_split

    texts = read_split(NEWS, headers="strip")[0].texts
    encoder = TextEncoder(maxlen=1000, num_words=20_000)
    fits = timed(lambda: encoder.fit(texts))
    encodes = timed(lambda: encoder.encode(texts))
    print(f"{len(texts):,} posts: vocabulary {fits:.2f} s, ids {encodes:.2f} s")


def timed(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begin)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("what", choices=["table", "tutorial", "speed", "encode"])
    parser.add_argument("--vectors", default="")
    parser.add_argument("--sizes", default="1000,11314")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--network", choices=["kim", "cnn"], default="kim")
    parser.add_argument("--trials", type=Path, default=Path("trials.jsonl"))
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--texts", type=int, default=4000)
    given = parser.parse_args()
    if given.threads:
        import torch

        torch.set_num_threads(given.threads)
    if given.what == "table":
        sizes, seeds = ([int(x) for x in part.split(",")] for part in (given.sizes, given.seeds))
        table(given.vectors, sizes, seeds, given.network, given.trials)
    elif given.what == "tutorial":
        tutorial(given.vectors, given.epochs)
    elif given.what == "speed":
        speed(given.texts)
    else:
        encode()


if __name__ == "__main__":
    main()
