"""How hard a question is, by what can be seen without knowing the right answer; and classes of it.

Snell et al. 2024 (arXiv:2408.03314) call this model-predicted difficulty.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from statistics import fmean

from tscale_graph.answers import answer_kind
from tscale_graph.recordings.chains import RecordedChains


def observed_difficulty(question: RecordedChains) -> float:
    """How hard a question is, from 0 to 1, by the first versions of its chains.

    With a verifier, 1 minus the mean of its scores; a version without a score counts 0. Without
    one, 1 minus the share of the most frequent answer; a version without an answer agrees with
    none. `gold` and `correct` are not looked at.

    Raises:
        ValueError: for a kind of answer that this version does not know.
    """
    firsts = [chain[0] for chain in question.chains]
    if question.verifier is not None:
        return 1 - fmean(one.verdict_score or 0.0 for one in firsts)
    kind = answer_kind(question.kind)
    if kind is None:
        raise ValueError(f"question {question.id!r} does not say how its answers were read")
    votes = Counter(kind.key(one.answer) for one in firsts if one.answer is not None)
    return 1 - max(votes.values(), default=0) / len(firsts)


def difficulty_edges(
    values: Sequence[float], *, bins: int, min_questions: int
) -> tuple[float, ...]:
    """Where one class of difficulty ends and the next begins: quantiles of the values.

    Equal values are of one class, and no class has fewer than `min_questions`, unless it is the
    only one: there are fewer classes then, and one that equal values left too small is pooled
    with the smaller of its neighbours.

    >>> difficulty_edges([0.0, 0.1, 0.2, 0.6, 0.8, 0.9], bins=3, min_questions=1)
    (0.2, 0.8)
    >>> difficulty_edges([0.0, 0.1, 0.2, 0.6, 0.8, 0.9], bins=3, min_questions=3)
    (0.6,)
    >>> difficulty_edges([1.0, 1.0, 1.0, 0.5], bins=2, min_questions=1)
    (1.0,)

    Returns:
        The difficulty from which on each class but the first begins, ascending.
    """
    ordered = sorted(values)
    bins = max(1, min(bins, len(ordered) // min_questions))
    ends = [k for k in range(1, len(ordered)) if ordered[k] > ordered[k - 1]]
    wanted = [len(ordered) * k / bins for k in range(1, bins)] if ends else []
    cuts = {min(ends, key=lambda end: abs(end - size)) for size in wanted}
    edges = [ordered[cut] for cut in sorted(cuts)]
    while edges:
        sizes = [0] * (1 + len(edges))
        for value in values:
            sizes[class_of(value, edges)] += 1
        smallest = min(range(len(sizes)), key=lambda place: sizes[place])
        if sizes[smallest] >= min_questions:
            break
        after = smallest + 1 < len(sizes)
        before = smallest > 0
        with_next = after and (not before or sizes[smallest + 1] < sizes[smallest - 1])
        del edges[smallest if with_next else smallest - 1]
    return tuple(edges)


def class_of(difficulty: float, edges: Sequence[float]) -> int:
    """The number of the class of a difficulty, 0 being the easiest.

    >>> class_of(0.2, (0.2, 0.8))
    1
    """
    return bisect_right(edges, difficulty)
