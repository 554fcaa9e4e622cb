"""What tokens cost."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_PICO = 1_000_000
"""Pico-dollars per token for one dollar per million tokens."""
_PICO_PER_NANO = 1_000


def _on_grid(usd: float) -> float:
    return round(usd * _PICO) / _PICO


_PerMillion = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False), AfterValidator(_on_grid)]


class Price(BaseModel):
    """Dollars per million tokens, for prompt and completion, to 1e-6.

    >>> Price(input=0.25, output=2.0).cost(input_tokens=1_000_000, output_tokens=500_000)
    1.25
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: _PerMillion
    output: _PerMillion

    def cost(self, *, input_tokens: int, output_tokens: int) -> float:
        """Dollars for one call, rounded up to 1e-9."""
        picos = input_tokens * round(self.input * _PICO) + output_tokens * round(
            self.output * _PICO
        )
        return -(-picos // _PICO_PER_NANO) / 1e9

    def affordable_output_tokens(self, usd: float, *, input_tokens: int) -> int | None:
        """How many output tokens `usd` still buys after the prompt; None when they are free.

        Args:
            usd: dollars, on a grid of 1e-9.
            input_tokens: the prompt, paid for first.
        """
        each = round(self.output * _PICO)
        if each == 0:
            return None
        left = round(usd * 1e9) * _PICO_PER_NANO - input_tokens * round(self.input * _PICO)
        return max(0, left // each)
