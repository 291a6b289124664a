"""Hyperparameters from outside: from JSON values and from the command line's text."""

from typing import Any, get_args, get_type_hints

from mnist_graph.data.augmentation import Augmentation
from mnist_graph.errors import MnistGraphError, UsageError

KINDS = {int: "a whole number", float: "a number", bool: "true or false"}


def from_json(name: str, value: Any, hint: Any) -> Any:
    """Return `value`, read from JSON, as the type that the annotation `hint` of hyperparameter
    `name` states. Raises MnistGraphError if it has another type.
    """
    options = get_args(hint)
    if type(None) in options:
        return None if value is None else from_json(name, value, options[0])
    if hint == tuple[int, ...] and isinstance(value, list):
        return tuple(from_json(name, item, int) for item in value)
    if hint is Augmentation and isinstance(value, dict):
        known = get_type_hints(Augmentation)
        if set(value) <= set(known):
            return Augmentation(**{n: from_json(n, v, known[n]) for n, v in value.items()})
    allowed = (int, float) if hint is float else hint
    plain = hint in (bool, int, float, str) and isinstance(value, allowed)
    if not plain or (isinstance(value, bool) and hint is not bool):
        raise MnistGraphError(f"its recipe has {value!r} for {name}")
    return value


def from_text(name: str, text: str, hint: Any) -> Any:
    """Return `text`, from the command line, as the type that the annotation `hint` of
    hyperparameter `name` states: "none" for None, "512,256" for a tuple, "default" for the
    default augmentation. Raises UsageError for text that does not have this form.
    """
    options = get_args(hint)
    if type(None) in options:
        return None if text.lower() == "none" else from_text(name, text, options[0])
    if hint == tuple[int, ...]:
        return tuple(from_text(name, part, int) for part in text.split(","))
    if hint is Augmentation:
        if text != "default":
            raise UsageError(f"{name} must be default or none, not {text!r}; see {name}.rotation")
        return Augmentation()
    if hint is bool:
        if text.lower() not in ("true", "false"):
            raise UsageError(f"{name} must be true or false, not {text!r}")
        return text.lower() == "true"
    try:
        return hint(text)
    except ValueError:
        raise UsageError(f"{name} must be {KINDS[hint]}, not {text!r}") from None
