"""Where the requests of a batch stand: what is known of each, and what a sample takes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from langchain_core.messages import convert_to_messages

from tscale_graph.allocating import Request
from tscale_graph.candidates import Candidate
from tscale_graph.difficulty import Signals
from tscale_graph.leases import SampleSize
from tscale_graph.models.nested import TechniqueGraph
from tscale_graph.stopping import AnswerPrior, ValueOfInformation
from tscale_graph.techniques.batching.granting import Place, Prior
from tscale_graph.techniques.batching.state import BatchRun
from tscale_graph.techniques.loop import SamplingGraph
from tscale_graph.techniques.reading import read, standing_of
from tscale_graph.techniques.routing.choosing import estimated_tokens
from tscale_graph.techniques.settings import SamplingSettings
from tscale_graph.techniques.state import Snapshot, question_of

_IN_VAIN = 3
"""Samples of a request that may fail, and nothing else, before it is given up."""


@dataclass(frozen=True)
class Standings:
    """Reads where requests stand.

    Attributes:
        graphs: of the classes, by name.
        prior: what to believe of a question, its votes apart.
    """

    graphs: Mapping[str, TechniqueGraph]
    prior: Prior | None

    def settings(self, route: str) -> SamplingSettings:
        """How a class that is served by samples is sampled.

        Raises:
            TypeError: for one that is not.
        """
        graph = self.graphs[route]
        if not isinstance(graph, SamplingGraph):
            raise TypeError(f"{route} is not served by samples")
        return graph.settings

    def place(self, run: BatchRun, at: int) -> Place:
        """Where a request of the batch stands."""
        known = run.seen.get(at)
        if known is not None and known.parts == run.parts(at):
            return known.place
        return self._looked_at(run, at)

    def _looked_at(self, run: BatchRun, at: int) -> Place:
        request, route = run.requests[at], run.routes[at]
        left = None if request.budget is None else request.budget.remaining(run.spent_on(at))
        graph = self.graphs[route]
        if not isinstance(graph, SamplingGraph):
            tokens = estimated_tokens(convert_to_messages(request.messages))
            most = graph.technique.at_most(tokens)
            done = at in run.whole
            return Place(at, SampleSize(0, 1), most, done, left, None, 0.0, together=False)
        settings, candidates = graph.settings, run.candidates.get(at, [])
        prompt = settings.prompt(convert_to_messages(request.messages))
        size = settings.endpoint.size(
            prompt_tokens=settings.endpoint.counter.prompt_bound(prompt),
            output_tokens=settings.max_output_tokens,
            together=settings.endpoint.shares_prompt,
        )
        needs = getattr(settings.verifier, "needs", None)
        if needs is not None:
            question = question_of(request.messages)
            beside = needs(question, answer_tokens=settings.max_output_tokens)
            size = replace(size, beside=beside)
        standing = self._standing(run, at, settings) if candidates else None
        prompts = [one.prompt_tokens for one in candidates if one.prompt_tokens]
        tokens = float(max(prompts, default=size.prompt_tokens))
        done = standing is not None and standing.best_wave(prompt=tokens)[1] <= 0
        together = settings.endpoint.shares_prompt
        return Place(at, size, None, done, left, standing, tokens, together=together)

    def _standing(self, run: BatchRun, at: int, settings: SamplingSettings) -> Request:
        snapshot = self.snapshot(run, at)
        kind, candidates = read(settings, snapshot)
        left = max(0, settings.max_samples - len(candidates))
        standing = standing_of(settings, candidates, kind, left=left)
        each = [self._cost(c, settings) for c in candidates if not c.error] or [1]
        failing = sum(1 for c in candidates if c.error and not c.cut_off_by)
        hopeless = failing == len(candidates) and failing >= _IN_VAIN
        return Request(
            counts=() if settings.verifier is not None else tuple(standing.counts),
            samples=settings.max_samples if hopeless else len(candidates),
            tokens=max(1.0, sum(each) / len(each)),
            prior=self._prior(run, at, settings, candidates),
            max_samples=settings.max_samples,
            verified=settings.verifier is not None,
            passed=standing.passed > 0,
        )

    def _cost(self, candidate: Candidate, settings: SamplingSettings) -> int:
        """What one more sample like it takes; without its prompt, where that is shared."""
        used = candidate.usage
        return used.output_tokens if settings.endpoint.shares_prompt else used.tokens

    def _prior(
        self,
        run: BatchRun,
        at: int,
        settings: SamplingSettings,
        candidates: Sequence[Candidate],
    ) -> AnswerPrior:
        question = question_of(run.requests[at].messages)
        if self.prior is not None:
            told = self.prior(signals_of(question, run.routes[at], candidates))
            if told is not None:
                return told
        rule = settings.rule
        return rule.prior if isinstance(rule, ValueOfInformation) else AnswerPrior()

    def snapshot(self, run: BatchRun, at: int, *, cut_off: bool = False) -> Snapshot:
        """One request as a run of its own; `cut_off` where the batch ended before it was done."""
        return Snapshot(
            messages=run.requests[at].messages,
            admission=run.admission,
            candidates=run.candidates.get(at, []),
            checks=run.checks.get(at, {}),
            answer_kind=run.kinds.get(at),
            clock=run.clock,
            cut_off_by=run.cut_off_by if cut_off else None,
        )


def signals_of(question: str, task_class: str, candidates: Sequence[Candidate]) -> Signals:
    """What is known of a question by the samples that it has, their votes apart."""
    whole = [one for one in candidates if not one.error]
    return Signals.of(
        question,
        task_class,
        output_tokens=[one.usage.output_tokens for one in whole],
        logprobs=[one.mean_logprob for one in whole],
    )
