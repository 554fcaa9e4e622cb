"""The deciding and the last node of aggregation: another generation, or the population's vote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tscale_graph.techniques.aggregating.populations import Populations, populations_of
from tscale_graph.techniques.aggregating.settings import AggregatingSettings
from tscale_graph.techniques.aggregating.state import AggregatingRun, AggregatingState
from tscale_graph.techniques.choosing import Aggregator, cut_by
from tscale_graph.techniques.reading import decided, read
from tscale_graph.techniques.restarts import saved
from tscale_graph.techniques.state import newly_read


@dataclass(frozen=True)
class AggregatingDecider:
    """Asks whether the population agrees, and whether there is another generation to come."""

    settings: AggregatingSettings

    async def decide(self, state: AggregatingState) -> dict[str, Any]:
        """Set how many members are wanted next; 0 ends the run."""
        run = AggregatingRun.model_validate(state)
        saved(run.delivery, *(wave.granted_by for wave in run.waves))
        kind, candidates = read(self.settings.sampling, run)
        populations = populations_of(self.settings, run)
        following = populations.following
        newest = [c for c in candidates if run.members[c.index].generation == populations.newest]
        ended = following is None and populations.ending != "agreed"
        return {
            "wanted": len(following[1]) if following else 0,
            "answer_kind": decided(run, kind),
            "answers": newly_read(run, candidates),
            "cut_off_by": cut_by(newest) if ended else None,
        }

    async def another(self, state: AggregatingState) -> str:
        """Back to the gate for more of a generation or the next one, or on to the answer."""
        return "admit" if AggregatingRun.model_validate(state).wanted else "finish"


@dataclass(frozen=True)
class AggregatingFinisher:
    """Has the last population vote, and writes the result."""

    settings: AggregatingSettings

    async def finish(self, state: AggregatingState) -> dict[str, Any]:
        """Write the answer to `messages` and the whole story to `result`.

        Raises:
            SamplingError: when every call failed.
            BudgetExceeded: when the budget ended before there was any answer.
        """
        run = AggregatingRun.model_validate(state)
        populations = populations_of(self.settings, run)
        voters = frozenset(c.index for c in populations.holders(populations.newest))
        last = Aggregator(self.settings.sampling, "aggregate_recursively", voters=voters)
        update = await last.finish(state)
        result = update["result"]
        notes = [*self._notes(populations), *result.notes]
        return {**update, "result": result.model_copy(update={"notes": notes})}

    def _notes(self, populations: Populations) -> list[str]:
        """How the populations came to agree, and why there were no more of them."""
        if not populations.came:
            return []
        newest, size = populations.newest, populations.size
        shares = [f"{populations.agreement(born):.0%}" for born in range(newest + 1)]
        notes = [f"agreement of each generation: {', '.join(shares)}"]
        missing = len(populations.open_places(newest))
        if missing and newest:
            notes.append(
                f"the last generation has {size - missing} of {size} members: "
                "those before them vote at the other places"
            )
        elif missing:
            notes.append(f"the first generation has {size - missing} of {size} members")
        match populations.ending:
            case "agreed":
                notes.append(f"aggregating ended with agreement={self.settings.agreement}")
            case "generations":
                notes.append(f"aggregating ended with generations={self.settings.generations}")
            case "in vain":
                notes.append("aggregating ended: nothing had come of a whole generation")
            case None:
                pass
        return notes
