"""The deciding and the last node of revisions: whether to go on, and which version stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tscale_graph.candidates import Result
from tscale_graph.techniques.choosing import Aggregator, cut_by
from tscale_graph.techniques.reading import decided, read
from tscale_graph.techniques.refining.chains import IN_VAIN, Chains, Ending, chains_of
from tscale_graph.techniques.refining.settings import RefiningSettings
from tscale_graph.techniques.refining.state import RefiningRun, RefiningState
from tscale_graph.techniques.refining.trees import tree_of_versions
from tscale_graph.techniques.restarts import saved
from tscale_graph.techniques.state import newly_read


@dataclass(frozen=True)
class RefiningDecider:
    """Asks every chain whether it goes on."""

    settings: RefiningSettings

    async def decide(self, state: RefiningState) -> dict[str, Any]:
        """Set how many chains go on; 0 ends the run."""
        run = RefiningRun.model_validate(state)
        saved(run.delivery, *(wave.granted_by for wave in run.waves))
        kind, candidates = read(self.settings.sampling, run)
        chains = chains_of(self.settings, run)
        endings = [chains.ended(chain) for chain in range(self.settings.chains)]
        cut = None if "passed" in endings else cut_by([*candidates, *run.checks.values()])
        return {
            "wanted": len(chains.open),
            "answer_kind": decided(run, kind),
            "answers": newly_read(run, candidates),
            "cut_off_by": None if chains.open else cut,
        }

    async def another(self, state: RefiningState) -> str:
        """Back to the gate for another round, or on to the answer."""
        return "admit" if RefiningRun.model_validate(state).wanted else "finish"


@dataclass(frozen=True)
class RefiningFinisher:
    """Chooses the version that stands, and writes the result."""

    settings: RefiningSettings

    async def finish(self, state: RefiningState) -> dict[str, Any]:
        """Write the answer to `messages` and the whole story to `result`.

        Raises:
            SamplingError: when every call failed, or the verifier failed on every answer.
            BudgetExceeded: when the budget ended before there was any answer.
        """
        settings = self.settings
        last = Aggregator(
            settings.sampling, "refine", needs_verdicts=settings.sampling.verifier is not None
        )
        update = await last.finish(state)
        run, result = RefiningRun.model_validate(state), update["result"]
        chains = chains_of(settings, run)
        notes = [*self._notes(chains, result), *result.notes]
        winner = last.chosen(run)[2].winner
        tree = tree_of_versions(
            result.candidates,
            bases=[step.base for step in run.steps],
            question=run.question,
            winner=winner.index if winner else None,
            usage=result.usage,
        )
        return {**update, "result": result.model_copy(update={"notes": notes, "tree": tree})}

    def _notes(self, chains: Chains, result: Result) -> list[str]:
        """Why the run ended, and what the answer stands on without a verifier."""
        endings: list[Ending | None] = [
            chains.ended(chain) for chain in range(self.settings.chains)
        ]
        own = self.settings.critic is not None
        notes: list[str] = []
        if own and "passed" in endings:
            notes.append("without a verifier: the model found nothing wrong with its own answer")
        elif own and not any(one.verdict for one in result.candidates):
            notes.append("without a verifier: no version was criticised")
        elif own and result.answer is not None:
            notes.append(
                "without a verifier: no version stood up to the model's own critique, so the "
                "answer is the one that most of them gave, the earliest among equals"
            )
        if result.cut_off_by is None and (own or "passed" not in endings):
            told = (self._told(ending) for ending in endings if ending not in (None, "passed"))
            notes += dict.fromkeys(told)
        return notes

    def _told(self, ending: Ending | None) -> str:
        match ending:
            case "unchanged":
                return f"revising ended with repeats={self.settings.repeats}: nothing new had come"
            case "failing":
                return f"{IN_VAIN} calls had failed one after the other"
            case "not verified":
                return "revising ended for want of a verdict"
            case _:
                return f"revising ended with max_revisions={self.settings.max_revisions}"
