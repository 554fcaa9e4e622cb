"""Thoughts in the replies of servers that speak OpenAI's protocol.

vLLM, llama.cpp and SGLang send what a model thought beside the answer, as `reasoning` or
`reasoning_content`, and LangChain's `ChatOpenAI` leaves it out. Here it is put where
LangChain's messages have it: `additional_kwargs["reasoning_content"]`, of which
`content_blocks` makes a reasoning block.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage

_Model = TypeVar("_Model", bound=BaseChatModel)


def with_thoughts(model: _Model) -> _Model:
    """A copy of a `ChatOpenAI` whose messages have the thoughts of its server's replies."""
    copy = model.model_copy()
    object.__setattr__(copy, "__class__", _hearing(type(model)))
    return copy


@cache
def _hearing(cls: type[Any]) -> type[Any]:
    """A subclass that goes by the same name."""
    make = cast(Any, type(cls))
    return make(cls.__name__, (_Hearing, cls), {"__module__": cls.__module__})


class _Hearing:
    """Reads replies as the class beside it does, and the thoughts in them as well."""

    def _create_chat_result(self, response: Any, generation_info: Any = None) -> Any:
        read = cast(Any, super())._create_chat_result(response, generation_info)
        for generation, choice in zip(read.generations, _choices(response), strict=True):
            _add_thought(generation.message, choice["message"])
        return read

    def _convert_chunk_to_generation_chunk(self, chunk: dict[str, Any], *more: Any) -> Any:
        read = cast(Any, super())._convert_chunk_to_generation_chunk(chunk, *more)
        choices = chunk.get("choices") or ()
        if read is not None and choices:
            _add_thought(read.message, choices[0].get("delta") or {})
        return read


def _choices(response: Any) -> list[dict[str, Any]]:
    plain = cast(
        Any, response if isinstance(response, dict) else response.model_dump(warnings=False)
    )
    return plain["choices"]


def _add_thought(message: BaseMessage, told: Mapping[str, Any]) -> None:
    thought = told.get("reasoning_content") or told.get("reasoning")
    if isinstance(thought, str) and thought:
        message.additional_kwargs["reasoning_content"] = thought
