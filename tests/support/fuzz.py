"""How long the fuzz tests look for trouble, and where the settings of hypothesis are.

The default is a minute or so and always tries the same examples: a test that fails now and then teaches people to run
it again. `pytest tests/conformance --hypothesis-profile=long` tries others, many times as many.
"""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, settings

_LONG = "long"
_TIMES = 25
# Of every test: how long an example takes says how busy the machine is, and nothing about the code.
settings.register_profile(
    "suite", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(_LONG, deadline=None)
settings.load_profile("suite")


def effort(examples: int, *, shrink: bool = True) -> settings:
    """The settings of a fuzz test.

    Args:
        examples: How many by default.
        shrink: False where an example takes seconds, so that looking for a smaller one would take minutes; the example
            is not printed then, and assertions have to say what they are about.
    """
    long = settings.get_current_profile_name() == _LONG
    return settings(
        max_examples=examples * _TIMES if long else examples,
        derandomize=not long,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
        verbosity=Verbosity.normal if shrink else Verbosity.quiet,
        # Examples are large and slow on purpose.
        suppress_health_check=list(HealthCheck),
    )


def lost(wanted: Any, shown: Any, path: str = "", *, unless_empty: frozenset[str] = frozenset()) -> list[str]:
    """Where something is missing or different; whole objects may have further members, which others put there.

    Args:
        wanted: What was asked for.
        shown: What came of it.
        path: Where both are.
        unless_empty: Members that may be left out when they are empty.
    """
    if isinstance(wanted, dict) and isinstance(shown, dict):
        found: list[str] = []
        for key, value in wanted.items():
            if key in shown:
                found += lost(value, shown[key], f"{path}.{key}", unless_empty=unless_empty)
            elif value or key not in unless_empty:
                found.append(f"{path}.{key} is missing")
        return found
    if isinstance(wanted, list) and isinstance(shown, list) and len(wanted) == len(shown):
        pairs = enumerate(zip(wanted, shown, strict=True))
        return [
            at
            for index, (one, other) in pairs
            for at in lost(one, other, f"{path}[{index}]", unless_empty=unless_empty)
        ]
    return [] if wanted == shown or _same_number(wanted, shown) else [f"{path}: {wanted!r} became {shown!r}"]


def _same_number(one: Any, other: Any) -> bool:
    """JavaScript writes 5.69241182834387e+16 as the whole number 56924118283438700, which is the same double."""
    return isinstance(one, float) and isinstance(other, int) and one == float(other)
