"""The sizes of strips and of their labels. Imports nothing, for what starts without NumPy."""

HEIGHT = 32
"""The height of every strip, in pixels."""
WIDTH_STEP = 32
"""Strips of a batch are padded to a multiple of this width, in pixels."""
PADDING = -1
"""After the last digit of a label."""
