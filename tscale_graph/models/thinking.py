"""Whether a chat model thinks natively, and how it is told to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

from langchain_core.language_models import BaseChatModel

from tscale_graph.models.thinking_options import (
    COMMON_LEVELS,
    SERVERS,
    AnthropicBudget,
    AnthropicEffort,
    GoogleBudget,
    GoogleLevel,
    OllamaSwitch,
    OpenAIEffort,
    ServerBudget,
)

THINKS_KEY = "thinks_natively"
"""Where a chat model's `metadata` says whether it thinks, or which server makes it."""


class NativeThinking(Protocol):
    """One way to tell a provider to think."""

    @property
    def least(self) -> int:
        """The fewest tokens that it can be told to think for."""
        ...

    @property
    def unstoppable(self) -> int:
        """The most tokens that it thinks for although told not to, as a rule; 0 for none."""
        ...

    @property
    def replaces(self) -> frozenset[str]:
        """Arguments that users may have bound to the model, and that this decides."""
        ...

    def fields(self, model: BaseChatModel, bound: Mapping[str, Any], tokens: int) -> dict[str, Any]:
        """The fields of a copy of the model that thinks for so many tokens.

        With a "temperature" of None where the provider takes none beside that.

        Args:
            model: the user's model.
            bound: arguments that the user bound to it.
            tokens: the most tokens of thought; 0 for as little as the model can be told.
        """
        ...

    def remark(self, tokens: int) -> str:
        """What users should know of so many tokens; "" for nothing."""
        ...


def native_thinking(
    model: BaseChatModel, family: str, *, name: str, at_vendor: bool
) -> NativeThinking | None:
    """How a chat model is told to think; None where it is not known to.

    Its profile says whether it does; `metadata["thinks_natively"]` says so of others, and names the
    server of one that is served elsewhere. A class may say itself how: `native_thinking`.

    Args:
        model: the chat model.
        family: whose conventions it follows.
        name: the provider's name for the model.
        at_vendor: it is served at the vendor's own address.

    Raises:
        ValueError: when the metadata says something else than that.
    """
    own: NativeThinking | None = getattr(model, "native_thinking", None)
    if own is not None:
        return own
    told: Any = (model.metadata or {}).get(THINKS_KEY)
    if told in SERVERS and family == "openai":
        return ServerBudget(told)
    if told is not None and not isinstance(told, bool):
        known = ", ".join(SERVERS)
        raise ValueError(f'metadata["{THINKS_KEY}"] must be True, False or {known}, got {told!r}')
    profile = cast(Mapping[str, Any], model.profile or {})
    levels = tuple(cast(Sequence[str], profile.get("reasoning_effort_levels") or ()))
    known = at_vendor and (profile.get("reasoning_output") is True or bool(levels))
    if not (known or family == "ollama" if told is None else told):
        return None
    if family == "anthropic":
        return _anthropic(name, levels, profile)
    if family == "openai":
        return OpenAIEffort(levels or COMMON_LEVELS)
    if family == "google":
        return _google(name.removeprefix("models/"), levels)
    if family == "ollama":
        return OllamaSwitch(COMMON_LEVELS if "gpt-oss" in name else ())
    return None


def _anthropic(name: str, levels: tuple[str, ...], profile: Mapping[str, Any]) -> NativeThinking:
    """Claude thinks adaptively from 4.6 on, and has its thoughts hidden by default from 4.7 on."""
    hides = "xhigh" in levels or profile.get("temperature") is False
    if not hides and "max" not in levels:
        return AnthropicBudget()
    can_stop = not name.startswith(_ALWAYS_THINKING)
    return AnthropicEffort(levels, hides=hides, can_stop=can_stop)


_ALWAYS_THINKING = (
    "claude-fable-5",
    "claude-mythos-5",
    "claude-opus-5-5",
    "claude-sonnet-5-5",
    "claude-haiku-5-5",
)
"""Claude models that refuse `thinking={"type": "disabled"}`."""


def _google(name: str, levels: tuple[str, ...]) -> NativeThinking:
    ranges = (
        ("gemini-2.5-flash-lite", GoogleBudget(512, 24_576, can_stop=True)),
        ("gemini-2.5-flash", GoogleBudget(1, 24_576, can_stop=True)),
        ("gemini-2.5", GoogleBudget(128, 32_768, can_stop=False)),
    )
    budget = next((budget for start, budget in ranges if name.startswith(start)), None)
    return budget or GoogleLevel(levels or ("low", "high"))
