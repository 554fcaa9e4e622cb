"""A reward model on a server, as a verifier."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import urlsplit

from tscale_graph.candidates import Verdict
from tscale_graph.verifiers.rewards.apis import (
    API_NAMES,
    Api,
    Pair,
    read_reward,
    request_body,
)
from tscale_graph.verifiers.rewards.asking import (
    ToScore,
    as_score,
    ask_server,
    check_server,
    check_template,
    check_to_score,
)


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

    @property
    def only_scores(self) -> bool:
        """It passes no answer."""
        return self.pass_at is None

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
        score, usage = await ask_server(
            self.url,
            request_body(self.api, pair),
            self._score,
            what="the reward model",
            api_key=self.api_key,
            seconds=self.seconds,
            deadline=deadline,
        )
        return Verdict(
            score=score,
            passed=None if self.pass_at is None else score >= self.pass_at,
            usage=usage,
        )

    def _score(self, reply: Any) -> float:
        return as_score(read_reward(self.api, reply, label=self.label), self.to_score)


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
    check_server(url, seconds=seconds, example="/classify", wanted_by="reward_model")
    named = api if api is not None else urlsplit(url).path.rstrip("/").rpartition("/")[2]
    if named not in API_NAMES:
        where = "api" if api is not None else "the url's path, or api,"
        raise ValueError(f"{where} must be one of {', '.join(API_NAMES)}, got {named!r}")
    check_to_score(to_score)
    if pass_at is not None and not 0 <= pass_at <= 1:
        raise ValueError(f"pass_at must be between 0 and 1, got {pass_at}")
    if template is not None:
        if named not in ("classify", "pooling", "predict"):
            raise ValueError(f"template is for classify, pooling and predict, got api={named!r}")
        check_template(template, answer="answer")
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
