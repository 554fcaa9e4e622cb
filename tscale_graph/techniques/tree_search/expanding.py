"""The expander: asks a model for the children of a node, and never raises for one bad child."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from functools import partial
from typing import Any

from langchain_core.messages import BaseMessage
from langgraph.errors import GraphBubbleUp

from tscale_graph.budget import Budget
from tscale_graph.candidates import Candidate
from tscale_graph.leases import SampleSize
from tscale_graph.models.attempts import Request
from tscale_graph.models.calls import complete
from tscale_graph.models.failures import one_line
from tscale_graph.models.replies import Completion
from tscale_graph.techniques.checking import short_key
from tscale_graph.techniques.nodes import announce
from tscale_graph.techniques.requesting import (
    candidate_of,
    gathered,
    one_by_one,
    refused,
    watched,
)
from tscale_graph.techniques.restarts import LOST, goes_on_by_itself, lost_usages, new_grant, once
from tscale_graph.techniques.tree_search.settings import SearchSettings
from tscale_graph.techniques.tree_search.state import ExpandTask, Expansion, Node


@dataclass(frozen=True)
class Expander:
    """Has the children of one node made: completions of one request, or several gathered."""

    settings: SearchSettings

    async def expand(self, task: dict[str, Any]) -> dict[str, Any]:
        """Make the children that a `Send` asks for.

        A failed call becomes a failed node, and its usage counts. Each node is told on the
        custom stream, as `{"sample": …, "node": its row}`.
        """
        todo = ExpandTask.model_validate(task)
        expansion = todo.expansion

        async def lost(times: int) -> dict[str, Any]:
            if self.settings.endpoints[expansion.model].nested and goes_on_by_itself():
                return await self._children(todo.model_copy(update={"begun": True}))
            return _returned(self._lost(expansion))

        return await once(
            expansion.granted_by, str(expansion.first), lambda: self._children(todo), lost
        )

    async def _children(self, todo: ExpandTask) -> dict[str, Any]:
        expansion, separate = todo.expansion, False
        if expansion.together:
            completions = await self._ask(todo, place=0, n=expansion.count)
            separate = len(completions) < expansion.count or refused(completions)
            if refused(completions):
                completions = await self._separately(todo, completions)
        else:
            places = range(expansion.count)
            asks = [partial(self._ask, todo, place=place) for place in places]
            completions = await gathered(asks, at_once=expansion.at_once)
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
            like, index = nodes[actions.index(action) if action else place], expansion.first + place
            changes: dict[str, Any] = {"action": short_key(action)}
            if place not in nodes:
                candidate = bare_node(expansion, completions[place], index).candidate
                cut = {"cut_off_by": like.candidate.cut_off_by or candidate.cut_off_by}
                candidate = candidate.model_copy(update=cut)
                changes |= {"index": index, "candidate": candidate}
                _announce(candidate)
            nodes[place] = like.model_copy(update=changes)
        return [nodes[place] for place in range(len(completions))]

    async def _node(self, task: ExpandTask, completion: Completion, index: int) -> Node:
        """What one completion makes; told to whoever watches the run."""
        settings, expansion = self.settings, task.expansion
        if completion.error is not None:
            node = failed(bare_node(expansion, completion, index), completion.error)
        else:
            try:
                node = await settings.growth.grow(task, completion, index)
            except GraphBubbleUp:
                # To wait for a person, the run would have to stop here, and to ask again later.
                node = failed(bare_node(expansion, completion, index), _INTERRUPTED)
            except Exception as error:  # noqa: BLE001 - anybody's tool or environment
                node = failed(bare_node(expansion, completion, index), one_line(error))
        _announce(node.candidate)
        return node

    async def _ask(self, task: ExpandTask, *, place: int, n: int = 1) -> list[Completion]:
        """Ask for one child, or for `n` in one request."""
        settings, expansion = self.settings, task.expansion
        index, growth = expansion.first + place, settings.growth
        endpoint = settings.endpoints[expansion.model]
        return await complete(
            watched(endpoint, distrusted=expansion.distrusted),
            Request(
                messages=self._prompt(task),
                n=n,
                max_output_tokens=self._output_limit(expansion),
                temperature=settings.temperature,
                seed=None if task.seed is None else task.seed + index,
                stop=growth.stop(closing=expansion.closing),
                prompt_tokens=expansion.prompt_tokens,
                goes_on=True,
                begun=task.begun,
            ),
            expansion.lease,
            deadline=task.deadline,
            rng=random.Random(None if task.seed is None else f"{task.seed}/{index}"),
        )

    def _prompt(self, task: ExpandTask) -> list[BaseMessage]:
        growth, messages = self.settings.growth, self.settings.conversation(task.messages)
        if task.expansion.closing:
            return growth.closing_prompt(messages, task.trail)
        return growth.prompt(messages, task.trail, reflections=task.reflections)

    def _output_limit(self, expansion: Expansion) -> int:
        most = self.settings.max_output_tokens
        return self.settings.growth.output_limit(most, closing=expansion.closing)

    async def _separately(self, task: ExpandTask, refusal: list[Completion]) -> list[Completion]:
        """The provider does not answer several times at once: ask one by one, in the lease."""
        expansion = task.expansion
        endpoint = self.settings.endpoints[expansion.model]

        def ask(lease: Budget, place: int) -> Awaitable[list[Completion]]:
            alone = expansion.model_copy(update={"lease": lease, "together": False})
            return self._ask(task.model_copy(update={"expansion": alone}), place=place)

        size = SampleSize(
            prompt_tokens=expansion.prompt_tokens,
            output_tokens=self._output_limit(expansion),
            price=endpoint.prices.ceiling,
        )
        return await one_by_one(
            refusal,
            ask,
            lease=expansion.lease,
            size=size,
            wanted=expansion.count,
            name=endpoint.name,
        )

    def _lost(self, expansion: Expansion) -> list[Node]:
        """Failed nodes that are charged all that they could have spent."""
        size = self.settings.endpoints[expansion.model].size(
            prompt_tokens=expansion.prompt_tokens,
            output_tokens=self._output_limit(expansion),
            together=expansion.together,
        )
        usages = lost_usages(expansion.lease, expansion.count, size)
        lost = [Completion(error=LOST, usage=usage) for usage in usages]
        return [
            failed(bare_node(expansion, completion, expansion.first + place), LOST)
            for place, completion in enumerate(lost)
        ]


def _announce(candidate: Candidate) -> None:
    announce({"sample": candidate.model_dump(), "node": candidate.index})


_INTERRUPTED = "the tool interrupted the run, which is not possible in a search"
_NOT_GIVEN = "the provider gave fewer completions than it was asked for"


def bare_node(expansion: Expansion, completion: Completion, index: int) -> Node:
    """A node with what the model said, and nothing made of it yet."""
    return Node(
        index=index,
        parent=expansion.parent,
        model=expansion.model,
        lane=expansion.lane,
        candidate=candidate_of(completion, index=index),
    )


def failed(node: Node, note: str) -> Node:
    """A node that came to nothing, and why."""
    return node.model_copy(update={"fate": "failed", "note": note})


def _returned(nodes: list[Node]) -> dict[str, Any]:
    """Nodes that came back, as an update of the state."""
    return {
        "returned": [node.model_dump() for node in nodes],
        "delivery": new_grant(),
        "clock": time.time(),
        "distrusted": any(node.candidate.overshoot_tokens for node in nodes),
    }
