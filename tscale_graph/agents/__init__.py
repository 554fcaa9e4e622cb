"""Test-time compute in LangChain's agents, under one budget for the whole run of an agent."""

from __future__ import annotations

try:
    from tscale_graph.agents.middleware import ScalingMiddleware
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "langchain":
        raise
    raise ImportError("agents need another package: pip install 'tscale-graph[agents]'") from error
from tscale_graph.agents.runs import AgentRun

__all__ = ["AgentRun", "ScalingMiddleware"]
