"""A number puzzle solved step by step, on this machine, and a page that shows the search.

python examples/puzzle_in_steps.py [page.html]

The embedded model proposes steps; the verifier says of each whether it is right and whether the
target can still be reached; beam search goes on from the best. Open the page in a browser to see
what was tried.
"""

from __future__ import annotations

import sys

from langchain_core.messages import AIMessage, HumanMessage

from tscale_graph import Budget, beam_search, solve

EXAMPLES = [
    ("2, 3, 4", 10, "2 * 3 = 6\n6 + 4 = 10"),
    ("5, 1, 7", 13, "5 + 7 = 12\n12 + 1 = 13"),
    ("9, 6, 2", 13, "9 + 6 = 15\n15 - 2 = 13"),
    ("3, 8, 5", 19, "3 * 8 = 24\n24 - 5 = 19"),
]


def main(page: str | None = None) -> None:
    """Solve a puzzle, and write the page if one is wanted."""
    messages = [
        message
        for numbers, target, steps in EXAMPLES
        for message in (
            HumanMessage(f"Use the numbers {numbers} to make {target}."),
            AIMessage(steps),
        )
    ]
    messages.append(HumanMessage("Use the numbers 7, 2, 3 to make 17."))
    graph = beam_search(
        "local", "countdown", beams=2, width=4, steps="line", max_steps=4, step_tokens=16, seed=1
    )
    result = solve(messages, graph, budget=Budget(tokens=6_000, seconds=60))
    print(result.text.strip(), result.status, result.usage, sep="\n")
    if page is not None and result.tree is not None:
        result.tree.save(page)


if __name__ == "__main__":
    main(*sys.argv[1:2])
