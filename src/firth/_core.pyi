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
    def search(
        self,
        matrix: NDArray[np.float32],
        norms: NDArray[np.float32],
        questions: NDArray[np.float32],
        many: bool,
        n_threads: int,
    ) -> None: ...
    def result(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]: ...

# --- text to ids ----------------------------------------------------------------------------------

SENTENCE_END: int
DROPPED: int

class TokenInterner:
    def __init__(self) -> None: ...
    def encode_text(self, text: bytes, ids: NDArray[np.uint32]) -> int: ...
    def encode_sentences(
        self, sentences: list[list[str]], last_is_open: bool = False
    ) -> NDArray[np.uint32]: ...
    def absorb(self, other: TokenInterner) -> None: ...
    def select_words(
        self, min_count: int, max_size: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint64], NDArray[np.int64]]: ...
    def id_map_to(
        self, word_bytes: NDArray[np.uint8], word_offsets: NDArray[np.uint64]
    ) -> NDArray[np.uint32]: ...
    def __len__(self) -> int: ...
    @property
    def total_count(self) -> int: ...
    @property
    def highest_count(self) -> int: ...

def rename_ids(
    provisional: NDArray[np.uint32],
    id_map: NDArray[np.uint32],
    ids: NDArray[np.uint32],
    sentence_ends: NDArray[np.int64],
) -> tuple[int, int]: ...

# --- phrases --------------------------------------------------------------------------------------

class PhraseTable:
    def __init__(self, delimiter: str, max_size: int, connectors: list[str]) -> None: ...
    def intern_many(
        self, word_bytes: NDArray[np.uint8], word_offsets: NDArray[np.uint64]
    ) -> NDArray[np.uint32]: ...
    def count_sentences(self, sentences: list[list[str]], n_threads: int) -> None: ...
    def count_ids(
        self,
        ids: NDArray[np.uint32],
        sentence_ends: NDArray[np.int64],
        first_position: int,
        tokens: NDArray[np.uint32],
        n_threads: int,
    ) -> None: ...
    def count_of(self, name: str) -> int: ...
    def add_counts(
        self,
        name_bytes: NDArray[np.uint8],
        name_offsets: NDArray[np.uint64],
        counts: NDArray[np.int64],
    ) -> None: ...
    def merge(self, other: PhraseTable) -> None: ...
    def prune(self, min_reduce: int) -> None: ...
    def add_phrases(
        self,
        name_bytes: NDArray[np.uint8],
        name_offsets: NDArray[np.uint64],
        scores: NDArray[np.float64],
    ) -> int: ...
    def candidates(
        self,
        partition: int,
        rule: str,
        min_count: float,
        threshold: float,
        corpus_word_count: float,
    ) -> tuple[
        list[str], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]
    ]: ...
    def names_in(self, partition: int) -> tuple[list[str], NDArray[np.int64]]: ...
    def arrays(self) -> tuple[NDArray[np.uint8], NDArray[np.uint64], NDArray[np.int64]]: ...
    def join_sentence(
        self,
        sentence: list[str],
        rule: str,
        min_count: float,
        threshold: float,
        corpus_word_count: float,
    ) -> tuple[list[str], list[float | None]]: ...
    def join_ids(
        self,
        ids: NDArray[np.uint32],
        sentence_ends: NDArray[np.int64],
        first_position: int,
        tokens: NDArray[np.uint32],
        threshold: float,
    ) -> NDArray[np.uint32]: ...
    def __len__(self) -> int: ...
    @property
    def n_partitions(self) -> int: ...
    @property
    def n_tokens(self) -> int: ...
    @property
    def n_words_read(self) -> int: ...
    @property
    def min_reduce(self) -> int: ...

# --- training -------------------------------------------------------------------------------------

MAX_NEGATIVE: int

class NegativeSamplingTrainer:
    def __init__(
        self,
        vectors: NDArray[np.float32],
        targets: NDArray[np.float32],
        keep_limits: NDArray[np.uint32],
        noise_columns: NDArray[np.uint32],
        noise_run_starts: NDArray[np.uint32],
        *,
        window: int,
        negative: int,
        shrink_windows: bool,
        cbow: bool,
        cbow_mean: bool,
        one_by_one: bool = False,
    ) -> None: ...
    def train(
        self,
        ids: NDArray[np.uint32],
        sentence_ends: NDArray[np.int64],
        first_position: int,
        alpha: float,
        seed: int,
    ) -> tuple[float, int, int]: ...

def build_alias_table(weights: NDArray[np.float64]) -> NDArray[np.uint32]: ...
def multiply_add_in_registers(n_rounds: int) -> float: ...
