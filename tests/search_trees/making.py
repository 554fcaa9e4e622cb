"""Trees for tests of search trees, in few words."""

from hypothesis import strategies as st

from tscale_graph.budget import Usage
from tscale_graph.search_trees import SearchTree, TreeNode

HOSTILE = (
    "",
    " \n\t",
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "<!--<script>",
    'say "hi" & `go` # now',
    "1. a list",
    "- a list",
    "$$x^2$$",
    "fa:fa-car",
    "ﬂ°°60¶ß",
    "%%{init: {}}%%",
    "back\\slash \\N \\",
    "&quot; #quot; #34;",
    "\u2028\u2029\x00\x1b\u202e",
    "$tree ${script} {tree}",
    "half a character: \ud83d",
)

texts = st.one_of(st.text(), st.sampled_from(HOSTILE), st.text(alphabet='"#;<>&`$\\%{}\n1.- fa:'))
shares = st.one_of(st.none(), st.floats(min_value=0, max_value=1))
statuses = st.sampled_from(["open", "terminal", "failed", "duplicate"])
usages = st.builds(
    Usage,
    calls=st.integers(0, 3),
    input_tokens=st.integers(0, 10**6),
    output_tokens=st.integers(0, 10**6),
    usd=st.floats(0, 10),
    seconds=st.floats(0, 10),
)


def tree_of(parents, *, best=None, texts=None, technique="beam", question="what?", **more):
    """A tree whose nodes below the root have these parents; `more` gives lists of fields."""
    nodes = []
    for index, parent in enumerate([None, *parents]):
        nodes.append(
            TreeNode(
                index=index,
                parent=parent,
                depth=0 if parent is None else nodes[parent].depth + 1,
                text=texts[index] if texts else f"node {index}",
                **{"status": "open", **{name: values[index] for name, values in more.items()}},
            )
        )
    return SearchTree(technique=technique, question=question, nodes=nodes, best=best)


def chain_of(length):
    return tree_of(range(length - 1), best=length - 1)


@st.composite
def trees(draw, *, max_size=12):
    """Trees of any shape and any text."""
    size = draw(st.integers(1, max_size))
    lists = {
        name: draw(st.lists(values, min_size=size, max_size=size))
        for name, values in {
            "texts": texts,
            "note": texts,
            "status": statuses,
            "score": shares,
            "value": shares,
            "visits": st.integers(0, 100),
            "model": st.one_of(st.none(), texts),
            "usage": usages,
        }.items()
    }
    parents = [draw(st.integers(0, index - 1)) for index in range(1, size)]
    best = draw(st.one_of(st.none(), st.integers(0, size - 1)))
    return tree_of(parents, best=best, technique=draw(texts), question=draw(texts), **lists)
