"""What the tests of calls ask, and of whom."""

from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI

from tscale_graph import Budget
from tscale_graph.models.endpoint import endpoint

PROMPT = [HumanMessage("How many r's are in strawberry?")]
LEASE = Budget(tokens=2_000, calls=3)


def connection(server):
    return {"model": "fake", "base_url": server.url, "api_key": "none"}


def client(server, **more):
    return endpoint(ChatOpenAI(**connection(server), **more))
