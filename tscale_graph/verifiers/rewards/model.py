"""A reward model on a server, as a verifier."""

from __future__ import annotations

import importlib.util
import math
import string
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from tscale_graph.budget import Usage
from tscale_graph.candidates import Verdict, VerifierError
from tscale_graph.verifiers.rewards.apis import (
    API_NAMES,
    Api,
    Pair,
    read_reward,
    request_body,
)
from tscale_graph.verifiers.rewards.posting import PostingError, post_json

ToScore = Literal["identity", "sigmoid"] | Callable[[float], float]


@dataclass(frozen=True, slots=True)
class RewardModel:
    """A verifier that asks a server; spends no tokens of the budget, only seconds."""

    judges_partial: ClassVar[bool] = True
    reads_solutions: ClassVar[bool] = True

    url: str
    api: Api
    model: str | None
    api_key: str | None = field(repr=False)
    template: str | None
    label: int | str | None
    to_score: ToScore
    pass_at: float | None
    seconds: float

    async def __call__(
        self, question: str, answer: str, *, deadline: float | None = None
    ) -> Verdict:
        """The server's reward for one answer, as a score.

        Args:
            question: what was asked.
            answer: what to score.
            deadline: when to give up, in seconds since the epoch.

        Raises:
            VerifierError: when there is no score.
        """
        text = None
        if self.template is not None:
            text = self.template.format(question=question, answer=answer)
        pair = Pair(question, answer, text, self.model)
        started = time.monotonic()
        try:
            reply = await post_json(
                self.url,
                request_body(self.api, pair),
                headers={"authorization": f"Bearer {self.api_key}"} if self.api_key else {},
                seconds=self.seconds,
                deadline=deadline,
            )
            score = self._score(read_reward(self.api, reply, label=self.label))
        except (PostingError, ValueError) as error:
            usage = Usage(seconds=time.monotonic() - started)
            raise VerifierError(f"the reward model at {self.url}: {error}", usage) from None
        return Verdict(
            score=score,
            passed=None if self.pass_at is None else score >= self.pass_at,
            usage=Usage(seconds=time.monotonic() - started),
        )

    def _score(self, reward: float) -> float:
        if not math.isfinite(reward):
            raise ValueError(f"the reward must be finite, got {reward}")
        if self.to_score == "identity":
            score = reward
        elif self.to_score == "sigmoid":
            score = sigmoid(reward)
        else:
            score = self.to_score(reward)
        if not 0 <= score <= 1:
            raise ValueError(f"the score must be between 0 and 1, got {score}: set to_score")
        return score


def reward_model(
    url: str,
    *,
    api: str | None = None,
    model: str | None = None,
    api_key: str | None = None,
    template: str | None = None,
    label: int | str | None = None,
    to_score: ToScore | None = None,
    pass_at: float | None = None,
    seconds: float = 60.0,
) -> RewardModel:
    """A verifier that asks a reward model behind HTTP.

    Servers return probabilities from "classify", "score", "rerank", "predict" and "tei_rerank"
    unless they are started otherwise, so those are taken as they are; "pooling" returns the raw
    reward, of any size, and goes through the logistic function. Both maps are monotone, so that
    the order of the answers is the reward model's.

    Args:
        url: the whole address, such as "http://localhost:8000/classify".
        api: how the server is called: "classify", "pooling", "score" or "rerank" of vLLM,
            "predict" or "tei_rerank" of Text-Embeddings-Inference; None: the last part of the
            url's path.
        model: its name, where the server wants one.
        api_key: sent as a bearer token.
        template: a text with {question} and {answer}, sent instead of chat turns or a pair;
            for "classify", "pooling" and "predict".
        label: which class counts, where the model has several: its place from 0, or for
            "predict" its name.
        to_score: from the reward to a score in [0, 1]: "identity", "sigmoid", or a function,
            which should be monotone.
        pass_at: the score from which on an answer has passed; None: it only scores.
        seconds: the most that one attempt may take.

    Raises:
        ValueError: for a bad argument, in one line.
        ImportError: when httpx is not installed.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"url must be such as http://localhost:8000/classify, got {url!r}")
    named = api if api is not None else parts.path.rstrip("/").rpartition("/")[2]
    if named not in API_NAMES:
        where = "api" if api is not None else "the url's path, or api,"
        raise ValueError(f"{where} must be one of {', '.join(API_NAMES)}, got {named!r}")
    if to_score is not None and not callable(to_score) and to_score not in ("identity", "sigmoid"):
        raise ValueError(f'to_score must be "identity", "sigmoid" or a function, got {to_score!r}')
    if pass_at is not None and not 0 <= pass_at <= 1:
        raise ValueError(f"pass_at must be between 0 and 1, got {pass_at}")
    if not seconds > 0:
        raise ValueError(f"seconds must be positive, got {seconds}")
    if template is not None:
        _check_template(template, named)
    if importlib.util.find_spec("httpx") is None:
        raise ImportError("reward_model needs another package: pip install httpx")
    default: ToScore = "sigmoid" if named == "pooling" else "identity"
    return RewardModel(
        url=url,
        api=named,
        model=model,
        api_key=api_key,
        template=template,
        label=label,
        to_score=to_score or default,
        pass_at=pass_at,
        seconds=seconds,
    )


def sigmoid(reward: float) -> float:
    """The logistic function, which turns log-odds into a probability.

    >>> sigmoid(0.0), sigmoid(-1000.0), sigmoid(1000.0)
    (0.5, 0.0, 1.0)
    """
    if reward >= 0:
        return 1 / (1 + math.exp(-reward))
    odds = math.exp(reward)
    return odds / (1 + odds)


def _check_template(template: str, api: str) -> None:
    if api not in ("classify", "pooling", "predict"):
        raise ValueError(f"template is for classify, pooling and predict, got api={api!r}")
    try:
        wanted = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
    except ValueError as error:
        raise ValueError(f"template is no format string: {error}") from None
    if wanted - {"question", "answer"} or "answer" not in wanted:
        told = ", ".join(f"{{{name}}}" for name in sorted(wanted)) or "none"
        raise ValueError(f"template must have {{answer}}, and may have {{question}}, got {told}")
