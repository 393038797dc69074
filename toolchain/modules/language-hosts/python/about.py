"""Print this Python's path and version and its pip's version as JSON, in one process."""

from __future__ import annotations

import json
import platform
import sys

try:
    import pip
except ImportError:
    installer = None
else:
    installer = pip.__version__

print(
    json.dumps(
        {"executable": sys.executable, "version": platform.python_version(), "pip": installer}
    )
)
