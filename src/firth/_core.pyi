import numpy as np
from numpy.typing import NDArray

def isa() -> str: ...
def supported_isas() -> list[str]: ...
def select_isa(name: str) -> None: ...

# --- vocabulary -----------------------------------------------------------------------------------

def build_slots(
    word_bytes: NDArray[np.uint8], word_offsets: NDArray[np.uint64]
) -> tuple[NDArray[np.uint32], int]: ...
def exchange_paths(a: bytes, b: bytes) -> None: ...

class StringIndex:
    def __init__(
        self,
        word_bytes: NDArray[np.uint8],
        word_offsets: NDArray[np.uint64],
        slots: NDArray[np.uint32],
    ) -> None: ...
    def find(self, word: str) -> int: ...
    def find_many(self, words: list[str]) -> NDArray[np.int64]: ...
    def word(self, row: int) -> str: ...
    def words_from(self, begin: int, end: int) -> list[str]: ...
    def words_at(self, rows: NDArray[np.int64]) -> list[str]: ...
    def nearest_spellings(
        self, word: str, counts: NDArray[np.int64], k: int, max_distance: int
    ) -> NDArray[np.int64]: ...

# --- neighbours -----------------------------------------------------------------------------------

class TopK:
    def __init__(
        self,
        n_questions: int,
        k: int,
        exclude: NDArray[np.int64],
        exclude_offsets: NDArray[np.int64],
    ) -> None: ...
    def offer(
        self,
        first_question: int,
        dots: NDArray[np.float32],
        norms: NDArray[np.float32],
        first_row: int,
        n_threads: int,
    ) -> None: ...
    def search(
        self,
        matrix: NDArray[np.float32],
        norms: NDArray[np.float32],
        questions: NDArray[np.float32],
        n_threads: int,
    ) -> None: ...
    def result(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]: ...
