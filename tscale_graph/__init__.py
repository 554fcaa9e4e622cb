"""Test-time compute for LangGraph."""
