"""Weighs the package of our Lambda code, zipped and unzipped, in MiB."""

from __future__ import annotations

import json
import zipfile

from agentcore_constructs.functions.code import own_zip

made = own_zip().path
with zipfile.ZipFile(made) as opened:
    unzipped = sum(entry.file_size for entry in opened.infolist())
print(json.dumps({"zipped_mib": made.stat().st_size / 2**20, "unzipped_mib": unzipped / 2**20}))
