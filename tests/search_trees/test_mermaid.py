"""Search trees as Mermaid flowcharts."""

import re

from hypothesis import given
from hypothesis import strategies as st

from tests.search_trees.making import chain_of, texts, tree_of, trees
from tscale_graph.search_trees.labels import first_words, standing
from tscale_graph.search_trees.mermaid import escaped

LINE = re.compile(
    r'flowchart TD|    (n\d+|left_out)\["[^"]+"\]|    n\d+ (-->|==>|-\.->|-\.-) (n\d+|left_out)'
    r"|    classDef \w+ [\w:#,. -]+|    class (n\d+,?)+ (best|failed)|    class left_out left_out"
)


def read(label):
    """What Mermaid shows for an escaped text, without the spaces that have no width."""
    decoded = re.sub(r"#(\d+);", lambda code: chr(int(code[1])), label)
    return decoded.replace("\u200b", "")


def labels(drawing):
    return dict(re.findall(r'^    (\w+)\["(.*)"\]$', drawing, flags=re.M))


def test_a_small_tree():
    tree = tree_of(
        [0, 0, 1],
        best=3,
        texts=["make 24", "4 + 9 = 13", "13 - 9 = 5", "24"],
        status=["open", "open", "failed", "terminal"],
        score=[None, 0.5, 0.0, 1.0],
        visits=[3, 2, 1, 1],
    )
    assert tree.to_mermaid().splitlines() == [
        "flowchart TD",
        '    n0["3 visits<br/>make 24"]',
        '    n1["0#46;50 · 2 visits<br/>4 + 9 = 13"]',
        '    n2["0#46;00 · 1 visit · failed<br/>13 - 9 = 5"]',
        '    n3["1#46;00 · 1 visit · terminal<br/>24"]',
        "    n0 ==> n1",
        "    n0 --> n2",
        "    n1 ==> n3",
        "    classDef best fill:#ffe08a,stroke:#7a4b00,stroke-width:3px,color:#1a1a1a",
        "    classDef failed stroke-dasharray:5 4",
        "    classDef left_out fill:none,stroke:none",
        "    class n0,n1,n3 best",
        "    class n2 failed",
    ]


def test_what_would_begin_a_block_of_markdown_is_coded():
    assert escaped("1. a") == "1#46; a"
    assert escaped("12) a") == "12#41; a"
    assert escaped("- a - b") == "#45; a - b"
    assert escaped("+ a") == "#43; a"
    assert escaped("===") == "#61;=="


def test_what_mermaid_reads_after_decoding_is_parted():
    assert escaped("$$$") == "#36;\u200b#36;\u200b#36;"
    assert escaped("fa:fa-car") == "fa#58;\u200bfa-car"
    assert escaped("ﬂ°°60¶ß") == "ﬂ\u200b°°60¶\u200bß"


@given(texts.map(first_words))
def test_a_label_shows_its_text_and_nothing_in_it_is_markup(text):
    coded = escaped(text)
    assert read(coded) == text
    assert not set(re.sub(r"#\d+;", "", coded)) & set('"#<>&`*_~[]{}|\\$%:;@.\n')


@given(trees())
def test_every_line_is_one_of_the_few_that_a_flowchart_needs(tree):
    assert [line for line in tree.to_mermaid().split("\n")[:-1] if not LINE.fullmatch(line)] == []


@given(trees())
def test_every_node_and_every_edge_is_drawn_once(tree):
    drawing = tree.to_mermaid()
    assert len(labels(drawing)) == len(tree.nodes)
    for node in tree.nodes:
        shown = read(labels(drawing)[f"n{node.index}"].replace("<br/>", "\n"))
        assert shown == "\n".join(filter(None, [standing(node), first_words(node.text)]))
    edges = re.findall(r"^    n(\d+) [-=]{2}> n(\d+)$", drawing, flags=re.M)
    assert [(int(above), int(below)) for above, below in edges] == [
        (node.parent, node.index) for node in tree.nodes[1:]
    ]


@given(trees(), st.integers(2, 8))
def test_a_node_says_how_many_are_left_out(tree, max_nodes):
    shown = labels(tree.to_mermaid(max_nodes=max_nodes))
    said = shown.pop("left_out", "0 more")
    assert int(said.split()[0]) + len(shown) == len(tree.nodes)
    assert len(shown) <= max_nodes


def test_the_ends_of_a_long_best_path_are_joined_by_a_dotted_line():
    drawing = chain_of(1_500).to_mermaid(max_nodes=4)
    assert "    n1 -.-> n1498\n" in drawing
    assert '    left_out["1,496 more nodes"]\n    n0 -.- left_out\n' in drawing
