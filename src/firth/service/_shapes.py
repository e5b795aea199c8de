"""What requests and answers look like: checked, read and written by msgspec.

The OpenAPI document is made of the same classes.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

MOST_CHARACTERS = 5000

Word = Annotated[str, Meta(min_length=1, max_length=MOST_CHARACTERS, examples=["king"])]
Words = Annotated[list[Word], Meta(min_length=1)]
ModelName = Annotated[
    str | None, Meta(description="The name of a model of /v1/models; else the first of them.")
]
HowMany = Annotated[int, Meta(ge=1, description="How many words to find.")]
Approximate = Annotated[
    bool,
    Meta(description="Ask the index of the model: faster, and a few neighbours are missed."),
]
Normed = Annotated[bool, Meta(description="Scale vectors to length 1.")]


class Sides(Struct, frozen=True, forbid_unknown_fields=True):
    """A sum of words: what counts for, and what against."""

    positive: Annotated[list[Word], Meta(description="Words that count for.")] = []
    negative: Annotated[list[Word], Meta(description="Words that count against.")] = []


# --- questions, one in the query -----------------------------------------------------------------


class SimilarQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """The neighbours of a word, or of a sum of words."""

    word: Annotated[list[Word], Meta(min_length=1, description="Words that count for.")]
    negative: Annotated[list[Word], Meta(description="Words that count against.")] = []
    k: HowMany = 10
    approximate: Approximate = False
    model: ModelName = None


class AnalogyQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to c as b is to a."""

    a: Word
    b: Word
    c: Word
    k: HowMany = 10
    approximate: Approximate = False
    model: ModelName = None


class SimilarityQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """How similar two words are."""

    a: Word
    b: Word
    model: ModelName = None


class OddOneOutQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """The word that fits least with the others."""

    word: Annotated[list[Word], Meta(min_length=3)]
    model: ModelName = None


class VectorsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """The vectors of words."""

    word: Words
    norm: Normed = False
    model: ModelName = None


# --- questions, many in the body -----------------------------------------------------------------


class SimilarBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Many questions for neighbours: words, and sums of words."""

    questions: Annotated[list[Word | Sides], Meta(min_length=1)]
    k: HowMany = 10
    approximate: Approximate = False
    model: ModelName = None


class AnalogyBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Many analogies: lists of three words."""

    questions: Annotated[list[tuple[Word, Word, Word]], Meta(min_length=1)]
    k: HowMany = 10
    approximate: Approximate = False
    model: ModelName = None


class SimilarityBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Many pairs of words."""

    questions: Annotated[list[tuple[Word, Word]], Meta(min_length=1)]
    model: ModelName = None


class OddOneOutBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Many lists of words."""

    questions: Annotated[list[Annotated[list[Word], Meta(min_length=3)]], Meta(min_length=1)]
    model: ModelName = None


class VectorsBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Many words."""

    words: Words
    norm: Normed = False
    model: ModelName = None


# --- answers -------------------------------------------------------------------------------------


class ModelInfo(Struct, frozen=True):
    """What a model is."""

    name: str
    n_words: int
    vector_size: int
    dtype: str
    subwords: Annotated[
        str | None, Meta(description="What makes vectors of unseen words, if anything.")
    ]
    has_counts: bool
    recall: Annotated[
        float | None,
        Meta(description="Of its index: the share of the true ten nearest that it finds."),
    ]
    fault: Annotated[
        str | None,
        Meta(description="Why what is on disk by now is not what is served, if it is not."),
    ]


class ModelsAnswer(Struct, frozen=True):
    """The models that are served, the default first."""

    models: list[ModelInfo]
    training: Annotated[bool, Meta(description="Whether a training is shown at /v1/training.")] = (
        False
    )


class Neighbour(Struct, frozen=True):
    """A word that was found, and its cosine."""

    word: str
    similarity: float


Neighbours = tuple[Neighbour, ...]


class Answer(Struct, frozen=True, kw_only=True):
    """What all answers to a question begin with."""

    model: Annotated[str | UnsetType, Meta(description="Where one question was asked.")] = UNSET
    words: Annotated[list[str], Meta(description="The words of the question.")]
    unseen: Annotated[
        list[str] | UnsetType,
        Meta(description="Those of them that are not in the vocabulary: subwords made a vector."),
    ] = UNSET


class SimilarAnswer(Answer, frozen=True, kw_only=True):
    """The nearest neighbours, nearest first."""

    negative: list[str] | UnsetType = UNSET
    neighbours: Neighbours


class AnalogyAnswer(Answer, frozen=True, kw_only=True):
    """The words that complete an analogy, best first."""

    answers: Neighbours


class SimilarityAnswer(Answer, frozen=True, kw_only=True):
    """The cosine of two words; null if one of them has no direction."""

    similarity: float | None


class OddOneOutAnswer(Answer, frozen=True, kw_only=True):
    """The word that fits least with the others."""

    odd_one_out: str


class QuestionProblem(Struct, frozen=True):
    """A question of many that has no answer, and why."""

    words: list[str]
    error: str


class VectorAnswer(Struct, frozen=True, kw_only=True):
    """A word and its vector."""

    word: str
    unseen: bool | UnsetType = UNSET
    vector: Annotated[
        list[float | None], Meta(description="Null stands for what is no finite number.")
    ]


class NoVector(Struct, frozen=True):
    """A word that has no vector, and why."""

    word: str
    error: str


class ProblemDetails(Struct, frozen=True):
    """Why a request is not answered (RFC 9457)."""

    title: str
    status: int
    detail: str


class Health(Struct, frozen=True):
    """That the service answers."""

    status: str
