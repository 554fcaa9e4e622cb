"""A model server that misbehaves on request: OpenAI's chat completions, and a ledger of them.

    with FakeServer(Behaviour(latency=0.05, faults={"429": 0.1})) as server:
        model = ChatOpenAI(model="fake", base_url=server.url, api_key="none")
        ...
        server.ledger().requests[0].billed_tokens

`POST /v1/chat/completions` and `GET /v1/models` are what clients call; `GET /ledger` and
`POST /reset` (its body, if any, is the new behaviour) are for tests. One request can differ from
the rest by the header `X-Behaviour`, a JSON object of the fields that it overrides; with
`ChatOpenAI` that is `ainvoke(..., extra_headers=behave(latency=1))`.
"""

from tests.fake_server.behaviour import Behaviour, behave, count_prompt_tokens, count_tokens
from tests.fake_server.logprobs import UNLIKELY_LOGPROB, UNSURE_LOGPROB
from tests.fake_server.running import FakeServer

__all__ = [
    "UNLIKELY_LOGPROB",
    "UNSURE_LOGPROB",
    "Behaviour",
    "FakeServer",
    "behave",
    "count_prompt_tokens",
    "count_tokens",
]
