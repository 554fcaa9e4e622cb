"""What there is: `tscale models` and `tscale techniques`."""

from __future__ import annotations

import importlib.util
import inspect

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tscale_graph.answers import ANSWER_KINDS
from tscale_graph.stopping import RULES
from tscale_graph.techniques.best_of_n import COMPARING, SELECTS
from tscale_graph.techniques.named import TECHNIQUES, named_technique
from tscale_graph.techniques.router import router
from tscale_graph.techniques.self_consistency import VOTES
from tscale_graph.verifiers import VERIFIERS

_MODELS = (
    ("local", "SmolLM2-135M-Instruct on this machine, no key", "xllamacpp", "local", None),
    ("openai:gpt-5-mini", "OpenAI, and servers that speak its protocol", "langchain_openai",
     "openai", "OPENAI_API_KEY"),
    ("anthropic:claude-sonnet-4-5", "Anthropic", "langchain_anthropic", "anthropic",
     "ANTHROPIC_API_KEY"),
    ("google_genai:gemini-2.5-flash", "Google", "langchain_google_genai", "google",
     "GOOGLE_API_KEY"),
    ("ollama:qwen3", "Ollama on this machine", "langchain_ollama", "ollama", None),
)  # fmt: skip


def list_models() -> int:
    """Print a table of models: name, what it is, what it needs."""
    table = Table("model", "what it is", "needs", box=None, pad_edge=False)
    for name, what, package, extra, key in _MODELS:
        wanted = (package,) if extra == "local" else (package, "langchain")
        installed = all(importlib.util.find_spec(name) is not None for name in wanted)
        needs = [] if installed else [f"pip install 'tscale-graph\\[{extra}]'"]
        needs += [key] if key else []
        table.add_row(name, what, ", ".join(needs) or "nothing more")
    console = _console()
    console.print(table)
    console.print(
        "\nAny provider:model that LangChain's init_chat_model knows. "
        "TSCALE_LOCAL_MODEL=/path/to.gguf makes another model local.",
        soft_wrap=True,
    )
    return 0


def list_techniques() -> int:
    """Print tables of techniques, stopping rules, kinds of answer and verifiers."""
    console = _console()
    table = Table("technique", "what it does", box=None, pad_edge=False)
    for name in TECHNIQUES:
        table.add_row(name.replace("_", "-"), _what_it_does(name))
    table.add_row("router", _first_line(router))
    console.print(table)
    verifiers = Table("verifier", "what it does", box=None, pad_edge=False)
    for name, what in VERIFIERS.items():
        verifiers.add_row(name, what)
    console.print()
    console.print(verifiers)
    console.print(f"\nstopping rules: {', '.join(RULES)}")
    console.print(f"votes of self-consistency: {', '.join(VOTES)}")
    console.print(f"selections of best-of-n: {', '.join((*SELECTS, *COMPARING))}")
    console.print(f"kinds of answer: {', '.join(ANSWER_KINDS)}")
    return 0


def _console() -> Console:
    """As wide as it takes where nobody looks at it."""
    console = Console()
    return console if console.is_terminal else Console(width=200)


def _what_it_does(technique: str) -> str:
    """In one line; of what cannot be imported, what it needs."""
    try:
        return _first_line(named_technique(technique))
    except ImportError as error:
        return escape(str(error))


def _first_line(build: object) -> str:
    return (inspect.getdoc(build) or "").splitlines()[0]
