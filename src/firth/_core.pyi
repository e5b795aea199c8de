from typing import Any

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

# --- vector files -------------------------------------------------------------------------------

READ_BEYOND: int

class WordRows:
    def __init__(
        self,
        dims: int,
        half: bool,
        limit: int,
        errors: str,
        wanted: tuple[NDArray[np.uint8], NDArray[np.uint64], NDArray[np.uint32]] | None,
    ) -> None: ...
    def reserve(self, n: int) -> None: ...
    def parse_text(self, block: NDArray[np.uint8], length: int, n_threads: int) -> int: ...
    def take_words_from(
        self, word_bytes: NDArray[np.uint8], word_offsets: NDArray[np.uint64]
    ) -> None: ...
    def parse_binary(
        self, block: NDArray[np.uint8], length: int, most: int, n_threads: int
    ) -> int: ...
    def take_words(
        self, word_bytes: NDArray[np.uint8], word_offsets: NDArray[np.uint64]
    ) -> NDArray[np.int64]: ...
    def mark(self) -> None: ...
    def cut_back_to_mark(self) -> None: ...
    def release(self) -> tuple[NDArray[np.uint8], NDArray[np.uint64], NDArray[Any]]: ...
    @property
    def counts(self) -> dict[str, int]: ...
    @property
    def is_full(self) -> bool: ...
    @property
    def text_problem(self) -> tuple[str, int, int, int, int] | None: ...
    @property
    def binary_problem(self) -> tuple[str, int, int, int] | None: ...

def format_rows(
    word_bytes: NDArray[np.uint8],
    word_offsets: NDArray[np.uint64],
    matrix: NDArray[np.float32],
    separator: str,
    with_words: bool,
    n_threads: int,
) -> bytes: ...
def format_half_rows(
    word_bytes: NDArray[np.uint8],
    word_offsets: NDArray[np.uint64],
    matrix: NDArray[np.uint16],
    separator: str,
    with_words: bool,
    n_threads: int,
) -> bytes: ...
def parse_number(text: bytes) -> float | None: ...
def repair_utf8(text: bytes, replace: bool) -> bytes: ...
def to_halves(values: NDArray[np.float32]) -> NDArray[np.uint16]: ...
def from_halves(halves: NDArray[np.uint16]) -> NDArray[np.float32]: ...

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
        chosen: NDArray[np.int64] | None = None,
    ) -> None: ...
    def search_halves(
        self,
        matrix: NDArray[np.uint16],
        norms: NDArray[np.float32],
        questions: NDArray[np.float32],
        many: bool,
        n_threads: int,
        chosen: NDArray[np.int64] | None = None,
    ) -> None: ...
    def search_bytes(
        self,
        matrix: NDArray[np.int8],
        norms: NDArray[np.float32],
        questions: NDArray[np.float32],
        many: bool,
        n_threads: int,
        chosen: NDArray[np.int64] | None = None,
    ) -> None: ...
    def search_candidates(
        self,
        vectors: NDArray[np.uint8],
        dtype: str,
        norms: NDArray[np.float32],
        questions: NDArray[np.float32],
        candidates: NDArray[np.int64],
        n_threads: int,
    ) -> None: ...
    def result(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]: ...

def scale_to_unit(questions: NDArray[np.float32], directions: NDArray[np.float32]) -> None: ...
def turn(
    directions: NDArray[np.float32],
    axes: NDArray[np.float32],
    shift: NDArray[np.float32],
    turned: NDArray[np.float32],
) -> None: ...

class SignCodes:
    def __init__(
        self,
        codes: NDArray[np.uint8],
        factors: NDArray[np.int16],
        n_rows: int,
        scale_step: float,
        offset_step: float,
    ) -> None: ...
    def nearest(
        self, questions: NDArray[np.float32], n_threads: int, rows: NDArray[np.int64]
    ) -> None: ...

class FineCodes:
    def __init__(
        self,
        codes: NDArray[np.uint8],
        n_numbers: int,
        scale_step: float,
        offset_step: float,
    ) -> None: ...
    def choose(
        self,
        questions: NDArray[np.float32],
        candidates: NDArray[np.int64],
        n_threads: int,
        rows: NDArray[np.int64],
    ) -> None: ...

def first_wrong_byte(
    data: NDArray[np.uint8],
    n_nodes: int,
    n_rows: int,
    connectivity: int,
    connectivity_base: int,
) -> int: ...

