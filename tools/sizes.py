"""House rule: no file over 500 lines, no function over 80. Long ones have stopped being one thing."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("bufa", "simulator", "tests", "tools")
FILE_LINES, FUNCTION_LINES = 500, 80
_TEXTS = {".py", ".html", ".css", ".js"}


def faults(root: Path) -> Iterator[str]:
    """Each file and function that is too long, as `path:line what`."""
    paths = (path for room in ROOMS for path in sorted((root / room).rglob("*")) if path.suffix in _TEXTS)
    for path in paths:
        if "__pycache__" in path.parts or "migrations" in path.parts:
            continue
        text = path.read_text()
        name = path.relative_to(root)
        if (lines := text.count("\n")) > FILE_LINES:
            yield f"{name}:1 has {lines} lines; the most is {FILE_LINES}"
        if path.suffix == ".py":
            yield from _functions(str(name), ast.parse(text))


def _functions(name: str, tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield f"{name}:{node.lineno} {node.name} has {lines} lines; the most is {FUNCTION_LINES}"


if __name__ == "__main__":
    problems = list(faults(ROOT))
    print("\n".join(problems) or "sizes: fine")
    sys.exit(bool(problems))
