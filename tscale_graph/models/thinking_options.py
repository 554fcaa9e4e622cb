"""The parameters by which each provider is told to think: a budget, a level or a switch.

Names and ranges are those of the integration classes of LangChain and of the servers' own
documentation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from langchain_core.language_models import BaseChatModel

Server = Literal["vllm", "llama.cpp", "sglang"]
SERVERS: tuple[Server, ...] = ("vllm", "llama.cpp", "sglang")

_USUAL_TOKENS = {
    "minimal": 1,
    "low": 1_024,
    "medium": 4_096,
    "high": 16_384,
    "xhigh": 32_768,
    "max": 65_536,
}
"""What a thought at a level of effort usually takes, for a choice between them: our estimate."""
COMMON_LEVELS = ("low", "medium", "high")
"""Levels that every model with effort knows, as a rule."""


def level_of(tokens: int, levels: Sequence[str]) -> str:
    """The highest level of effort whose usual thought is no longer; the lowest for fewer tokens.

    >>> level_of(5_000, ["none", "minimal", "low", "medium", "high"])
    'medium'
    """
    known = [level for level in _USUAL_TOKENS if level in levels] or list(levels)
    fitting = [level for level in known if _USUAL_TOKENS.get(level, 1) <= tokens]
    return (fitting or known[:1])[-1]


def _lowest(levels: Sequence[str]) -> str:
    return "none" if "none" in levels else level_of(0, levels)


_SHORTEST_TOKENS = {"none": 0, "minimal": 128}
"""What a thought at the lowest levels takes at most, as a rule: our estimate."""


def _unstoppable(levels: Sequence[str]) -> int:
    """The tokens to set aside for a thought at the lowest level that there is."""
    lowest = _lowest(levels or COMMON_LEVELS)
    return _SHORTEST_TOKENS.get(lowest, _USUAL_TOKENS.get(lowest, _USUAL_TOKENS["low"]))


@dataclass(frozen=True, slots=True)
class AnthropicBudget:
    """`thinking={"type": "enabled", "budget_tokens": …}`: Claude up to 4.5, from 1,024 tokens."""

    least: int = 1_024
    replaces: frozenset[str] = frozenset({"thinking", "reasoning_effort", "effort"})

    @property
    def unstoppable(self) -> int:
        """None: it thinks only when it is told to."""
        return 0

    def fields(self, model: BaseChatModel, bound: Mapping[str, Any], tokens: int) -> dict[str, Any]:
        """The budget; 0 turns thinking off, as it is by default."""
        if not tokens:
            return {"thinking": None, "reasoning_effort": None}
        budget = {"type": "enabled", "budget_tokens": tokens}
        return {"thinking": budget, "reasoning_effort": None, "temperature": None}

    def remark(self, tokens: int) -> str:
        """Nothing: it is told in tokens."""
        return ""


@dataclass(frozen=True, slots=True)
class AnthropicEffort:
    """Adaptive thinking with `output_config.effort`: Claude from 4.6 on.

    Attributes:
        levels: of effort, where the model has them.
        hides: it sends no thought unless it is told to send a summary.
        can_stop: it takes `thinking={"type": "disabled"}`.
    """

    levels: tuple[str, ...]
    hides: bool
    can_stop: bool
    least: int = 1
    replaces: frozenset[str] = frozenset({"thinking", "reasoning_effort", "effort"})

    @property
    def unstoppable(self) -> int:
        """Those of the lowest level, of a model that does not stop."""
        return 0 if self.can_stop else _unstoppable(self.levels)

    def fields(self, model: BaseChatModel, bound: Mapping[str, Any], tokens: int) -> dict[str, Any]:
        """The level for so many tokens; 0 turns thinking off, or to the lowest level."""
        if not tokens and self.can_stop:
            return {"thinking": {"type": "disabled"}, "reasoning_effort": None}
        adaptive = {"type": "adaptive", **({"display": "summarized"} if self.hides else {})}
        level = level_of(tokens, self.levels) if self.levels else None
        return {"thinking": adaptive, "reasoning_effort": level, "temperature": None}

    def remark(self, tokens: int) -> str:
        """Which level stands for so many tokens."""
        return _stands_for(tokens, self.levels)


@dataclass(frozen=True, slots=True)
class OpenAIEffort:
    """`reasoning_effort` of Chat Completions, `reasoning.effort` of the Responses API.

    Attributes:
        levels: of effort.
    """

    levels: tuple[str, ...]
    least: int = 1
    replaces: frozenset[str] = frozenset({"reasoning", "reasoning_effort"})

    @property
    def unstoppable(self) -> int:
        """Those of the lowest level; none where that is "none"."""
        return _unstoppable(self.levels)

    def fields(self, model: BaseChatModel, bound: Mapping[str, Any], tokens: int) -> dict[str, Any]:
        """The level for so many tokens, beside what else the user says of `reasoning`."""
        level = level_of(tokens, self.levels) if tokens else _lowest(self.levels)
        cold: dict[str, Any] = {} if level == "none" else {"temperature": None}
        own = bound.get("reasoning") or getattr(model, "reasoning", None)
        if own is None:  # LangChain renames it for the Responses API
            return {"reasoning_effort": level, **cold}
        reasoning = {**cast(dict[str, Any], own), "effort": level}
        return {"reasoning": reasoning, "reasoning_effort": None, **cold}

    def remark(self, tokens: int) -> str:
        """Which level stands for so many tokens."""
        return _stands_for(tokens, self.levels)


@dataclass(frozen=True, slots=True)
class GoogleBudget:
    """`thinking_budget`: Gemini 2.5, in the range of the model.

    Attributes:
        least: the fewest tokens.
        most: the most tokens.
        can_stop: it takes 0.
    """

    least: int
    most: int
    can_stop: bool
    replaces: frozenset[str] = frozenset(
        {"thinking_budget", "thinking_level", "reasoning_effort", "include_thoughts"}
        | {"thinking_config"}
    )

    @property
    def unstoppable(self) -> int:
        """The least, of a model that does not take 0."""
        return 0 if self.can_stop else self.least

    def fields(self, model: BaseChatModel, bound: Mapping[str, Any], tokens: int) -> dict[str, Any]:
        """The budget, within the model's range; thoughts are included in the reply."""
        off = 0 if self.can_stop else self.least
        return {
            "thinking_budget": max(self.least, min(tokens, self.most)) if tokens else off,
            "include_thoughts": True if tokens else None,
            "reasoning_effort": None,
            "thinking_config": None,
        }

    def remark(self, tokens: int) -> str:
        """That the model thinks for less, where it does."""
        return f"the model thinks for at most {self.most} tokens" if tokens > self.most else ""


