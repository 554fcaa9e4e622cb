"""Models and verifiers of which nothing is known but their names: to draw and to check with."""

from __future__ import annotations

from typing import Any, ClassVar

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult

from tscale_graph.models.thinking import NativeThinking
from tscale_graph.models.thinking_options import OllamaSwitch
from tscale_graph.verifiers import Verifier

_ONLY_A_NAME = "{} is only a name here, to draw or to check with: it cannot be asked"
_JUDGES = ("judge", "step_judge", "pairwise", "listwise")


class NamedModel(BaseChatModel):
    """A chat model that cannot be asked. It passes for one that thinks, as any might."""

    native_thinking: ClassVar[NativeThinking] = OllamaSwitch(())

    name: str | None = None

    @property
    def _llm_type(self) -> str:
        return "named"

    @property
    def model_name(self) -> str:
        """What it is called in a drawing."""
        return self.name or ""

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        raise RuntimeError(_ONLY_A_NAME.format(self.name))


def unloaded_verifier(name: str) -> Verifier:
    """A verifier that cannot be asked."""

    def verifier(question: str, answer: str) -> bool:
        raise RuntimeError(_ONLY_A_NAME.format(name))

    verifier.__name__ = name
    return verifier


def judge_by_name(name: str) -> Any:
    """A judge of a model that cannot be asked, by the name of a verifier; None for no judge."""
    kind, _, asked = name.partition(":")
    if kind not in _JUDGES:
        return None
    from tscale_graph.verifiers import judges  # only where one is wanted: it takes a while

    build = {"pairwise": judges.pairwise_judge, "listwise": judges.listwise_judge}
    return {"judge": judges.judge, "step_judge": judges.step_judge, **build}[kind](
        NamedModel(name=asked or "local")
    )
