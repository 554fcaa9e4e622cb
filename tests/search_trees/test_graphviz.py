"""Search trees in DOT."""

import re

from hypothesis import given

from tests.search_trees.making import texts, tree_of, trees
from tscale_graph.search_trees.graphviz import escaped
from tscale_graph.search_trees.labels import first_words, standing

QUOTED = r'"((?:[^"\\]|\\.)*)"'


def read(quoted):
    """What Graphviz shows for the inside of a quoted label."""
    shown = re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], quoted)
    assert not re.search(r"&(?!amp;)", shown)
    return shown.replace("&amp;", "&")


def test_a_small_tree():
    tree = tree_of([0, 0], best=1, status=["open", "terminal", "failed"])
    assert tree.to_graphviz().splitlines()[3:] == [
        '    n0 [label="node 0", fillcolor="#ffe08a", color="#7a4b00", penwidth=2.5, '
        'style="rounded,filled"]',
        '    n1 [label="terminal\\nnode 1", fillcolor="#ffe08a", color="#7a4b00", penwidth=2.5, '
        'style="rounded,filled"]',
        '    n0 -> n1 [color="#7a4b00", penwidth=2.5]',
        '    n2 [label="failed\\nnode 2", style="rounded,dashed"]',
        "    n0 -> n2",
        "}",
    ]


@given(texts)
def test_a_label_shows_its_text_and_never_ends_early(text):
    assert re.fullmatch(QUOTED, f'"{escaped(text)}"', flags=re.S)
    assert read(escaped(text)) == text


@given(trees())
def test_every_node_and_every_edge_is_drawn_once(tree):
    lines = tree.to_graphviz().split("\n")
    drawn = [found for line in lines if (found := re.match(rf"    n(\d+) \[label={QUOTED}", line))]
    assert [int(found[1]) for found in drawn] == list(range(len(tree.nodes)))
    for found, node in zip(drawn, tree.nodes, strict=True):
        shown = "\n".join(filter(None, [standing(node), first_words(node.text)]))
        assert read(found[2]) == shown
    edges = [found for line in lines if (found := re.match(r"    n(\d+) -> n(\d+)", line))]
    assert [(int(found[1]), int(found[2])) for found in edges] == [
        (node.parent, node.index) for node in tree.nodes[1:]
    ]
    assert len(lines) == 3 + len(drawn) + len(edges) + 2
