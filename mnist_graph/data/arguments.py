"""Values that a caller gives, checked and converted to Python's own types."""

import operator
import os
import reprlib
from numbers import Real
from pathlib import Path
from typing import Any

from mnist_graph.errors import UsageError


def whole_number(
    name: str, value: Any, lowest: int | None = None, highest: int | None = None
) -> int:
    """Return `value`, an integer of any kind (Python's, NumPy's), as an int.

    Raises UsageError for anything else (2.0, True, "2"), and for one that is out of range.
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except (TypeError, AttributeError):  # AttributeError: a tensor of strings
        raise wrong_type(name, "a whole number", value) from None
    if (lowest is not None and number < lowest) or (highest is not None and number > highest):
        bounds = f"at least {lowest}" if highest is None else f"between {lowest} and {highest}"
        raise UsageError(f"{name} must be {bounds}, not {number}")
    return number


def number(name: str, value: Any) -> float:
    """Return `value`, a real number of any kind (Python's, NumPy's), as a float.

    Raises UsageError for anything else, and for an integer too large for a float.
    """
    if isinstance(value, Real) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            pass
    raise wrong_type(name, "a number", value)


def checked_path(name: str, value: Any) -> Path:
    """Return `value`, a text or a path, as a path. Raises UsageError for anything else."""
    if isinstance(value, str | os.PathLike):
        text = os.fspath(value)
        if isinstance(text, str) and "\0" not in text:
            return Path(text)
    raise wrong_type(name, "a path", value)


def require(name: str, value: Any, kind: type, what: str) -> None:
    """Raise UsageError unless `value` is a `kind`, described as `what`."""
    if not isinstance(value, kind):
        raise wrong_type(name, what, value)


def wrong_type(name: str, what: str, value: Any) -> UsageError:
    """Return the exception for a `value` that is not `what`; a long value is abbreviated."""
    return UsageError(f"{name} must be {what}, not {' '.join(reprlib.repr(value).split())}")
