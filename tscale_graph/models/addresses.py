"""Where a chat model is served, and whether that is its vendor's own address."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from langchain_core.language_models import BaseChatModel

_CLIENT_FIELDS = ("root_client", "root_async_client")
_URL_FIELDS = ("openai_api_base", "anthropic_api_url", "base_url")

_VENDORS = {
    "openai": ("api.openai.com", "azure.com", "azure.us", "azure.cn"),
    "anthropic": ("api.anthropic.com",),
    "google": ("googleapis.com",),
}


def address(model: BaseChatModel) -> str | None:
    """The base URL that requests go to, or None where the class does not tell.

    The client is asked first: an address may also come from the environment.
    """
    told: list[Any] = [getattr(getattr(model, f, None), "base_url", None) for f in _CLIENT_FIELDS]
    told += [getattr(model, field, None) for field in _URL_FIELDS]
    return next((str(url) for url in told if url), None)


def at_vendor(url: str | None, family: str) -> bool:
    """Whether a base URL is the vendor's own; None is where the vendor's library goes by itself.

    >>> at_vendor("https://eu.api.openai.com/v1", "openai")
    True
    >>> at_vendor("https://api.openai.com.example.org/v1", "openai")
    False
    """
    if family not in _VENDORS:
        return False
    if url is None:
        return True
    where = urlsplit(url if "//" in url else f"https://{url}")
    host = where.hostname or ""
    named = any(host == vendor or host.endswith(f".{vendor}") for vendor in _VENDORS[family])
    return where.scheme == "https" and named
