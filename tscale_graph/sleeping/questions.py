"""Reading the questions that a model thought of."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tscale_graph.sleeping.entries import folded

_MARK = re.compile(r"^\s*(?:[-*•>]+|\(?\d{1,3}[.):]|[Qq]\d*[.:])\s*")
_LONGEST = 400
"""Characters: what is longer is no question."""


def read_questions(text: str, *, known: Iterable[str] = (), most: int) -> list[str]:
    r"""The questions in a reply, one a line, without those that are known already.

    >>> read_questions("1. How much is tea?\n2. how much is TEA?\nThat is all.", most=5)
    ['How much is tea?']

    Args:
        text: the reply.
        known: questions that are there already.
        most: how many at most.
    """
    seen = {folded(one) for one in known}
    found: list[str] = []
    for line in text.splitlines():
        question = _MARK.sub("", line).strip().strip('*"“”').strip()
        if not question.endswith("?") or len(question) > _LONGEST or folded(question) in seen:
            continue
        seen.add(folded(question))
        found.append(question)
    return found[:most]
