"""What the embedded model has in mind at each token of a text: hidden states, log-probabilities.

The same weights as the chat model's, in a process of their own that is started when it is first
needed. llama.cpp tells no log-probabilities of a prompt, but it tells the last hidden state of
each token, and these times the output matrix of the weights are the logits.
"""

from __future__ import annotations

import atexit
import codecs
import importlib.util
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tscale_graph.models.embedded_process import EmbeddedServer
from tscale_graph.models.weights import LocalModelError, local_weights

if not all(map(importlib.util.find_spec, ("xllamacpp", "numpy"))):
    raise ImportError(
        "the embedded model's states need other packages: pip install 'tscale-graph[local,prm]'"
    )

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOKENS = 2048
"""Of a question and a text together that are read; what comes after them is not."""
DIMENSIONS = 576
"""Of a hidden state of the pinned weights."""

_KEPT_BYTES = 64_000_000
_LONGEST_TEXT = 32 * TOKENS
_SECONDS = 300.0
_TOKENS_AT_ONCE = 128


@dataclass(frozen=True, slots=True)
class States:
    """The embedded model on each token of a text that it might have written.

    Attributes:
        texts: [tokens] what each token adds; joined they are as much of the text as was read. A
            token that only begins a character adds nothing, the one that ends it adds it.
        ids: [tokens] of the vocabulary.
        hidden: [tokens + 1, dimensions] the state before the text, then after each token.
        whole: whether all of the text was read.
    """

    texts: tuple[str, ...]
    ids: NDArray[np.int64]
    hidden: NDArray[np.float32]
    whole: bool


def states_of(question: str, text: str, *, system: str | None = None) -> States:
    """The states of the embedded model while it answers a question with a text.

    One request to the model; those of the last few hundred texts are kept, so that states and
    log-probabilities cost one together.

    Args:
        question: the user's turn, put into the chat template of the weights.
        text: the model's turn, or the beginning of it.
        system: what stands before the question, if anything.

    Raises:
        LocalModelError: when the model cannot be had, or the question leaves no room for a token.
    """
    key = (question, text, system)
    known = _kept.get(key)
    if known is None:
        known = _asked(question, text, system)
        _kept.put(key, known)
    return known


def log_probabilities(states: States) -> NDArray[np.float64]:
    """How likely the model thought each token, shape [tokens], at most 0.

    Raises:
        ImportError: when the package that reads the weights is not installed.
        LocalModelError: when the weights do not make their logits by the output matrix alone.
    """
    matrix = _output_matrix()
    found = np.zeros(len(states.ids))
    for start in range(0, len(found), _TOKENS_AT_ONCE):
        part = slice(start, start + _TOKENS_AT_ONCE)
        ids = states.ids[part]
        logits = (states.hidden[:-1][part] @ matrix.T).astype(np.float64)
        logits -= logits.max(axis=1, keepdims=True)
        chosen = logits[np.arange(len(ids)), ids]
        found[part] = chosen - np.log(np.exp(logits).sum(axis=1))
    return found


def check_readable() -> None:
    """Whether log-probabilities can be had.

    Raises:
        ImportError: when the package that reads the weights is not installed.
    """
    if importlib.util.find_spec("gguf") is None:
        raise ImportError(
            "the embedded model's log-probabilities need another package: "
            "pip install 'tscale-graph[local,prm]'"
        )


# The chat model's server wants the other half: two that want all of the processors between them
# wait for each other most of the time.
_THREADS = max(1, (os.cpu_count() or 1) // 2)

_server = EmbeddedServer(slots=1, tokens_per_slot=TOKENS, threads=_THREADS, states=True)
atexit.register(_server.stop)


class _Kept:
    """The states that were asked for last, as many as fit."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: OrderedDict[tuple[str, str, str | None], States] = OrderedDict()
        self._bytes = 0

    def get(self, key: tuple[str, str, str | None]) -> States | None:
        with self._lock:
            if key in self._states:
                self._states.move_to_end(key)
            return self._states.get(key)

    def put(self, key: tuple[str, str, str | None], states: States) -> None:
        with self._lock:
            if key not in self._states:
                self._states[key] = states
                self._bytes += states.hidden.nbytes
            while self._bytes > _KEPT_BYTES:
                _, oldest = self._states.popitem(last=False)
                self._bytes -= oldest.hidden.nbytes


_kept = _Kept()


def _asked(question: str, text: str, system: str | None) -> States:
    before = _prompt(question, system)
    room = TOKENS - len(before)
    if room < 1:
        raise LocalModelError(f"the question must have fewer than {TOKENS} tokens")
    read = text[:_LONGEST_TEXT]
    asked = {"content": read, "with_pieces": True, "parse_special": False}
    tokens: list[dict[str, Any]] = _server.ask("/tokenize", asked)["tokens"] if read else []
    whole = len(tokens) <= room and len(read) == len(text)
    tokens = tokens[:room]
    ids = [int(token["id"]) for token in tokens]
    # Not normalised: the length of a state is part of what it says.
    wanted = {"input": [*before, *ids], "embd_normalize": -1}
    [told] = _server.ask("/embeddings", wanted, seconds=_SECONDS)
    hidden = np.array(told["embedding"], dtype=np.float32)
    if len(hidden) != len(before) + len(ids):
        raise LocalModelError(f"the embedded model told {len(hidden)} states of {len(ids)} tokens")
    pieces = [token["piece"] for token in tokens]
    return States(
        _texts(pieces), np.array(ids, dtype=np.int64), hidden[len(before) - 1 :].copy(), whole
    )


@lru_cache(maxsize=256)
def _prompt(question: str, system: str | None) -> tuple[int, ...]:
    """The tokens of all that stands before the model's turn."""
    turns = [{"role": "user", "content": question}]
    if system is not None:
        turns.insert(0, {"role": "system", "content": system})
    prompt = _server.ask("/apply-template", {"messages": turns})["prompt"]
    asked = {"content": prompt, "add_special": True, "parse_special": True}
    return tuple(map(int, _server.ask("/tokenize", asked)["tokens"]))


def _texts(pieces: Sequence[str | list[int]]) -> tuple[str, ...]:
    """Of the pieces of a text, some of them bytes that are no whole character."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    encoded = (piece.encode() if isinstance(piece, str) else bytes(piece) for piece in pieces)
    return tuple(decoder.decode(piece) for piece in encoded)


@lru_cache(maxsize=1)
def _output_matrix() -> NDArray[np.float32]:
    """[vocabulary, dimensions] what makes logits of a hidden state."""
    check_readable()
    import gguf  # pyright: ignore[reportMissingTypeStubs, reportMissingImports]

    library: Any = gguf
    reader = library.GGUFReader(str(local_weights()))
    bent = [
        name
        for name in reader.fields
        if name.endswith((".final_logit_softcapping", ".logit_scale"))
    ]
    if bent:
        raise LocalModelError(f"log-probabilities of weights with {bent[0]} are not known")
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    # Where the two are tied, the weights have only the one that turns tokens into vectors.
    tensor = tensors.get("output.weight") or tensors["token_embd.weight"]
    matrix = library.quants.dequantize(tensor.data, tensor.tensor_type)
    return np.asarray(matrix, dtype=np.float32)