@dataclass(frozen=True, slots=True)
class GoogleLevel:
    """`thinking_level`: Gemini from 3 on.

    Attributes:
        levels: of effort.
    """

    levels: tuple[str, ...]
    least: int = 1
    replaces: frozenset[str] = frozenset(
        {"thinking_budget", "thinking_level", "reasoning_effort", "include_thoughts"}
        | {"thinking_config"}
    )

    @property
    def unstoppable(self) -> int:
        """Those of the lowest level."""
        return _unstoppable(self.levels)

    def fields(self, model: BaseChatModel, bound: Mapping[str, Any], tokens: int) -> dict[str, Any]:
        """The level for so many tokens; thoughts are included in the reply."""
        return {
            "reasoning_effort": level_of(tokens, self.levels),
            "include_thoughts": True if tokens else None,
            "thinking_budget": None,
            "thinking_config": None,
        }

    def remark(self, tokens: int) -> str:
        """Which level stands for so many tokens."""
        return _stands_for(tokens, self.levels)


@dataclass(frozen=True, slots=True)
class OllamaSwitch:
    """`reasoning`, which Ollama's API calls `think`: on or off, or a level for gpt-oss.

    Attributes:
        levels: of effort; none for a model that is only switched on and off.
    """

    levels: tuple[str, ...]
    least: int = 1
    replaces: frozenset[str] = frozenset({"reasoning"})

    @property
    def unstoppable(self) -> int:
        """None, but for a model that only takes levels."""
        return _unstoppable(self.levels) if self.levels else 0

    def fields(self, model: BaseChatModel, bound: Mapping[str, Any], tokens: int) -> dict[str, Any]:
        """The switch, or the level for so many tokens."""
        return {"reasoning": level_of(tokens, self.levels) if self.levels else bool(tokens)}

    def remark(self, tokens: int) -> str:
        """Which level stands for so many tokens, or that none does."""
        told = "Ollama takes no number of thinking tokens"
        return _stands_for(tokens, self.levels) if self.levels else told


@dataclass(frozen=True, slots=True)
class ServerBudget:
    """Switches of the chat template and a budget, in the `extra_body` of a request.

    vLLM's `thinking_token_budget`, llama.cpp's `thinking_budget_tokens`, and SGLang's
    `custom_params`, which it enforces when started with `--enable-strict-thinking`.

    Attributes:
        server: which of them.
    """

    server: Server
    least: int = 1
    replaces: frozenset[str] = frozenset({"extra_body"})

    @property
    def unstoppable(self) -> int:
        """None: it is switched off."""
        return 0

    def fields(self, model: BaseChatModel, bound: Mapping[str, Any], tokens: int) -> dict[str, Any]:
        """The switches and the budget, beside what else the user has in `extra_body`."""
        own: Any = bound.get("extra_body") or getattr(model, "extra_body", None)
        body: dict[str, Any] = dict(own or {})
        switches = dict(body.get("chat_template_kwargs") or {})
        names = ("enable_thinking",) if self.server == "llama.cpp" else _SWITCHES
        body["chat_template_kwargs"] = {**switches, **dict.fromkeys(names, bool(tokens))}
        if self.server == "sglang":
            body["separate_reasoning"] = True
            body["custom_params"] = {**(body.get("custom_params") or {}), "thinking_budget": tokens}
        elif self.server == "llama.cpp":
            body["thinking_budget_tokens"] = tokens
        else:  # which a vLLM that was started without a reasoning configuration refuses
            body |= {"thinking_token_budget": tokens} if tokens else {}
        return {"extra_body": body}

    def remark(self, tokens: int) -> str:
        """Nothing: it is told in tokens."""
        return ""


_SWITCHES = ("enable_thinking", "thinking")
"""What chat templates call it: the first of Qwen3 and GLM, the second of Granite and DeepSeek."""


def _stands_for(tokens: int, levels: Sequence[str]) -> str:
    if not levels:
        return "the model decides by itself how long it thinks"
    return f'effort "{level_of(tokens, levels)}" stands for {tokens} thinking tokens'
