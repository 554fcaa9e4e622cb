"""Recorded chains from the results of `refine`."""

from __future__ import annotations

from collections.abc import Sequence

from tscale_graph.answers import AnswerKind, answer_kind, same_answer
from tscale_graph.budget import Usage
from tscale_graph.candidates import Candidate, Result, Verdict
from tscale_graph.recordings.chains import RecordedChains, RecordedVersion


def recorded_chains(
    results: Sequence[Result],
    *,
    id: str,
    max_revisions: int,
    chains: int = 1,
    verifier: str | None = None,
    gold: str | None = None,
    kind: str = "text",
    model: str = "",
    temperature: float | None = None,
) -> RecordedChains:
    """The chains of several runs of `refine` on one question.

    Have each run revise one chain (`chains=1`), with a seed of its own. Where a verifier passes
    a version, that ends all chains of its run, so what the others would have come to is not known.

    Args:
        results: of runs that were told the same, to their end.
        id: names the question in its recording.
        max_revisions: as `refine` was told.
        chains: of each run, as `refine` was told.
        verifier: names what judged the versions; None where the model was its own critic.
        gold: the right answer; without one the verifier says what is right.
        kind: the name of the kind of answer.
        model: the provider's name for the model.
        temperature: of sampling, or None for the model's own.

    Raises:
        ValueError: in one line, when there is nothing to judge by, no such kind, a run is no run
            of `refine` or was cut off, or its chains can't be told apart or were ended by others.
    """
    if gold is None and verifier is None:
        raise ValueError(f"question {id!r} has neither a gold answer nor a verifier to judge by")
    known = answer_kind(kind)
    if known is None:
        raise ValueError(f"kind must be the name of a kind of answer, got {kind!r}")
    found: list[tuple[RecordedVersion, ...]] = []
    for result in results:
        if result.status == "cut_off":
            raise ValueError(
                f"a run on question {id!r} was cut off by {result.cut_off_by}: its chains did not "
                "come to their end"
            )
        split = _split(
            result, chains, id=id, max_revisions=max_revisions, verified=verifier is not None
        )
        passed = [any(_passed(one) for _, one in chain) for chain in split]
        if verifier is not None and any(passed) and not all(passed):
            raise ValueError(
                f"a version for question {id!r} passed and ended the other chains of its run: "
                "record each chain by a run of its own, with chains=1"
            )
        found += [_versions(chain, gold, known) for chain in split]
    return RecordedChains(
        id=id,
        question=results[0].tree.question if results and results[0].tree else "",
        gold=gold,
        verifier=verifier,
        kind=kind,
        model=model,
        temperature=temperature,
        max_revisions=max_revisions,
        chains=tuple(found),
    )


def _split(
    result: Result, chains: int, *, id: str, max_revisions: int, verified: bool
) -> list[list[tuple[int | None, Candidate]]]:
    """The versions of each chain in order, each with the index of the one that it revises."""
    if result.tree is None or result.technique != "refine":
        raise ValueError(
            f"a result for question {id!r} must be one of refine, got {result.technique}"
        )
    rows = result.tree.nodes[1:]
    bases = [result.candidates[row.parent - 1].index if row.parent else None for row in rows]
    versions = list(zip(bases, result.candidates, strict=True))
    most = chains * (1 + max_revisions)
    if len(versions) > most:
        raise ValueError(
            f"a run on question {id!r} has {len(versions)} versions, more than {chains} chains of "
            f"{max_revisions} revisions: give chains= and max_revisions= as refine was told"
        )
    own = any(note.startswith("without a verifier") for note in result.notes)
    if own == verified:
        judge = "its model was its own critic" if own else "it had a verifier"
        raise ValueError(f"verifier must say what judged the run on question {id!r}: {judge}")
    if chains == 1 and bases.count(None) == 1:
        return [versions]
    if bases.count(None) != chains:
        raise ValueError(
            f"question {id!r} was begun {bases.count(None)} times in a run of chains={chains}, so "
            "its chains cannot be told apart: record each chain by a run of its own, with chains=1"
        )
    split: dict[int, list[tuple[int | None, Candidate]]] = {}
    begun: dict[int, int] = {}
    for base, candidate in versions:
        begun[candidate.index] = candidate.index if base is None else begun[base]
        split.setdefault(begun[candidate.index], []).append((base, candidate))
    return list(split.values())


def _passed(candidate: Candidate) -> bool:
    return candidate.verdict is not None and candidate.verdict.passed is True


def _versions(
    chain: Sequence[tuple[int | None, Candidate]], gold: str | None, kind: AnswerKind
) -> tuple[RecordedVersion, ...]:
    places = {candidate.index: place for place, (_, candidate) in enumerate(chain)}
    paid: list[Verdict] = []
    versions: list[RecordedVersion] = []
    for base, candidate in chain:
        usage, verdict, answer = candidate.usage, candidate.verdict, candidate.answer
        # Equal answers share one verdict, which is paid for once.
        judging = verdict.usage if verdict and verdict not in paid else Usage()
        paid += [verdict] if verdict else []
        right = _passed(candidate)
        if gold is not None:
            right = answer is not None and same_answer(answer, gold, kind)
        version = RecordedVersion(
            text=candidate.text,
            answer=answer,
            correct=right,
            score=verdict.score if verdict else None,
            passed=verdict.passed if verdict else None,
            base=None if base is None else places[base],
            # Completions of one request divide the tokens of its prompt between them.
            prompt_tokens=max(usage.input_tokens, candidate.prompt_tokens or 0),
            output_tokens=usage.output_tokens,
            verdict_tokens=judging.tokens,
            calls=max(1, usage.calls) + judging.calls,
        )
        versions.append(version)
    return tuple(versions)
