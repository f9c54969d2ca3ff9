"""Times one import in this fresh process: python benchmarks/imports.py MODULE."""

from __future__ import annotations

import importlib
import json
import sys
import time

started = time.perf_counter()
for module in sys.argv[1:]:
    importlib.import_module(module)
print(json.dumps({"seconds": time.perf_counter() - started}))
