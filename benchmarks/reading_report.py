"""The report of benchmarks/reading.py: what was measured, as Markdown."""

from typing import Any

from benchmarks import machine
from benchmarks.scores import wilson_interval

NOTHING = "no digits"
"""The name of the pictures that show no digits."""
STRINGS = ("strings, first", "strings, other")
"""The two parts of the strings, which are also reported together."""
HEADINGS = (
    "",
    "right",
    "95 % interval",
    "letters dropped",
    "character errors",
    "ms",
    "ms, one core",
    "CPU ms",
    "MiB",
    "setting",
)
NOTES = """\
- **right**: share of pictures read without any error. Only on pages does it count which row a
  digit is in. The interval is Wilson's.
- **letters dropped**: the same, if letters are left out instead of mapped back to digits.
- **character errors**: insertions, deletions and replacements per true character.
- **ms**: elapsed per picture, median, with all cores; then on one core, with a single thread.
  **CPU ms** is the processor time used for it there. Loading the model is not included.
- **MiB**: peak memory of the process; of Tesseract, which pytesseract starts for each picture,
  together with that of the program.
- **setting**: enlargement, margin and mode, chosen on validation pictures (last section)."""


def format_report(results: dict[str, Any]) -> str:
    """Format all results as Markdown."""
    readers = results["readers"]
    names = dict.fromkeys(name for reader in readers.values() for name in reader["sets"])
    lines = ["# Reading", "", f"On {machine.summarize(results['machine'])};"]
    lines += [", ".join(f"{package} {number}" for package, number in results["versions"].items())]
    lines[-1] += "."
    lines += ["Reproduce: `python -m benchmarks.reading --strings DIR`.", "", NOTES]
    for name in names:
        figures = {reader: found["sets"].get(name) for reader, found in readers.items()}
        figures = {reader: found for reader, found in figures.items() if found}
        lines += ["", f"## {name[0].upper()}{name[1:]}", ""]
        lines += _format_nothing(figures) if name == NOTHING else _format_set(figures)
        if name == STRINGS[-1]:
            lines += ["", *_format_strings_together(readers)]
    return "\n".join([*lines, "", *_format_settings(readers)]) + "\n"


def _format_set(figures: dict[str, dict[str, Any]]) -> list[str]:
    pictures = sorted({found["pictures"] for found in figures.values()})
    lines = [f"{' or '.join(f'{number:,}' for number in pictures)} pictures.", ""]
    lines += [f"| {' | '.join(HEADINGS)} |", f"|{' --- |' * len(HEADINGS)}"]
    for reader, found in figures.items():
        cells = (
            reader,
            *_format_share(found["right"], found["pictures"]),
            f"{found['right, letters dropped'] / found['pictures']:.4f}",
            f"{found['edits'] / found['characters']:.4f}",
            *(
                f"{found[key]:.3g}"
                for key in ("milliseconds", "milliseconds on one core", "CPU milliseconds")
            ),
            str(found["MiB"]),
            found["setting"],
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _format_share(right: int, pictures: int) -> tuple[str, str]:
    low, high = wilson_interval(right, pictures)
    return f"**{right / pictures:.4f}**", f"{low:.4f} to {high:.4f}"


def _format_strings_together(readers: dict[str, Any]) -> list[str]:
    """Format the share of all strings that is right, for readers with both parts."""
    lines = ["All strings together:", "", "| | right | 95 % interval |", "| --- | --- | --- |"]
    for reader, found in readers.items():
        parts = [found["sets"][part] for part in STRINGS if part in found["sets"]]
        if len(parts) == len(STRINGS):
            right, pictures = (sum(part[key] for part in parts) for key in ("right", "pictures"))
            lines.append(f"| {reader} | {' | '.join(_format_share(right, pictures))} |")
    return lines


def _format_nothing(figures: dict[str, dict[str, Any]]) -> list[str]:
    """Format the digits seen in each picture without digits, and how many of them are sure."""
    titles = dict.fromkeys(title for found in figures.values() for title in found["seen"])
    lines = [
        "Digits seen where there are none; in brackets, how many of them with a confidence of at",
        "least 0.9. Letters are not mapped to digits here.",
        "",
        f"| | {' | '.join(figures)} |",
        f"| --- |{' --- |' * len(figures)}",
    ]
    for title in titles:
        cells = [found["seen"].get(title, {}) for found in figures.values()]
        shown = (f"{cell['digits']} ({cell['sure']})" if cell else "" for cell in cells)
        lines.append(f"| {title} | {' | '.join(shown)} |")
    totals = [
        {key: sum(cell[key] for cell in found["seen"].values()) for key in ("digits", "sure")}
        for found in figures.values()
    ]
    shown = (f"**{total['digits']}** ({total['sure']})" for total in totals)
    return [*lines, f"| together | {' | '.join(shown)} |"]


def _format_settings(readers: dict[str, Any]) -> list[str]:
    """Format the share of validation pictures right with each setting that was tried."""
    lines = ["## Settings tried", "", "The share of validation pictures that are right."]
    for reader, found in readers.items():
        for name, tried in found["settings"].items():
            if not tried:
                continue
            lines += ["", f"{reader}, {name} ({tried['pictures']} pictures):", ""]
            for setting, share in tried["right"].items():
                chosen = " (chosen)" if setting == tried["chosen"] else ""
                lines.append(f"- {setting}: {share:.3f}{chosen}")
    return lines
