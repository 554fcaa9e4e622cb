"""Run candidate code against tests, in a sandbox."""

from __future__ import annotations

import ast
import importlib.util
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tscale_graph.answers.structured import Code
from tscale_graph.candidates import Verdict

_FEEDBACK_AT_MOST = 300
_lock = threading.Lock()
_pool: Any = None


@dataclass(frozen=True, slots=True)
class PythonTests:
    """Checks code by tests; the score is the share of them that pass.

    Attributes:
        tests: each a piece of code that raises when it fails.
        seconds: the time that one test may take.
        memory_mb: the memory that the code may use.
    """

    tests: tuple[str, ...]
    seconds: float
    memory_mb: int
    answer_kind: str = "code"

    def __call__(self, question: str, answer: str) -> Verdict:
        """Which tests the code passes, and how the first one failed."""
        code = Code().extract(answer)
        if code is None:
            return Verdict(score=0, passed=False, feedback="no code in the answer")
        problems = [self._run(code, test) for test in self.tests]
        failed = [problem for problem in problems if problem]
        return Verdict(
            score=1 - len(failed) / len(problems),
            passed=not failed,
            feedback=failed[0] if failed else "",
            tests=tuple(not problem for problem in problems),
        )

    def _run(self, code: str, test: str) -> str:
        """How a test failed; "" when it passed."""
        import pydantic_monty as monty

        limits = monty.ResourceLimits(
            max_feed_duration_secs=self.seconds,
            max_memory=self.memory_mb * 1_000_000,
            max_recursion_depth=400,
        )
        output = monty.CollectString(1_000_000)
        try:
            with _sandbox().checkout(limits=limits) as session:
                session.feed_run(f"{code}\n\n{test}", print_callback=output)
        except monty.MontyError as error:
            return f"{_first_line(test)}: {self._reason(error)}"
        return ""

    def _reason(self, error: Any) -> str:
        text = str(error).strip()
        last = text.splitlines()[-1] if text else type(error).__name__
        if getattr(error, "timed_out", False) or "time limit" in last or "TimeoutError" in last:
            return f"took longer than {self.seconds:g} s"
        return last[:_FEEDBACK_AT_MOST]


def python_tests(
    tests: str | Sequence[str],
    *,
    seconds: float = 2.0,
    memory_mb: int = 64,
    entry_point: str | None = None,
) -> PythonTests:
    """A verifier that runs code against tests in a sandbox without files, network or clock.

    Args:
        tests: Python code; each top-level `assert` is a test of its own, unless the code
            defines `check(candidate)` as HumanEval does; or a list of pieces of code.
        seconds: the time that one test may take.
        memory_mb: the memory that the code may use, in megabytes.
        entry_point: the function that `check(candidate)` is called with.

    Raises:
        ValueError: when there are no tests, they are no Python, or a limit is not positive.
        ImportError: when the sandbox is not installed.
    """
    if seconds <= 0:
        raise ValueError(f"seconds must be positive, got {seconds}")
    if memory_mb < 1:
        raise ValueError(f"memory_mb must be at least 1, got {memory_mb}")
    if importlib.util.find_spec("pydantic_monty") is None:
        raise ImportError("python_tests needs a sandbox: pip install 'tscale-graph[code]'")
    pieces = _pieces(tests, entry_point) if isinstance(tests, str) else list(tests)
    if not pieces:
        raise ValueError("python_tests needs at least one test")
    return PythonTests(tuple(pieces), seconds, memory_mb)


def _pieces(tests: str, entry_point: str | None) -> list[str]:
    """Each top-level assert with everything around it that is not an assert."""
    try:
        body = ast.parse(tests).body
    except SyntaxError as error:
        raise ValueError(f"the tests are not Python: {error}") from None
    if entry_point is not None:
        return [f"{tests}\n\ncheck({entry_point})"]
    around = [ast.unparse(node) for node in body if not isinstance(node, ast.Assert)]
    asserts = [ast.unparse(node) for node in body if isinstance(node, ast.Assert)]
    if not asserts:
        return [tests] if body else []
    return ["\n".join([*around, test]) for test in asserts]


def _first_line(test: str) -> str:
    return test.strip().splitlines()[-1].strip()[:_FEEDBACK_AT_MOST]


def _sandbox() -> Any:
    """The process's pool of sandbox workers, started when it is first needed."""
    global _pool
    import pydantic_monty as monty

    with _lock:
        if _pool is None:
            _pool = monty.Monty(request_timeout=60.0).__enter__()
        return _pool
