"""A page that loads nothing, and runs nothing but what it brings."""

from __future__ import annotations

import base64
import functools
import hashlib
import html
from importlib import resources
from string import Template


def page(title: str, subtitle: str, main: str, *, style: str = "", script: str = "") -> str:
    """A whole page.

    Args:
        title: as plain text.
        subtitle: the same.
        main: HTML.
        style: more of it, after what all pages have.
        script: what runs on it; only this can.
    """
    whole = part("page.css") + part("chart.css") + style
    return Template(part("page.html")).substitute(
        title=html.escape(title),
        subtitle=html.escape(subtitle),
        main=main,
        style=whole,
        style_hash=_hash(whole),
        script=f"<script>{script}</script>" if script else "",
        script_hash=f"'{_hash(script)}'" if script else "'none'",
    )


def standalone(svg: str) -> str:
    """A chart that brings its style along."""
    return svg.replace("<rect", f"<style>\n{part('chart.css')}</style>\n<rect", 1)


@functools.cache
def part(name: str) -> str:
    """A file of this package."""
    return resources.files("tscale_graph.pages").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
