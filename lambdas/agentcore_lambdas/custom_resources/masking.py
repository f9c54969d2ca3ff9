"""Takes out of a text what looks like a secret, before it is shown. A second line: CodeBuild masks what it knows."""

from __future__ import annotations

import re

MASK = "***"

_NAMED = (
    r"[\w.-]*(?:passw(?:or)?d|passwd|secret|token|api[_-]?key|access[_-]?key|credentials?|authorization)"
    r"(?:[_-]?(?:\d+|value|id))?"
)
_NO_VALUE_YET = rf"(?!\s*{re.escape(MASK)})"
_RULES = (
    # Credentials in a URL: https://user:password@host, https://token@host.
    (re.compile(r"(?<=://)[^/\s@]+(?=@)"), MASK),
    # "Authorization: Bearer …" and "Authorization: Basic …", before the next rule takes the scheme for the secret.
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1 {MASK}"),
    # NAME=value, "name": "value", name: value where the name says that it is a secret.
    (
        re.compile(
            rf"(?<![\w.-])([\"']?{_NAMED}[\"']?\s*[=:]\s*){_NO_VALUE_YET}(\"[^\"]*\"|'[^']*'|[^\s,;&]+)",
            re.IGNORECASE,
        ),
        rf"\1{MASK}",
    ),
    # --password value, -p value of docker login.
    (re.compile(r"(?<!\S)(--?(?:password|token|secret)\s+)(?!-)\S+", re.IGNORECASE), rf"\1{MASK}"),
    # Access key ids of AWS, tokens of GitHub, GitLab, PyPI, npm, Slack, JSON web tokens.
    (re.compile(r"\b(?:AKIA|ASIA|AIDA|AROA)[A-Z0-9]{16}\b"), MASK),
    (re.compile(r"\b(?:gh[pousr]_|github_pat_|glpat-|pypi-|npm_|xox[abpr]-)[\w-]{16,}"), MASK),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), MASK),
)


def masked(text: str) -> str:
    """Returns a text without what looks like a secret.

    It errs on the side of too much: what follows the name of a secret is masked whatever it is.
    """
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
