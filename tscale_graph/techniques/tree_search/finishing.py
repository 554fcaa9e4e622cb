"""The last node of a tree search: which answer stands, and the tree it was found in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tscale_graph.answers import AnswerKind
from tscale_graph.budget import Limit, Usage
from tscale_graph.candidates import Candidate, Result, SamplingError
from tscale_graph.search_trees import SearchTree, TreeNode
from tscale_graph.search_trees.record import Status
from tscale_graph.techniques.choosing import (
    UNLEASED,
    answer_message,
    budget_exceeded,
    limit_that_was_passed,
    told_once,
    unpriced_note,
)
from tscale_graph.techniques.restarts import LOST, saved
from tscale_graph.techniques.tree_search.selecting import OUT_OF_STEPS
from tscale_graph.techniques.tree_search.settings import SearchSettings
from tscale_graph.techniques.tree_search.state import (
    Node,
    SearchRun,
    SearchState,
    has_passed,
)
from tscale_graph.verifiers import asks_unleased
from tscale_graph.votes import Choice, choose, read_answers


@dataclass(frozen=True)
class Finisher:
    """Chooses among the complete answers and writes the result."""

    settings: SearchSettings
    technique: str

    async def finish(self, state: SearchState) -> dict[str, Any]:
        """Write the answer to `messages` and the whole story to `result`.

        Raises:
            SamplingError: when every node failed.
            BudgetExceeded: when the budget ended before there was any answer.
        """
        run = SearchRun.model_validate(state)
        settings = self.settings
        saved(run.delivery, *(expansion.granted_by for expansion in run.wave))
        whole = _whole_answers(run.nodes)
        kind = settings.kind_for(run.question, whole)
        # An answer that was verified stays as it was read.
        known = {one.index: one.answer for one in whole if one.answer is not None}
        candidates = read_answers(whole, kind, known)
        seed = run.admission.seed if run.admission else None
        choice = choose(candidates, kind, select=settings.select, seed=seed)
        result = self._result(run, kind, candidates, choice)
        if result.answer is None:
            self._raise_if_hopeless(run, result)
        return {
            "messages": [answer_message(result, choice.winner)],
            "result": result,
            "working": None,
        }

    def _result(
        self, run: SearchRun, kind: AnswerKind, candidates: list[Candidate], choice: Choice
    ) -> Result:
        winner = choice.winner
        limit = _ended_by(run) or limit_that_was_passed(run.admission, run.usage)
        return Result(
            answer=winner.answer if winner else None,
            text=(winner or next(iter(candidates), None) or Candidate(index=0)).text,
            status="cut_off" if limit else "complete",
            cut_off_by=limit,
            usage=run.usage,
            technique=self.technique,
            agreement=choice.agreement,
            verdict=winner.verdict if winner else None,
            votes=list(choice.tallies),
            candidates=candidates,
            tree=self._tree(run, winner),
            notes=[*self._notes(run, kind, candidates), *choice.notes],
        )

    def _tree(self, run: SearchRun, winner: Candidate | None) -> SearchTree:
        names = _told_apart([endpoint.name for endpoint in self.settings.endpoints])
        return search_tree(
            run.nodes,
            technique=self.technique,
            question=run.question,
            models=names if len(names) > 1 else None,
            best=winner.index if winner else None,
            usage=run.usage,
        )

    def _notes(self, run: SearchRun, kind: AnswerKind, candidates: list[Candidate]) -> list[str]:
        notes: list[str] = []
        settings = self.settings
        if settings.auto and candidates:
            notes.append(f'answer="auto" read the answers as {kind.name}')
        passed, out_of_steps = any(map(has_passed, run.nodes)), OUT_OF_STEPS in run.remarks
        if not passed and not out_of_steps and _ended_by(run) is None:
            full = len(run.nodes) >= settings.max_nodes
            why = f"with max_nodes={settings.max_nodes}" if full else "with nothing left to try"
            notes.append(f"the search ended {why}")
        failures = [node.note for node in run.nodes if node.fate == "failed"]
        if failures:
            told = _most_frequent(failures)
            notes.append(f"{len(failures)} of {len(run.nodes)} nodes failed: {told}")
        silent = sum(1 for candidate in candidates if candidate.answer is None)
        if silent:
            notes.append(f"{silent} of {len(candidates)} complete nodes had no answer to read")
        overshoot = sum(node.candidate.overshoot_tokens for node in run.nodes)
        if overshoot:
            notes.append(f"models went {overshoot} tokens over their output limits")
        told = (
            note
            for node in run.nodes
            for note in node.candidate.notes
            if not note.startswith("not verified") or node.candidate.cut_off_by
        )
        notes += told_once([*told, *run.remarks])
        if asks_unleased(settings.verifier):
            notes.append(UNLEASED)
        unpriced = dict.fromkeys(one.unpriced for one in settings.endpoints if one.unpriced)
        notes += [unpriced_note(name) for name in unpriced]
        return notes

    def _raise_if_hopeless(self, run: SearchRun, result: Result) -> None:
        failures = [
            node.note
            for node in run.nodes
            if node.fate == "failed" and not node.candidate.cut_off_by and node.note != LOST
        ]
        if failures and len(failures) == len(run.nodes):
            told = _most_frequent(failures)
            raise SamplingError(f"all {len(failures)} nodes failed: {told}", result.usage, result)
        limit = _ended_by(run)
        if limit is None or self.settings.on_exceeded == "return":
            return
        started = None if run.nodes else "a node"
        raise budget_exceeded(limit, run.admission, result.usage, started=started)


def _told_apart(names: Sequence[str]) -> list[str]:
    """The names of models, numbered where several have the same."""
    numbers = [names[: place + 1].count(name) for place, name in enumerate(names)]
    return [
        f"{name} #{number}" if names.count(name) > 1 else name
        for name, number in zip(names, numbers, strict=True)
    ]


def _most_frequent(failures: Sequence[str]) -> str:
    """What most failed with; of equally many the first."""
    return Counter(failures).most_common(1)[0][0]


def _whole_answers(nodes: Sequence[Node]) -> list[Candidate]:
    """Those that were scored; else those that the budget did not suffice to score."""
    whole = [node for node in nodes if node.complete]
    scored = [node.candidate for node in whole if node.score is not None]
    return scored or [node.candidate for node in whole if node.candidate.cut_off_by]


def search_tree(
    nodes: Sequence[Node],
    *,
    technique: str,
    question: str,
    models: Sequence[str] | None,
    best: int | None,
    usage: Usage,
) -> SearchTree:
    """A tree to look at, with the mean score at and below each node.

    Args:
        nodes: in the order of their rows.
        technique: what made it.
        question: the root.
        models: their names, where there are several.
        best: the row of the best answer, or None.
        usage: of the whole search.
    """
    visits, sums, depths = [0] * (len(nodes) + 1), [0.0] * (len(nodes) + 1), [0]
    for node in nodes:
        depths.append(depths[node.parent] + 1)
    for node in reversed(nodes):
        if node.score is not None:
            visits[node.index] += 1
            sums[node.index] += node.score
        visits[node.parent] += visits[node.index]
        sums[node.parent] += sums[node.index]
    root = TreeNode(
        index=0,
        parent=None,
        depth=0,
        status="open",
        visits=visits[0],
        value=_mean(sums[0], visits[0]),
        text=question,
    )
    made = [
        TreeNode(
            index=node.index,
            parent=node.parent,
            depth=depths[node.index],
            status=_status(node),
            score=node.score,
            visits=visits[node.index],
            value=_mean(sums[node.index], visits[node.index]),
            model=models[node.model] if models else None,
            text=node.added or node.candidate.text,
            note=node.note,
            usage=node.usage,
        )
        for node in nodes
    ]
    return SearchTree(
        technique=technique, question=question, nodes=[root, *made], best=best, usage=usage
    )


def _mean(total: float, count: int) -> float | None:
    return min(1.0, total / count) if count else None


def _status(node: Node) -> Status:
    if node.fate == "closed":
        return "open" if node.same_as is None else "duplicate"
    return node.fate or "failed"


def _ended_by(run: SearchRun) -> Limit | None:
    """The limit that ended the search: there was no room for more, or it cut the last node off."""
    if any(has_passed(node) for node in run.nodes):
        return None
    last = run.nodes[-1].candidate.cut_off_by if run.nodes else None
    return run.cut_off_by or last
