"""Search trees as a page."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given

from tests.search_trees.making import HOSTILE, tree_of, trees
from tscale_graph.search_trees import SearchTree
from tscale_graph.search_trees.page import embedded


class Page(HTMLParser):
    """The elements of a page, with what stands in its scripts and styles."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.elements = []
        self.contents = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.contents.append("")

    def handle_data(self, data):
        if self.contents:
            self.contents[-1] += data

    def inside(self, tag, **wanted):
        """The contents of the only such element."""
        (found,) = [
            content
            for (name, attributes), content in zip(self.elements, self.contents, strict=True)
            if name == tag and wanted.items() <= attributes.items()
        ]
        return found


PLAIN = Page(tree_of([]).to_html())


@given(trees())
def test_the_data_of_a_page_is_the_tree_whatever_its_texts(tree):
    data = Page(tree.to_html()).inside("script", type="application/json")
    assert SearchTree.from_json(data) == tree
    assert not re.search("[<>&\u2028\u2029]", data)


@given(trees())
def test_no_text_adds_an_element_to_the_page(tree):
    assert Page(tree.to_html()).elements == PLAIN.elements


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_closes_no_script(text):
    html = tree_of([0], texts=["what?", text], note=["", text], model=[None, text]).to_html()
    assert html.lower().count("</script") == 2
    assert "<img" not in html


@pytest.mark.parametrize("text", HOSTILE)
def test_the_same_text_comes_back_out_of_what_is_embedded(text):
    tree = tree_of([], texts=[text])
    assert SearchTree.from_json(embedded(tree.to_json())) == tree


@pytest.mark.parametrize(("directive", "tag"), [("script-src", "script"), ("style-src", "style")])
def test_the_policy_allows_the_page_its_own_script_and_style_and_nothing_else(directive, tag):
    html = tree_of([0], texts=HOSTILE[:2]).to_html()
    source = re.search(rf"<{tag}(?: type=.module.)?>(.*?)</{tag}>", html, flags=re.S)[1]
    digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
    (policy,) = [
        attributes["content"]
        for name, attributes in Page(html).elements
        if name == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules[directive] == f"'sha256-{digest}'"
    assert rules["default-src"] == "'none'"
    assert set(rules) == {"default-src", "script-src", "style-src", "base-uri", "form-action"}


def test_the_page_loads_nothing():
    named = {name for _, attributes in PLAIN.elements for name in attributes}
    assert not named & {"src", "href", "srcset", "action", "data", "style", "onclick", "onload"}
    assert not re.search(r"url\(|@import|https?:", tree_of([]).to_html())


def test_the_script_never_makes_markup_of_a_text():
    script = PLAIN.inside("script", type="module")
    assert "textContent" in script
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|Function\(|setHTML",
        script,
    )
