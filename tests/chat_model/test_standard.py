"""LangChain's standard suites for chat models, on a scripted model that calls tools."""

from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from tests.tool_caller import ToolCaller
from tscale_graph import Budget, ScaledChatModel, self_consistency


def given():
    technique = self_consistency(ToolCaller(), max_samples=3)
    return {"technique": technique, "budget": Budget(tokens=100_000)}


class TestUnit(ChatModelUnitTests):
    supports_model_override = False  # the models are the technique's

    @property
    def chat_model_class(self):
        return ScaledChatModel

    @property
    def chat_model_params(self):
        return given()


class TestIntegration(ChatModelIntegrationTests):
    supports_model_override = False  # the models are the technique's
    supports_json_mode = False  # with_structured_output has one method: tools

    @property
    def chat_model_class(self):
        return ScaledChatModel

    @property
    def chat_model_params(self):
        return given()