class IndexGraph:
    def __init__(
        self,
        vectors: NDArray[np.uint8],
        dtype: str,
        nodes: NDArray[np.uint8],
        n_rows: int,
        connectivity: int,
        connectivity_base: int,
        entry: int,
    ) -> None: ...
    def nearest(
        self,
        queries: NDArray[np.float32],
        expansion: int,
        n_threads: int,
        keys: NDArray[np.int64],
    ) -> None: ...

def best_sums(
    plus: NDArray[np.float32],
    minus: NDArray[np.float32],
    questions: NDArray[np.uint32],
    exclude: NDArray[np.int64],
    exclude_offsets: NDArray[np.int64],
    first_column: int,
    best: NDArray[np.float32],
    best_column: NDArray[np.int64],
) -> None: ...

# --- subwords -------------------------------------------------------------------------------------

def subword_ids(
    word_bytes: NDArray[np.uint8],
    word_offsets: NDArray[np.uint64],
    min_n: int,
    max_n: int,
    bucket: int,
    with_sentence_end: bool = False,
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def floret_ids(
    word_bytes: NDArray[np.uint8],
    word_offsets: NDArray[np.uint64],
    min_n: int,
    max_n: int,
    bucket: int,
    hash_count: int,
    seed: int,
    begin_mark: bytes,
    end_mark: bytes,
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def finalfusion_ids(
    word_bytes: NDArray[np.uint8],
    word_offsets: NDArray[np.uint64],
    min_n: int,
    max_n: int,
    mask: int,
    begin_mark: bytes,
    end_mark: bytes,
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def mean_rows(
    out: NDArray[np.float32],
    own: NDArray[np.float32] | None,
    rows: NDArray[np.float32],
    ids: NDArray[np.uint32],
    offsets: NDArray[np.int64],
    add_only: bool,
    n_threads: int,
) -> None: ...
def split_fasttext_entries(
    data: bytes, n_most: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint64], NDArray[np.int64], NDArray[np.int8], int]: ...

# --- text to ids ----------------------------------------------------------------------------------

SENTENCE_END: int
DROPPED: int

class TokenInterner:
    def __init__(self) -> None: ...
    def encode_text(self, text: bytes, ids: NDArray[np.uint32]) -> int: ...
    def encode_sentences(
        self, sentences: list[list[str]], last_is_open: bool = False
    ) -> NDArray[np.uint32]: ...
    def id_map_to(
        self, word_bytes: NDArray[np.uint8], word_offsets: NDArray[np.uint64]
    ) -> NDArray[np.uint32]: ...
    def __len__(self) -> int: ...
    @property
    def total_count(self) -> int: ...

def select_words(
    interners: list[TokenInterner], min_count: int, max_size: int, n_threads: int = 1
) -> tuple[NDArray[np.uint8], NDArray[np.uint64], NDArray[np.int64]]: ...
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
    ) -> list[str]: ...
    def analyze_sentence(
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

class WindowTrainer:
    def __init__(
        self,
        vectors: NDArray[np.float32],
        keep_limits: NDArray[np.uint32],
        *,
        window: int,
        shrink_windows: bool,
        cbow: bool,
        cbow_mean: bool,
        one_by_one: bool = False,
        negative: int = 0,
        targets: NDArray[np.float32] | None = None,
        noise_columns: NDArray[np.uint32] | None = None,
        noise_run_starts: NDArray[np.uint32] | None = None,
        nodes: NDArray[np.float32] | None = None,
        path_offsets: NDArray[np.uint64] | None = None,
        path_nodes: NDArray[np.uint32] | None = None,
        path_n_positive: NDArray[np.uint8] | None = None,
        part_offsets: NDArray[np.uint64] | None = None,
        part_rows: NDArray[np.uint32] | None = None,
        lock_factors: NDArray[np.float32] | None = None,
        n_threads: int = 1,
        hot_input: NDArray[np.float32] | None = None,
        hot_targets: NDArray[np.float32] | None = None,
        hot_nodes: NDArray[np.float32] | None = None,
    ) -> None: ...
    def train(
        self,
        ids: NDArray[np.uint32],
        sentence_ends: NDArray[np.int64],
        first_position: int,
        alpha: float,
        seed: int,
    ) -> tuple[float, int, int]: ...

def build_huffman_paths(
    counts: NDArray[np.int64],
) -> tuple[NDArray[np.uint64], NDArray[np.uint32], NDArray[np.uint8]]: ...
def merge_replicas(
    base: NDArray[np.float32],
    replicas: list[NDArray[np.float32]],
    factors: NDArray[np.float32],
    rows: NDArray[np.uint32] | None = None,
    *,
    n_threads: int,
) -> None: ...
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
