"""LangChain's own suites for chat models, on a scripted model that calls tools.

What the suites need of a provider is what the scripted model does; what they say of
`ScaledChatModel` is that all of it gets through a technique unharmed.
"""

from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from tests.tool_caller import ToolCaller
from tscale_graph import Budget, Policy, ScaledChatModel, best_of_n, self_consistency

BUDGET = Budget(tokens=200_000, seconds=60)


def voted():
    return {"technique": self_consistency(ToolCaller(), max_samples=3, stop="fixed")}


def scored():
    return {"technique": best_of_n(ToolCaller(), lambda question, answer: 0.5, n=3)}


def routed():
    return {"technique": Policy.default(), "model": ToolCaller()}


class Asked:
    """What both suites are told."""

    made = staticmethod(voted)

    @property
    def chat_model_class(self):
        return ScaledChatModel

    @property
    def chat_model_params(self):
        return {**self.made(), "budget": BUDGET}

    @property
    def standard_chat_model_params(self):
        # A temperature, a timeout, retries and a key are those of the models that are asked: the
        # technique and its models are made with them.
        return {"max_tokens": 100, "stop": ["##"]}

    @property
    def supports_anthropic_inputs(self):
        return True


class TestUnits(Asked, ChatModelUnitTests):
    pass


class TestIntegration(Asked, ChatModelIntegrationTests):
    pass


class TestIntegrationScored(Asked, ChatModelIntegrationTests):
    made = staticmethod(scored)


class TestIntegrationRouted(Asked, ChatModelIntegrationTests):
    made = staticmethod(routed)
