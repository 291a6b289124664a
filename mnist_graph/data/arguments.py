"""Numbers that a caller gives, checked and converted to Python's own types."""

import operator
import reprlib
from numbers import Real
from typing import Any

from mnist_graph.errors import UsageError


def whole_number(name: str, value: Any) -> int:
    """Return `value`, an integer of any kind (Python's, NumPy's), as an int.

    Raises UsageError for anything else: 2.0, True, "2".
    """
    try:
        if not isinstance(value, bool):
            return operator.index(value)
    except TypeError:
        pass
    raise wrong_type(name, "a whole number", value)


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


def wrong_type(name: str, what: str, value: Any) -> UsageError:
    """Return the exception for a `value` that is not `what`; a long value is abbreviated."""
    return UsageError(f"{name} must be {what}, not {' '.join(reprlib.repr(value).split())}")
