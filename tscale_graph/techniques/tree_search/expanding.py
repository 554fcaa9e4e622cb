"""The expander: asks a model for the children of a node, and never raises for one bad child."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.messages import BaseMessage
from langgraph.errors import GraphBubbleUp

from tscale_graph.budget import Usage
from tscale_graph.candidates import Candidate
from tscale_graph.leases import SampleSize, grant
from tscale_graph.models.attempts import Request
from tscale_graph.models.calls import complete
from tscale_graph.models.endpoint import Endpoint
from tscale_graph.models.failures import one_line
from tscale_graph.models.replies import Completion
from tscale_graph.sharing import apportion
from tscale_graph.techniques.nodes import announce
from tscale_graph.techniques.restarts import LOST, asked_before
from tscale_graph.techniques.tree_search.settings import SearchSettings
from tscale_graph.techniques.tree_search.state import ExpandTask, Expansion, Node


@dataclass(frozen=True)
class Expander:
    """Has the children of one node made: completions of one request, or several gathered."""

    settings: SearchSettings

    async def expand(self, task: dict[str, Any]) -> dict[str, Any]:
        """Make the children that a `Send` asks for.

        A failed call becomes a failed node, and its usage counts. Each node is told on the
        custom stream, as `{"sample": …}`.
        """
        todo = ExpandTask.model_validate(task)
        expansion = todo.expansion
        if asked_before(expansion.granted_in):
            return _returned(self._lost(expansion))
        separate = False
        if expansion.together:
            completions = await self._ask(todo, place=0, n=expansion.count)
            refused = completions[0].status in (400, 422)
            separate = refused or len(completions) < expansion.count
            if refused:
                completions = await self._separately(todo, completions)
        else:
            asked = [self._ask(todo, place=place) for place in range(expansion.count)]
            completions = [one for several in await asyncio.gather(*asked) for one in several]
        missing = expansion.count - len(completions)
        completions = [*completions, *[Completion(error=_NOT_GIVEN)] * missing]
        return {**_returned(await self._nodes(todo, completions)), "separate": separate}

    async def _nodes(self, task: ExpandTask, completions: list[Completion]) -> list[Node]:
        """What the completions make; those that come to the same are made once."""
        growth, expansion = self.settings.growth, task.expansion
        actions = [growth.same_action(completion) for completion in completions]
        places = [
            place
            for place, action in enumerate(actions)
            if not action or actions.index(action) == place
        ]
        made = await asyncio.gather(
            *(self._node(task, completions[place], expansion.first + place) for place in places)
        )
        nodes = dict(zip(places, made, strict=True))
        for place, action in enumerate(actions):
            if not action:
                continue
            like, index = nodes[actions.index(action)], expansion.first + place
            changes: dict[str, Any] = {"agreement": actions.count(action) / len(actions)}
            if place not in nodes:
                candidate = bare_node(expansion, completions[place], index).candidate
                changes |= {"index": index, "candidate": candidate}
                announce({"sample": candidate.model_dump()})
            nodes[place] = like.model_copy(update=changes)
        return [nodes[place] for place in range(len(completions))]

    async def _node(self, task: ExpandTask, completion: Completion, index: int) -> Node:
        """What one completion makes; told to whoever watches the run."""
        settings, expansion = self.settings, task.expansion
        if completion.error is not None:
            node = bare_node(expansion, completion, index)
            node = node.model_copy(update={"fate": "failed", "note": completion.error})
        else:
            try:
                node = await settings.growth.grow(task, completion, index)
            except GraphBubbleUp:  # an interrupt is for whoever runs the graph
                raise
            except Exception as error:  # noqa: BLE001 - anybody's tool or environment
                node = bare_node(expansion, completion, index)
                node = node.model_copy(update={"fate": "failed", "note": one_line(error)})
        announce({"sample": node.candidate.model_dump()})
        return node

    async def _ask(self, task: ExpandTask, *, place: int, n: int = 1) -> list[Completion]:
        """Ask for one child, or for `n` in one request."""
        settings, expansion = self.settings, task.expansion
        index, growth = expansion.first + place, settings.growth
        return await complete(
            self._endpoint(expansion),
            Request(
                messages=self._prompt(task),
                n=n,
                max_output_tokens=growth.output_limit(
                    settings.max_output_tokens, closing=expansion.closing
                ),
                temperature=settings.temperature,
                seed=None if settings.seed is None else settings.seed + index,
                stop=growth.stop(closing=expansion.closing),
                prompt_tokens=expansion.prompt_tokens,
            ),
            expansion.lease,
            deadline=task.deadline,
            rng=random.Random(None if settings.seed is None else f"{settings.seed}/{index}"),
        )

    def _prompt(self, task: ExpandTask) -> list[BaseMessage]:
        growth, messages = self.settings.growth, self.settings.conversation(task.messages)
        if task.expansion.closing:
            closing = growth.closing_prompt(messages, task.trail)
            if closing is not None:
                return closing
        return growth.prompt(messages, task.trail, reflections=task.reflections)

    def _endpoint(self, expansion: Expansion) -> Endpoint:
        endpoint = self.settings.endpoints[expansion.model]
        return replace(endpoint, honours_limit=False) if expansion.distrusted else endpoint

    async def _separately(self, task: ExpandTask, refused: list[Completion]) -> list[Completion]:
        """The provider does not answer several times at once: ask one by one, in the lease."""
        settings, expansion = self.settings, task.expansion
        endpoint = settings.endpoints[expansion.model]
        used = Usage.total(completion.usage for completion in refused)
        most = settings.growth.output_limit(settings.max_output_tokens, closing=expansion.closing)
        granted = grant(
            expansion.lease.remaining(used),
            SampleSize(expansion.prompt_tokens, most, endpoint.prices.ceiling),
            wanted=expansion.count,
            still_wanted=expansion.count,
            nothing_yet=True,
        )
        if granted.lease is None:
            return refused
        alone = expansion.model_copy(update={"lease": granted.lease, "together": False})
        apart = task.model_copy(update={"expansion": alone})
        asked = [self._ask(apart, place=place) for place in range(granted.samples)]
        completions = [one for several in await asyncio.gather(*asked) for one in several]
        note = f"{endpoint.name} does not answer several times at once: {refused[0].error}"
        first = completions[0]
        completions[0] = replace(first, usage=first.usage + used, notes=(note, *first.notes))
        return completions

    def _lost(self, expansion: Expansion) -> list[Node]:
        """Failed nodes that are charged all that they could have spent."""
        leases = 1 if expansion.together else expansion.count
        one = Usage(
            calls=expansion.count if expansion.together else 1,
            input_tokens=expansion.prompt_tokens,
            output_tokens=self._output_room(expansion),
            usd=expansion.lease.usd or 0.0,
        )
        spent = Usage.total([one] * leases)
        lost = Completion(error=LOST)
        return [
            bare_node(expansion, replace(lost, usage=usage), expansion.first + place).model_copy(
                update={"fate": "failed", "note": LOST}
            )
            for place, usage in enumerate(apportion(spent, [1] * expansion.count))
        ]

    def _output_room(self, expansion: Expansion) -> int:
        """The completion tokens that a lease has room for."""
        settings, tokens = self.settings, expansion.lease.tokens
        most = settings.growth.output_limit(settings.max_output_tokens, closing=expansion.closing)
        most *= expansion.count if expansion.together else 1
        return most if tokens is None else min(most, max(0, tokens - expansion.prompt_tokens))


_NOT_GIVEN = "the provider gave fewer completions than it was asked for"


def bare_node(expansion: Expansion, completion: Completion, index: int) -> Node:
    """A node with what the model said, and nothing made of it yet."""
    return Node(
        index=index,
        parent=expansion.parent,
        model=expansion.model,
        lane=expansion.lane,
        candidate=Candidate(
            index=index,
            text=completion.text,
            reasoning=completion.reasoning,
            tool_calls=list(completion.tool_calls),
            finish_reason=completion.finish_reason,
            truncated=completion.truncated,
            cut_off_by=completion.cut_off_by,
            discarded=completion.discarded,
            error=completion.error,
            usage=completion.usage,
            prompt_tokens=completion.prompt_tokens,
            overshoot_tokens=completion.overshoot_tokens,
            notes=list(completion.notes),
        ),
    )


def _returned(nodes: list[Node]) -> dict[str, Any]:
    """Nodes that came back, as an update of the state."""
    return {
        "returned": [node.model_dump() for node in nodes],
        "clock": time.time(),
        "distrusted": any(node.candidate.overshoot_tokens for node in nodes),
    }
