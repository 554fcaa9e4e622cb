"""Holding a model to a form, in the way that its provider offers.

Each class is asked how it binds a schema (`with_structured_output`), so its own names are used.
Classes that are not known get none: they are told in words, because what they write into tool
calls could not be counted as it comes.
"""

from __future__ import annotations

import json
import warnings
from copy import deepcopy
from dataclasses import replace
from typing import Any, Literal, cast

from langchain_core.runnables import RunnableBinding

from tscale_graph.models.endpoint import Endpoint
from tscale_graph.verifiers.judges.forms import Form, whole_schema

_TOOL_PROMPT_BOUND = 600
"""More tokens than any provider's own words about tools."""

_REASON_AT_MOST = 160
"""Characters."""

_IN_THE_GRAMMAR_ONLY = {"EmbeddedChatModel", "ChatOllama"}
"""Classes whose servers constrain what is written and add nothing to the prompt."""


def held_to(endpoint: Endpoint, form: Form[Any]) -> Endpoint | None:
    """The endpoint with a form bound to it, or None where its class offers nothing."""
    if endpoint.family == "other":
        return None
    method: Literal["function_calling", "json_schema"] = (
        "function_calling" if endpoint.family == "anthropic" else "json_schema"
    )
    arguments = {"strict": True} if endpoint.family == "openai" else {}
    # Integrations write into the schema that they are given, and warn where a model falls back
    # to another method, which serves as well.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made: Any = endpoint.model.with_structured_output(
            _schema(endpoint, form), method=method, **arguments
        )
    first = getattr(made, "first", None)
    if not isinstance(first, RunnableBinding):
        return None
    bound = cast(dict[str, Any], first.kwargs)
    options = {name: bound[name] for name in bound if name != "ls_structured_output_format"}
    if endpoint.family == "openai" and not endpoint.uses_responses_api:
        options = _past_the_parser(endpoint, options)
    counter = endpoint.counter.with_added(_added_to_the_prompt(endpoint, options))
    return replace(endpoint, bound={**endpoint.bound, **options}, counter=counter)


def _schema(endpoint: Endpoint, form: Form[Any]) -> dict[str, Any]:
    schema = deepcopy(whole_schema(form))
    if type(endpoint.model).__name__ in _IN_THE_GRAMMAR_ONLY:
        # Small models ramble, and would never come to the judgement. Other servers may refuse
        # a schema with lengths.
        schema["properties"]["reason"]["maxLength"] = _REASON_AT_MOST
        asked = schema["properties"][form.field]
        if asked.get("type") == "array":
            asked |= {"minItems": 1, "maxItems": asked["items"]["maximum"]}
    return schema


def _past_the_parser(endpoint: Endpoint, options: dict[str, Any]) -> dict[str, Any]:
    """The same request, without the SDK's own reading of the reply.

    That raises when a reply was cut short, and the usage of the call is lost with it.
    """
    if "response_format" not in options:
        return options
    rest = {name: options[name] for name in options if name != "response_format"}
    own: dict[str, Any] = getattr(endpoint.model, "extra_body", None) or {}
    also: dict[str, Any] = endpoint.bound.get("extra_body") or {}
    return {**rest, "extra_body": {**own, **also, "response_format": options["response_format"]}}


def _added_to_the_prompt(endpoint: Endpoint, options: dict[str, Any]) -> int:
    """A bound on the tokens that the schema adds to the prompt."""
    if type(endpoint.model).__name__ in _IN_THE_GRAMMAR_ONLY:
        return 0
    own_words = _TOOL_PROMPT_BOUND if "tools" in options else 0
    return len(json.dumps(options, default=str).encode()) + own_words
