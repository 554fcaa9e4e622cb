"""What tokens cost."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

_PerMillion = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_NANO_PER_MILLIONTH = 1_000
"""Nano-dollars per token for one dollar per million tokens."""


class Price(BaseModel):
    """Dollars per million tokens, for prompt and completion.

    >>> Price(input=0.25, output=2.0).cost(input_tokens=1_000_000, output_tokens=500_000)
    1.25
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: _PerMillion
    output: _PerMillion

    def cost(self, *, input_tokens: int, output_tokens: int) -> float:
        """Dollars for one call, rounded up to 1e-9."""
        nanos = (input_tokens * self.input + output_tokens * self.output) * _NANO_PER_MILLIONTH
        return math.ceil(round(nanos, 3)) / 1e9

    def affordable_output_tokens(self, usd: float, *, input_tokens: int) -> int | None:
        """How many output tokens `usd` still buys after the prompt; None when they are free."""
        if self.output == 0:
            return None
        left = usd * 1e9 - input_tokens * self.input * _NANO_PER_MILLIONTH
        return max(0, math.floor(round(left, 3) / (self.output * _NANO_PER_MILLIONTH)))
