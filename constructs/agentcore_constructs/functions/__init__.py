"""Code for AWS Lambda, packaged without Docker: wheels of Lambda's platform, once per content."""

from __future__ import annotations

from .code import ARCHITECTURE, PYTHON, RUNTIME, own_code, python_code
from .installer import HOME_VARIABLE, PackagingError
from .own import OwnFunction
from .packaging import CACHE_VARIABLE, cache

__all__ = [
    "ARCHITECTURE",
    "CACHE_VARIABLE",
    "HOME_VARIABLE",
    "PYTHON",
    "RUNTIME",
    "OwnFunction",
    "PackagingError",
    "cache",
    "own_code",
    "python_code",
]
