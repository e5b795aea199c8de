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

# --- co-occurrences -------------------------------------------------------------------------------

MAX_WINDOW: int

class CooccurrenceCounter:
    def __init__(
        self, n_words: int, weights: NDArray[np.uint64], symmetric: bool, capacity: int
    ) -> None: ...
    def add(
        self, ids: NDArray[np.uint32], sentence_ends: NDArray[np.int64], first_position: int
    ) -> None: ...
    def find_places(self) -> None: ...
    def n_places(self, begin: int, end: int) -> int: ...
    def encode_rows(self, begin: int, end: int) -> NDArray[np.uint8]: ...

class CooccurrenceMerger:
    def __init__(self, n_words: int) -> None: ...
    def merge(
        self, blocks: list[NDArray[np.uint8]], n_rows: int, scale: float
    ) -> tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.float32]]: ...

def hand_sizes(first_card: int, n_cards: int, n_hands: int, seed: int) -> NDArray[np.int64]: ...
def deal(
    row_starts: NDArray[np.int64],
    first_row: int,
    columns: NDArray[np.uint32],
    values: NDArray[np.float32],
    n_hands: int,
    seed: int,
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...

class GloveTrainer:
    def __init__(
        self,
        rows: NDArray[np.float32],
        biases: NDArray[np.float32],
        *,
        learning_rate: float,
        x_max: float,
        alpha: float,
        symmetric: bool,
    ) -> None: ...
    def train(self, cooccurrences: NDArray[np.uint32], seed: int) -> tuple[float, int]: ...
