"""In which order the steps of a graph are drawn, and which of its edges go back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Pair = tuple[str, str]
"""An edge, by the names of the steps that it leaves and enters."""


def back_edges(names: Sequence[str], edges: Iterable[Pair]) -> set[Pair]:
    """The edges that close a loop, when the graph is walked from the first step.

    >>> back_edges(["ask", "decide", "end"], [("ask", "decide"), ("decide", "ask"), ("ask", "end")])
    {('decide', 'ask')}
    """
    targets = _targets(names, edges)
    found: set[Pair] = set()
    left: set[str] = set()
    for first in names:
        if first in left:
            continue
        walk = [(first, iter(targets[first]))]
        entered = {first}
        while walk:
            name, further = walk[-1]
            following = next(further, None)
            if following is None:
                walk.pop()
                left.add(name)
            elif following in entered and following not in left:
                found.add((name, following))
            elif following not in left:
                entered.add(following)
                walk.append((following, iter(targets[following])))
    return found


def rows(names: Sequence[str], edges: Iterable[Pair]) -> list[list[str]]:
    """The steps from top to bottom; those that follow the same step stand side by side.

    What follows a loop comes after all of it. Steps without edges come last.

    >>> names = ["plan", "think", "answer", "finish"]
    >>> loops = [("think", "plan"), ("answer", "plan")]
    >>> rows(names, [("plan", "think"), ("plan", "answer"), ("plan", "finish"), *loops])
    [['plan'], ['think', 'answer'], ['finish']]
    """
    pairs = list(edges)
    back = back_edges(names, pairs)
    forward = [pair for pair in pairs if pair not in back]
    after = list(forward)
    for first in {first for _, first in back}:
        lasts = {last for last, target in back if target == first}
        loop = _loop(first, lasts, forward)
        exits = {out for inner, out in forward if inner in loop and out not in loop}
        after += [(last, out) for last in lasts for out in exits]
    level = dict.fromkeys(names, 0)
    for _ in names:
        for source, target in after:
            level[target] = max(level[target], level[source] + 1)
    joined = {name for pair in pairs for name in pair}
    lowest = 1 + max(level.values(), default=0)
    level |= {name: lowest for name in names if joined and name not in joined}
    return [[name for name in names if level[name] == at] for at in sorted(set(level.values()))]


def _targets(names: Sequence[str], edges: Iterable[Pair]) -> dict[str, list[str]]:
    """Where each step leads, in the order of the steps."""
    place = {name: index for index, name in enumerate(names)}
    targets: dict[str, list[str]] = {name: [] for name in names}
    for source, target in sorted(edges, key=lambda pair: place[pair[1]]):
        targets[source].append(target)
    return targets


def _loop(first: str, lasts: set[str], forward: Sequence[Pair]) -> set[str]:
    """The steps of a loop: `first`, and all that lead to one of `lasts` without passing it."""
    found, waiting = {first, *lasts}, sorted(lasts)
    while waiting:
        name = waiting.pop()
        if name != first:
            before = {source for source, target in forward if target == name} - found
            found |= before
            waiting += sorted(before)
    return found
