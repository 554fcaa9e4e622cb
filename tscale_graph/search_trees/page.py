"""A search tree as one HTML page that loads nothing."""

from __future__ import annotations

import base64
import functools
import hashlib
from importlib import resources
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tscale_graph.search_trees.record import SearchTree

_ESCAPES = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"})


def to_html(tree: SearchTree) -> str:
    """The page; see `SearchTree.to_html`.

    The texts of a tree come from models and are not trusted: they travel as data, are only ever
    shown as text, and the page's policy runs no script but its own, known by its hash.
    """
    style = _part("page.css")
    script = "".join(_part(name) for name in ("shape.js", "outline.js", "page.js"))
    return Template(_part("page.html")).substitute(
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
        tree=embedded(tree.to_json()),
    )


def embedded(json: str) -> str:
    r"""JSON that no HTML parser mistakes for markup; it reads back as the same.

    >>> print(embedded('["</script>"]'))
    ["\u003c/script\u003e"]
    """
    return json.translate(_ESCAPES)


@functools.cache
def _part(name: str) -> str:
    return resources.files("tscale_graph.search_trees").joinpath(name).read_text(encoding="utf-8")


def _hash(source: str) -> str:
    """The hash of an inline script or style as a Content-Security-Policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
