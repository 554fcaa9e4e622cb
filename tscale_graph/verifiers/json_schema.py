"""Answers that must be JSON of a given shape."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, cast

from pydantic import BaseModel, TypeAdapter, ValidationError

from tscale_graph.answers.structured import Json
from tscale_graph.candidates import Verdict

_ERRORS_TOLD = 3


@dataclass(frozen=True, slots=True)
class ModelShape:
    """Checks that an answer is JSON that a pydantic model accepts."""

    model: type[BaseModel]
    answer_kind: str = "json"

    def __call__(self, question: str, answer: str) -> Verdict:
        """What is wrong with the JSON, by its path."""
        found = Json().extract(answer)
        if found is None:
            return Verdict(score=0, passed=False, feedback="no JSON in the answer")
        try:
            TypeAdapter(self.model).validate_json(found)
        except ValidationError as error:
            told = [f"{_path(e['loc'])}: {e['msg']}" for e in error.errors()[:_ERRORS_TOLD]]
            return Verdict(score=0, passed=False, feedback="; ".join(told))
        return Verdict(score=1, passed=True)


@dataclass(frozen=True, slots=True)
class SchemaShape:
    """Checks that an answer is JSON that a JSON schema accepts."""

    schema_text: str
    answer_kind: str = "json"

    def __call__(self, question: str, answer: str) -> Verdict:
        """What is wrong with the JSON, by its path."""
        found = Json().extract(answer)
        if found is None:
            return Verdict(score=0, passed=False, feedback="no JSON in the answer")
        validator = _validator(json.loads(self.schema_text))
        told = [
            f"{_path(tuple(error.absolute_path))}: {error.message}"
            for error in sorted(validator.iter_errors(json.loads(found)), key=str)[:_ERRORS_TOLD]
        ]
        return Verdict(score=0 if told else 1, passed=not told, feedback="; ".join(told))


def json_schema(schema: type[BaseModel] | dict[str, Any]) -> ModelShape | SchemaShape:
    """A verifier of JSON answers.

    Args:
        schema: a pydantic model, or a JSON schema as a dict (needs the extra `schema`).

    Raises:
        ValueError: when it is neither, or no valid schema.
        ImportError: for a dict where jsonschema is not installed.
    """
    if isinstance(schema, type) and issubclass(schema, BaseModel):
        return ModelShape(schema)
    if not isinstance(schema, dict):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValueError(f"schema must be a pydantic model or a dict, got {type(schema).__name__}")
    _validator(schema)
    return SchemaShape(json.dumps(schema))


def _validator(schema: dict[str, Any]) -> Any:
    try:
        from jsonschema import SchemaError
        from jsonschema.validators import validator_for
    except ImportError:
        raise ImportError(
            "a JSON schema needs jsonschema: pip install 'tscale-graph[schema]'"
        ) from None
    validator = cast(Any, validator_for(schema))
    try:
        validator.check_schema(schema)
    except SchemaError as error:
        raise ValueError(f"not a valid JSON schema: {error.message}") from None
    return validator(schema)


def _path(where: tuple[Any, ...]) -> str:
    return ".".join(str(part) for part in where) or "the whole"
