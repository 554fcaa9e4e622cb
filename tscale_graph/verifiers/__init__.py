"""Verifiers: anything that can tell a right answer from a wrong one."""
