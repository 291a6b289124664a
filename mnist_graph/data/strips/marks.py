"""Marks and letters: what people write next to digits."""

from mnist_graph.data.strips.allographs import parse_strokes

_TABLE = {
    ".": "0,97 4,100 6,97",
    ",": "5,95 8,102 -2,120",
    "'": "5,0 0,25",
    ":": "0,97 4,100 6,97 / 0,50 4,53",
    "-": "0,58 35,57 70,55",
    "~": "0,60 25,50 50,62 80,50",
    "_": "0,90 40,88 90,86",
    "=": "0,35 70,30 / 0,60 75,55",
    "^": "0,25 50,15 / 5,40 55,32",
    "z": "0,25 40,22 5,45 45,42",
    "#": "25,10 10,100 / 65,10 50,100 / 0,38 85,33 / -5,70 80,66",
    "$": "80,20 40,8 15,30 75,68 45,95 0,82 / 52,-12 45,50 40,112",
    "*": "0,30 50,60 / 50,30 0,60 / 25,22 25,68",
    "x": "0,35 55,95 / 60,35 0,98",
}

MARKS = {mark: parse_strokes(text) for mark, text in _TABLE.items()}
"""The strokes of each mark, as of an allograph."""

SEPARATORS = ".,'. , "
"""Between groups of digits: a space is a gap."""
BEFORE = "$#=*x"
"""Marks that stand before a number."""
AFTER = [".-", "-", ",-", "=", ".=", "^", ".", ",", "~", "_", "#", "z", "--", "*", ".-"]
"""Marks that stand after a number."""

LETTERS = ("acdehkmnpuwxy", "ACEHKMNPRUVWXY")
"""Letters, small and capital, that nobody takes for a digit,"""
DIGIT_LIKE = ("bfgijloqrstvz", "BDFGIJLOQSTZ")
"""and those that look like one, unless they stand in a word."""
