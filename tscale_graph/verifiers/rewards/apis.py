"""What the servers of reward models take and return, as pure functions on JSON.

vLLM (`/classify`, `/pooling`, `/score`, `/rerank`) and Hugging Face's Text-Embeddings-Inference
(`/predict`, and a `/rerank` of its own). One question and one answer go in, one number comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

Api = Literal["classify", "pooling", "score", "rerank", "predict", "tei_rerank"]

API_NAMES: tuple[Api, ...] = ("classify", "pooling", "score", "rerank", "predict", "tei_rerank")
"""vLLM's four, then Text-Embeddings-Inference's two."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What is asked of a server.

    Attributes:
        question: the user's turn.
        answer: the model's turn.
        text: both in one text, where the user gave a template, or None.
        model: the name of the model, where the server serves several, or None.
    """

    question: str
    answer: str
    text: str | None = None
    model: str | None = None


def request_body(api: Api, pair: Pair) -> dict[str, Any]:
    """The JSON to send.

    >>> request_body("tei_rerank", Pair("1 + 1?", "2"))
    {'query': '1 + 1?', 'texts': ['2']}
    """
    named = {"model": pair.model} if pair.model is not None else {}
    match api:
        case "classify" | "pooling":
            if pair.text is not None:
                return {**named, "input": pair.text}
            turns = (("user", pair.question), ("assistant", pair.answer))
            return {**named, "messages": [{"role": r, "content": c} for r, c in turns]}
        case "score":
            return {**named, "text_1": pair.question, "text_2": pair.answer}
        case "rerank":
            return {**named, "query": pair.question, "documents": [pair.answer]}
        case "predict":
            pair_or_text = [pair.question, pair.answer] if pair.text is None else pair.text
            return {"inputs": pair_or_text}
        case "tei_rerank":
            return {"query": pair.question, "texts": [pair.answer]}


def read_reward(api: Api, body: Any, *, label: int | str | None) -> float:
    """The number in a server's reply.

    Args:
        api: how it was called.
        body: the JSON that came.
        label: which class counts, where there are several: its name or its place from 0.

    Raises:
        ValueError: one line on what the reply lacks.
    """
    try:
        return _READERS[api](body, label)
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(f"the reply is none of {api}: {type(error).__name__} {error}") from None


def _classify(body: Any, label: int | str | None) -> float:
    [entry] = body["data"]
    probabilities = entry["probs"]
    if isinstance(label, str):
        raise ValueError(f"label must be a place from 0: classify names none, got {label!r}")
    return _one_of(probabilities, label)


def _pooling(body: Any, label: int | str | None) -> float:
    """The last token's value: the whole vector, or the last row of one for each token."""
    [entry] = body["data"]
    values = entry["data"]
    if isinstance(label, str):
        raise ValueError(f"label must be a place from 0: pooling names none, got {label!r}")
    if isinstance(values, str):
        raise ValueError("the reply is encoded: the server must return floats")
    if isinstance(values, list) and values and isinstance(values[0], list):
        return _one_of(cast(list[Any], values[-1]), label)
    return _one_of(cast(list[Any], values), label)


def _score(body: Any, label: int | str | None) -> float:
    [entry] = body["data"]
    return _number(entry["score"])


def _rerank(body: Any, label: int | str | None) -> float:
    [entry] = body["results"]
    return _number(entry["relevance_score"])


def _predict(body: Any, label: int | str | None) -> float:
    predictions = cast(Sequence[Mapping[str, Any]], body)
    if isinstance(label, int):
        raise ValueError(f"label must be a name: predict sorts its classes by score, got {label}")
    if label is None:
        return _one_of([entry["score"] for entry in predictions], None)
    named = {str(entry["label"]): entry["score"] for entry in predictions}
    if label not in named:
        raise ValueError(f"label must be one of {', '.join(named)}, got {label!r}")
    return _number(named[label])


def _tei_rerank(body: Any, label: int | str | None) -> float:
    [entry] = body
    return _number(entry["score"])


def _one_of(values: Sequence[Any], place: int | None) -> float:
    if place is None:
        if len(values) != 1:
            raise ValueError(f"label must say which of the model's {len(values)} classes counts")
        place = 0
    if not 0 <= place < len(values):
        raise ValueError(f"label must be below {len(values)}, got {place}")
    return _number(values[place])


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number")
    return float(value)


_READERS: dict[Api, Callable[[Any, int | str | None], float]] = {
    "classify": _classify,
    "pooling": _pooling,
    "score": _score,
    "rerank": _rerank,
    "predict": _predict,
    "tei_rerank": _tei_rerank,
}
