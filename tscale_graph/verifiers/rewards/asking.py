"""Asking the server of a reward model, and what every such model checks and reads alike."""

from __future__ import annotations

import importlib.util
import math
import string
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from tscale_graph.budget import Usage
from tscale_graph.candidates import VerifierError
from tscale_graph.verifiers.rewards.posting import PostingError, post_json

T = TypeVar("T")

ToScore = Literal["identity", "sigmoid"] | Callable[[float], float]
"""From a reward to a score in [0, 1]."""


async def ask_server(
    url: str,
    body: Mapping[str, Any],
    read: Callable[[Any], T],
    *,
    what: str,
    api_key: str | None,
    seconds: float,
    deadline: float | None,
) -> tuple[T, Usage]:
    """What a server's reply says, and the seconds that it took to come.

    Args:
        url: where to.
        body: the JSON to send.
        read: makes something of the JSON that comes; a `ValueError` says what it lacks.
        what: whose server it is, for errors.
        api_key: sent as a bearer token, or None.
        seconds: the most that one attempt may take.
        deadline: when to give up, in seconds since the epoch.

    Raises:
        VerifierError: when there is no reply, or one that cannot be read.
    """
    started = time.monotonic()
    headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
    try:
        reply = await post_json(url, body, headers=headers, seconds=seconds, deadline=deadline)
        told = read(reply)
    except (PostingError, ValueError) as error:
        usage = Usage(seconds=time.monotonic() - started)
        raise VerifierError(f"{what} at {url}: {error}", usage) from None
    return told, Usage(seconds=time.monotonic() - started)


def as_score(reward: float, to_score: ToScore) -> float:
    """The score of a reward.

    >>> as_score(0.0, "sigmoid")
    0.5

    Raises:
        ValueError: when the reward is not finite, or the score not in [0, 1].
    """
    if not math.isfinite(reward):
        raise ValueError(f"the reward must be finite, got {reward}")
    if to_score == "identity":
        score = reward
    elif to_score == "sigmoid":
        score = sigmoid(reward)
    else:
        score = to_score(reward)
    if not 0 <= score <= 1:
        raise ValueError(f"the score must be between 0 and 1, got {score}: set to_score")
    return score


def sigmoid(reward: float) -> float:
    """The logistic function, which turns log-odds into a probability.

    >>> sigmoid(0.0), sigmoid(-1000.0), sigmoid(1000.0)
    (0.5, 0.0, 1.0)
    """
    if reward >= 0:
        return 1 / (1 + math.exp(-reward))
    odds = math.exp(reward)
    return odds / (1 + odds)


def check_server(url: str, *, seconds: float, example: str, wanted_by: str) -> None:
    """Refuse a server that cannot be asked.

    Args:
        url: the whole address.
        seconds: the most that one attempt may take.
        example: a path such as this one is right.
        wanted_by: which function wants a server.

    Raises:
        ValueError: for a url that is none, or a time that is not positive.
        ImportError: when httpx is not installed.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"url must be such as http://localhost:8000{example}, got {url!r}")
    if not seconds > 0:
        raise ValueError(f"seconds must be positive, got {seconds}")
    if importlib.util.find_spec("httpx") is None:
        raise ImportError(f"{wanted_by} needs another package: pip install httpx")


def check_to_score(to_score: object, *, named: Collection[str] = ("identity", "sigmoid")) -> None:
    """Refuse what makes no score.

    Raises:
        ValueError: for a name that is not known.
    """
    if to_score is not None and not callable(to_score) and to_score not in named:
        known = ", ".join(f'"{name}"' for name in named)
        raise ValueError(f"to_score must be {known} or a function, got {to_score!r}")


def check_template(template: str, *, answer: str) -> None:
    """Refuse a template that has no place for what is scored.

    Args:
        template: a format string.
        answer: the name of that place, beside "question".

    Raises:
        ValueError: when it is missing, or there are other places.
    """
    try:
        wanted = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
    except ValueError as error:
        raise ValueError(f"template is no format string: {error}") from None
    if wanted - {"question", answer} or answer not in wanted:
        told = ", ".join(f"{{{name}}}" for name in sorted(wanted)) or "none"
        raise ValueError(f"template must have {{{answer}}}, and may have {{question}}, got {told}")
