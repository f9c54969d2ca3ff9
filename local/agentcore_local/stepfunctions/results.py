"""What a Map Run leaves behind: its output, or files in S3. No I/O here.

Source: Step Functions developer guide, input-output-resultwriter.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

Record = dict[str, Any]

TRANSFORMATIONS = ("NONE", "COMPACT", "FLATTEN")
OUTPUT_TYPES = ("JSON", "JSONL")
_FILES = {"SUCCEEDED": "SUCCEEDED", "PENDING": "PENDING"}  # all other statuses are written to FAILED


@dataclass(frozen=True)
class Formatting:
    """A WriterConfig.

    Attributes:
        transformation: `NONE` (with the data of the execution), `COMPACT` (the output), `FLATTEN` (arrays opened).
        output_type: `JSON` or `JSONL`.
    """

    transformation: str
    output_type: str = "JSON"


def of_children(children: Sequence[Record], transformation: str) -> list[Any]:
    """One result for each child execution, in order; a failed one is told with all its data, whatever is asked for."""
    results: list[Any] = []
    for child in children:
        if child["status"] != "SUCCEEDED" or transformation == "NONE":
            results.append(described(child))
            continue
        output = json.loads(child["output"])
        if transformation == "FLATTEN" and isinstance(output, list):
            results.extend(output)
        else:
            results.append(output)
    return results


def described(child: Record) -> Record:
    """A child execution, as result files have it."""
    status = child["status"]
    told = {
        "ExecutionArn": child["executionArn"],
        "Input": child["input"],
        "InputDetails": {"Included": True},
        "Name": child["name"],
        "Output": child.get("output"),
        "OutputDetails": {"Included": True},
        "Error": child.get("error"),
        "Cause": child.get("cause"),
        "StartDate": child["startDate"],
        "StateMachineArn": child["stateMachineArn"],
        "Status": status,
        "StopDate": child.get("stopDate"),
        "RedriveCount": 0,
        "RedriveStatus": "NOT_REDRIVABLE",
        "RedriveStatusReason": f"Execution is {status} and cannot be redriven",
    }
    return {name: value for name, value in told.items() if value is not None}


def files(children: Sequence[Record], formatting: Formatting) -> dict[str, str]:
    """The result files by name, `SUCCEEDED_0.json` and the like; a status no child has, has no file."""
    sorted_children: dict[str, list[Record]] = {}
    for child in children:
        sorted_children.setdefault(_FILES.get(child["status"], "FAILED"), []).append(child)
    ending = formatting.output_type.lower()
    return {
        f"{kind}_0.{ending}": _written(of_children(found, formatting.transformation), formatting.output_type)
        for kind, found in sorted_children.items()
    }


def manifest(bucket: str, map_run_arn: str, sizes: dict[str, int]) -> str:
    """The manifest of a Map Run's files.

    Args:
        bucket: The bucket they are in.
        map_run_arn: The Map Run.
        sizes: Bytes by key.
    """
    kinds: dict[str, list[Record]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
    for key, size in sizes.items():
        kinds[key.rpartition("/")[2].partition("_")[0]].append({"Key": key, "Size": size})
    return json.dumps({"DestinationBucket": bucket, "MapRunArn": map_run_arn, "ResultFiles": kinds})


def _written(results: list[Any], output_type: str) -> str:
    if output_type == "JSONL":
        return "".join(json.dumps(result) + "\n" for result in results)
    return json.dumps(results)
