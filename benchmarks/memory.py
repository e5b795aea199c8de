"""Peak memory of training from a file, for a text and for the same text many times over.

Run it as ``python benchmarks/memory.py [--gigabytes 2] [--model skipgram]``. The text is made long
by repetition, so that the words stay the same: only what grows with the corpus shows. Each training
is a process of its own; its peak is the resident memory that the system reports, mapped files
included.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from corpora import peak_memory_bytes, write_text


def child(text: str, model: str) -> None:
    import firth

    trained = firth.Word2Vec(
        corpus_file=text, sg=int(model == "skipgram"), sample=1e-4, epochs=1, progress=False
    )
    wv = trained.wv
    stride = -(-wv.vector_size // 16) * 16
    arrays = (wv.vocab.word_bytes, wv.vocab.word_offsets, wv.vocab.counts, wv.vocab.slots)
    print(
        json.dumps(
            {
                "peak": peak_memory_bytes(),
                "matrices": 2 * len(wv) * stride * 4,
                "vocabulary": sum(array.nbytes for array in arrays),
                "words": trained.corpus_total_words,
            }
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--model", choices=["skipgram", "cbow"], default="cbow")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.model)
        return
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "text.txt"
        name = write_text(text)
        long_text = Path(folder) / "long.txt"
        size = text.stat().st_size
        with long_text.open("wb") as file:
            for _ in range(round(options.gigabytes * 1e9 / size)):
                file.write(text.read_bytes())
        print(f"{options.model}, dim 100, one epoch, on {name} and on its repetition")
        print(
            f"{'text':>9} {'words':>9} {'matrices':>10} {'vocabulary':>11} {'peak':>9} {'rest':>9}"
        )
        for path in (text, long_text):
            command = [sys.executable, __file__, "--model", options.model, "--child", str(path)]
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
            result = json.loads(done.stdout)
            rest = result["peak"] - result["matrices"] - result["vocabulary"]
            print(
                f"{path.stat().st_size / 1e6:6,.0f} MB {result['words'] / 1e6:7.1f} M"
                f" {result['matrices'] / 1e6:7.1f} MB {result['vocabulary'] / 1e6:8.1f} MB"
                f" {result['peak'] / 1e6:6.0f} MB {rest / 1e6:6.0f} MB",
                flush=True,
            )


if __name__ == "__main__":
    main()
