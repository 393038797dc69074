"""Print this Python's path and version and its pip's version as JSON, in one process."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import sys

try:
    pip = importlib.metadata.version("pip")
except importlib.metadata.PackageNotFoundError:
    pip = ""

print(json.dumps({"executable": sys.executable, "version": platform.python_version(), "pip": pip}))
