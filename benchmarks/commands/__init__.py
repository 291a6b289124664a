"""Whole commands, from the shell's Enter to the last line: `python -m benchmarks.commands`."""
