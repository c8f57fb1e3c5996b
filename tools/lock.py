"""The lock files: `write` makes them (needs the package index), `check` holds them against pyproject.toml (offline).

They carry every platform's hashes and no address of an index.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
RUNTIME, DEV = "requirements.lock", "requirements-dev.lock"
_COMMON = ["--quiet", "--generate-hashes", "--strip-extras", "--allow-unsafe", "--no-header",
           "--no-emit-index-url", "--no-emit-trusted-host", "--no-emit-find-links", "--no-emit-options"]  # fmt: skip
_PIN = re.compile(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", re.MULTILINE)


def write(root: Path) -> None:
    """Pin afresh; a version that still fits stays unless `--upgrade` is given."""
    more = [argument for argument in sys.argv[2:] if argument.startswith("--upgrade")]
    for target, extra in ((RUNTIME, []), (DEV, ["--extra", "dev", "-c", RUNTIME])):
        command = [sys.executable, "-m", "piptools", "compile", *_COMMON, *extra, *more, "-o", target, "pyproject.toml"]
        subprocess.run(command, cwd=root, check=True)


def faults(root: Path) -> list[str]:
    """What is wrong with the lock files, in sentences."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    runtime, dev = list(project["dependencies"]), list(project["optional-dependencies"]["dev"])
    found = [*_unexplained(root / "pyproject.toml", runtime + dev)]
    for name, wanted in ((RUNTIME, runtime), (DEV, runtime + dev)):
        text = (root / name).read_text()
        pins = {canonicalize_name(package): version for package, version in _PIN.findall(text)}
        found += [
            f"{name}: {line} names a place" for line in text.splitlines() if "://" in line or line.startswith("-")
        ]
        found += [
            f"{name}: {package} has no hash"
            for package in pins
            if not re.search(rf"^{re.escape(package)}==.*\n\s+--hash=sha256:", text, re.MULTILINE | re.IGNORECASE)
        ]
        for requirement in map(Requirement, wanted):
            pinned = pins.get(canonicalize_name(requirement.name))
            if pinned is None:
                found.append(f"{name}: {requirement.name} is missing; run `make lock`")
            elif Version(pinned) not in requirement.specifier:
                found.append(f"{name}: {requirement.name} is {pinned}, not {requirement.specifier}; run `make lock`")
    return found


def _unexplained(path: Path, wanted: list[str]) -> list[str]:
    lines = path.read_text().splitlines()
    reasons = {line.split('"')[1] for line in lines if re.match(r'^\s+"[^"]+",\s+# \S', line)}
    return [
        f"pyproject.toml: {dependency} comes without its reason" for dependency in wanted if dependency not in reasons
    ]


if __name__ == "__main__":
    if sys.argv[1:2] == ["write"]:
        write(ROOT)
    else:
        problems = faults(ROOT)
        print("\n".join(problems) or "lock files: fine")
        sys.exit(bool(problems))
