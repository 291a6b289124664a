"""Hyperparameters from outside, brought to the type that the recipe declares: values given in
Python or read from JSON, and the command line's text.
"""

from typing import Any, get_args

from mnist_graph.data.arguments import number, require, whole_number, wrong_type
from mnist_graph.data.augmentation import NAMED, Augmentation
from mnist_graph.errors import UsageError

KINDS = {int: "a whole number", float: "a number", bool: "true or false"}


def convert(name: str, value: Any, hint: Any) -> Any:
    """Return `value` as the type that the annotation `hint` of hyperparameter `name` states:
    NumPy's numbers become Python's, a list or an array becomes a tuple.

    Raises UsageError if it has another type.
    """
    options = get_args(hint)
    if type(None) in options:
        return None if value is None else convert(name, value, options[0])
    if hint is int:
        return whole_number(name, value)
    if hint is float:
        return number(name, value)
    if hint == tuple[int, ...]:
        try:
            if isinstance(value, str | bytes) or not hasattr(value, "__len__"):
                raise TypeError
            items = tuple(value)
        except TypeError:  # NumPy's and TensorFlow's scalars have __len__ too
            what = "a sequence of whole numbers such as (512, 256)"
            raise wrong_type(name, what, value) from None
        return tuple(whole_number(name, item) for item in items)
    require(name, value, hint, KINDS.get(hint, f"of type {hint.__name__}"))
    return value


def from_text(name: str, text: str, hint: Any) -> Any:
    """Return `text`, from the command line, as the type that the annotation `hint` of
    hyperparameter `name` states: "none" for None, "512,256" for a tuple, "default" or
    "photo" for an augmentation as a whole. Raises UsageError for text that does not have this form.
    """
    options = get_args(hint)
    if type(None) in options:
        return None if text.lower() == "none" else from_text(name, text, options[0])
    if hint == tuple[int, ...]:
        return tuple(from_text(name, part, int) for part in text.split(","))
    if hint is Augmentation:
        if text not in NAMED:
            names = ", ".join(NAMED)
            raise UsageError(f"{name} must be {names} or none, not {text!r}; see {name}.rotation")
        return NAMED[text]
    if hint is bool:
        if text.lower() not in ("true", "false"):
            raise UsageError(f"{name} must be true or false, not {text!r}")
        return text.lower() == "true"
    try:
        return hint(text)
    except ValueError:
        raise UsageError(f"{name} must be {KINDS[hint]}, not {text!r}") from None
