"""Log-probabilities of the tokens of a given solution, from servers that tell those of prompts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tscale_graph.verifiers.process.logprobs import Token
from tscale_graph.verifiers.rewards.posting import PostingError, post_json


class LogprobsError(RuntimeError):
    """A server told no log-probabilities; the message is one line on why."""


@dataclass(frozen=True, slots=True)
class PromptLogprobs:
    """From vLLM's chat completions, which put the question and the solution into the template.

    `prompt_logprobs: 0` asks for that of each token of the prompt itself, and of no other.

    Attributes:
        url: such as "http://localhost:8000/v1".
        model: the policy model's name there.
        api_key: sent as a bearer token.
        system: what stood before the question when the solution was written, if anything.
        seconds: the most that one attempt may take.
    """

    url: str
    model: str
    api_key: str | None = field(default=None, repr=False)
    system: str | None = None
    seconds: float = 60.0

    def __call__(self, question: str, solution: str) -> list[Token]:
        """All tokens of the prompt that the solution ends; the first has no log-probability.

        Raises:
            LogprobsError: when the server does not tell them.
        """
        turns = [("user", question), ("assistant", solution)]
        if self.system is not None:
            turns.insert(0, ("system", self.system))
        body = {
            "model": self.model,
            "messages": [{"role": role, "content": content} for role, content in turns],
            "add_generation_prompt": False,
            "continue_final_message": True,
            "max_tokens": 1,
            "temperature": 0,
            "prompt_logprobs": 0,
        }
        url = f"{self.url.rstrip('/')}/chat/completions"
        reply = _reply(url, body, self.api_key, self.seconds)
        try:
            told = reply["prompt_logprobs"]
            entries: list[Any] = [next(iter(one.values())) if one else None for one in told]
            return [
                (str(one["decoded_token"] or ""), float(one["logprob"])) if one else ("", None)
                for one in entries
            ]
        except (TypeError, KeyError, AttributeError, StopIteration, ValueError):
            raise LogprobsError(f"{url} tells no prompt_logprobs: {_short(reply)}") from None


@dataclass(frozen=True, slots=True)
class EchoedLogprobs:
    """From completions that repeat their prompt: OpenAI's old API, as many servers speak it.

    One token more than the prompt is generated, since not all servers take none; it is left out.

    Attributes:
        url: such as "http://localhost:8000/v1".
        model: the policy model's name there.
        prompt: from the question to all that stood before the solution, in the chat template of
            the policy: the API has none of its own.
        api_key: sent as a bearer token.
        seconds: the most that one attempt may take.
    """

    url: str
    model: str
    prompt: Callable[[str], str]
    api_key: str | None = field(default=None, repr=False)
    seconds: float = 60.0

    def __call__(self, question: str, solution: str) -> list[Token]:
        """All tokens of the prompt that the solution ends; the first has no log-probability.

        Raises:
            LogprobsError: when the server does not tell them.
        """
        body = {
            "model": self.model,
            "prompt": self.prompt(question) + solution,
            "echo": True,
            "max_tokens": 1,
            "temperature": 0,
            "logprobs": 1,
        }
        url = f"{self.url.rstrip('/')}/completions"
        reply = _reply(url, body, self.api_key, self.seconds)
        try:
            told = reply["choices"][0]["logprobs"]
            tokens = list(zip(told["tokens"], told["token_logprobs"], strict=True))
            usage: dict[str, Any] = reply.get("usage") or {}
            generated = int(usage.get("completion_tokens", 1))
            if len(tokens) <= generated:
                raise ValueError("only what was generated")
            return [
                (str(token), None if logprob is None else float(logprob))
                for token, logprob in tokens[: len(tokens) - generated]
            ]
        except (TypeError, KeyError, IndexError, AttributeError, ValueError):
            raise LogprobsError(f"{url} does not echo logprobs: {_short(reply)}") from None


def _reply(url: str, body: Mapping[str, Any], api_key: str | None, seconds: float) -> Any:
    """The server's JSON, whether or not an event loop runs in this thread."""
    headers = {"authorization": f"Bearer {api_key}"} if api_key else {}

    def ask() -> Any:
        return asyncio.run(post_json(url, body, headers=headers, seconds=seconds))

    try:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(ask).result()
    except PostingError as error:
        raise LogprobsError(f"{url}: {error}") from None


def _short(reply: Any) -> str:
    return repr(reply)[:120]
