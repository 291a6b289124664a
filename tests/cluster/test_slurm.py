"""Slurm's lists of nodes and tasks, compared with python-hostlist."""

import re

import hostlist
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_graph.cluster.slurm import expand_counts, expand_hosts
from mnist_graph.errors import UsageError

WORDS = st.from_regex(r"[a-z][a-z.-]{0,4}", fullmatch=True)


@st.composite
def ranges(draw):
    """A bracketed list of numbers and ranges, with or without leading zeros."""
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        first, width = draw(st.integers(0, 200)), draw(st.integers(1, 4))
        part = f"{first:0{width}}"
        if draw(st.booleans()):
            part += f"-{first + draw(st.integers(0, 5)):0{width}}"
        parts.append(part)
    return f"[{','.join(parts)}]"


ENTRIES = st.builds(
    "".join, st.tuples(WORDS, st.one_of(st.just(""), ranges()), st.sampled_from(["", "-ib"]))
) | st.builds("".join, st.tuples(WORDS, ranges(), WORDS, ranges()))


@given(st.lists(ENTRIES, min_size=1, max_size=4))
def test_nodes_are_those_of_python_hostlist(entries):
    text = ",".join(entries)
    assert expand_hosts(text) == hostlist.expand_hostlist(text, allow_duplicates=True)


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("login", ["login"]),
        ("10.0.0.[7-8]", ["10.0.0.7", "10.0.0.8"]),
        ("n[08-10,3],gpu-1", ["n08", "n09", "n10", "n3", "gpu-1"]),
        ("r[1-2]n[1-2]x", ["r1n1x", "r1n2x", "r2n1x", "r2n2x"]),
    ],
)
def test_nodes(text, hosts):
    assert expand_hosts(text) == hosts


@pytest.mark.parametrize(
    "text",
    [
        *("", ",", "a,", ",a", "a,,b", "a b", "n[", "n]", "n[]", "n[1", "n[1-]", "n[-1]", "n[2-1]"),
        *("n[a-c]", "n[1-2]]", "n[[1]]", "n[1 - 2]", "n[1,]", "n[\u0661]", "n[0-999999999999]"),
    ],
)
def test_other_texts_are_no_lists_of_nodes(text):
    with pytest.raises(UsageError, match=r"nodes|more than 100000 hosts"):
        expand_hosts(text)


@pytest.mark.parametrize(
    ("text", "counts"), [("4", [4]), ("2(x3),1", [2, 2, 2, 1]), ("1,12(x2)", [1, 12, 12])]
)
def test_tasks(text, counts):
    assert expand_counts(text) == counts


@pytest.mark.parametrize("text", ["", "2(x)", "2x3", "(x2)", "2(x3", "-1", "2(x999999999999)"])
def test_other_texts_are_no_lists_of_tasks(text):
    with pytest.raises(UsageError, match=re.escape(repr(text))):
        expand_counts(text)
