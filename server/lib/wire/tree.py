"""Trees of parameters: how names in brackets nest, and what may be done with a tree."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from server.lib.wire.terms import EDGES, UNSTORABLE, Limits, Tree, shown, too_deep

BRACKETS = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])+)")


def merge(under: Tree, over: Tree) -> Tree:
    """Both trees in one: where they differ, the second wins."""
    tree = dict(under)
    for key, value in over.items():
        below = tree.get(key)
        tree[key] = merge(below, value) if type(below) is dict and type(value) is dict else value
    return tree


def first_bad_character(tree: Tree) -> str | None:
    """The path (`data.x`) of the first key or value with a NUL or a lone surrogate; no database keeps one."""
    try:
        if b"\\u0000" not in orjson.dumps(tree):
            return None
    except orjson.JSONEncodeError:
        pass  # Half a surrogate pair is what orjson cannot write; the walk finds where.
    return next(_bad_paths(tree, ""), None)


def _bad_paths(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, str):
        if UNSTORABLE.search(value):
            yield path
        return
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in inner:
        name = str(key)
        inner_path = f"{path}.{shown(name)}".removeprefix(".")
        if UNSTORABLE.search(name):
            yield inner_path
        yield from _bad_paths(child, inner_path)


def undot(tree: Tree) -> Tree:
    """Puts `data.x` into `data`."""
    dotted = [key for key in tree if key.startswith("data.") and key != "data."]
    if not dotted:
        return tree
    data = {key.removeprefix("data.").strip(EDGES): tree.pop(key) for key in dotted}
    return merge(tree, {"data": data})


def nest(pairs: Iterable[tuple[str, str]], limits: Limits) -> Tree:
    """The tree that keys such as `a[b]`, `a[]` and `data.x` spell; the last of two that collide wins."""
    tree: Tree = {}
    nested = False
    for key, value in pairs:
        if "[" in key or "data." in key:
            nested = True
            _plant(tree, path_of(key.strip(EDGES)), value.rstrip(), limits)
        else:
            tree[key.strip(EDGES)] = value.rstrip()
    if not nested:
        return tree
    return {key: _with_lists(value) for key, value in tree.items()}


def path_of(key: str) -> list[str]:
    """`a[b][c]` in parts; a key whose brackets do not pair up is one part as it stands."""
    match = BRACKETS.fullmatch(key)
    head, rest = match.groups() if match else (key, "")
    parts = [part.strip(EDGES) for part in rest[1:-1].split("][")] if rest else []
    if head.startswith("data.") and head != "data.":
        parts.insert(0, head.removeprefix("data.").strip(EDGES))
        head = "data"
    return [head.strip(EDGES), *parts]


def _plant(tree: Tree, path: list[str], value: str, limits: Limits) -> None:
    if len(path) > limits.depth:
        raise too_deep(shown(path[0]))
    *branches, leaf = path
    for branch in branches:
        name = branch or _next_index(tree)
        if type(tree.get(name)) is not dict:
            tree[name] = {}
        tree = tree[name]
    tree[leaf or _next_index(tree)] = value


def _next_index(tree: Tree) -> str:
    """The name that `[]` stands for."""
    index = len(tree)
    while str(index) in tree:
        index += 1
    return str(index)


def _with_lists(value: Any) -> Any:
    """Turns each dict whose keys are exactly the numbers from 0 on into the list that was meant."""
    if type(value) is not dict:
        return value
    inner = {key: _with_lists(child) for key, child in value.items()}
    if "0" not in inner:
        return inner
    indices = [str(index) for index in range(len(inner))]
    return [inner[index] for index in indices] if inner.keys() == set(indices) else inner
