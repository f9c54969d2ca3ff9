"""Datasets and results of Map Runs in S3, read and written with the role of the state machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from agentcore_local import clients, machine_roles, seams
from agentcore_local.seams import states_language as language

from . import items, results

if TYPE_CHECKING:
    from collections.abc import Sequence

Record = dict[str, Any]

_READER = "States.ItemReaderFailed"
_WRITER = "States.ResultWriterFailed"
_RESOURCES = {"arn:aws:states:::s3:getObject": "object", "arn:aws:states:::s3:listObjectsV2": "list"}


def read(resource: str, arguments: Record, config: Record) -> list[items.Item]:
    """The items an ItemReader reads.

    Args:
        resource: Its Resource.
        arguments: Its Arguments or Parameters: `Bucket`, and `Key` or `Prefix`.
        config: Its ReaderConfig.

    Raises:
        Exception: `States.ItemReaderFailed`.
    """
    kind = _RESOURCES.get(resource)
    if kind is None:
        raise language.task_error(
            _READER, f"ItemReader.Resource must be one of {', '.join(_RESOURCES)}; got {resource}"
        )
    bucket, loading = str(arguments.get("Bucket", "")), config.get("Transformation") == "LOAD_AND_FLATTEN"
    try:
        if kind == "object":
            return _items_of(bucket, str(arguments.get("Key", "")), config)
        objects = _listed(bucket, str(arguments.get("Prefix", "")))
        if not loading:
            return items.listed(objects, f"S3://{bucket}")
        return [item for found in objects for item in _items_of(bucket, found["Key"], config)]
    except items.DatasetError as error:
        raise language.task_error(_READER, str(error)) from error
    except ClientError as error:
        raise language.task_error(_READER, str(error)) from error


def write(writer: Record, map_run_arn: str, children: Sequence[Record], formatting: results.Formatting) -> Record:
    """Write the files of a Map Run and their manifest.

    Args:
        writer: The ResultWriter's Arguments or Parameters: `Bucket`, `Prefix`.
        map_run_arn: The Map Run; its id is the folder below the prefix.
        children: The records of the child executions.
        formatting: How results are written.

    Returns:
        The state's result: `MapRunArn` and `ResultWriterDetails`.

    Raises:
        Exception: `States.ResultWriterFailed`.
    """
    bucket, prefix = str(writer.get("Bucket", "")), str(writer.get("Prefix") or "").strip("/")
    folder = "/".join(part for part in (prefix, map_run_arn.rpartition(":")[2]) if part)
    sizes = {}
    for name, content in results.files(children, formatting).items():
        sizes[f"{folder}/{name}"] = _put(bucket, f"{folder}/{name}", content)
    key = f"{folder}/manifest.json"
    _put(bucket, key, results.manifest(bucket, map_run_arn, sizes))
    return {"MapRunArn": map_run_arn, "ResultWriterDetails": {"Bucket": bucket, "Key": key}}


def _items_of(bucket: str, key: str, config: Record) -> list[items.Item]:
    _allowed("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}", _READER)
    body = _s3().get_object(Bucket=bucket, Key=key)["Body"].read()
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise items.DatasetError(f"s3://{bucket}/{key} is not text in UTF-8") from error
    return items.parse(text, config, f"S3://{bucket}/{key}")


def _listed(bucket: str, prefix: str) -> list[Record]:
    _allowed("s3:ListBucket", f"arn:aws:s3:::{bucket}", _READER)
    pages = _s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [found for page in pages for found in page.get("Contents", [])]


def _put(bucket: str, key: str, content: str) -> int:
    _allowed("s3:PutObject", f"arn:aws:s3:::{bucket}/{key}", _WRITER)
    body = content.encode()
    try:
        _s3().put_object(Bucket=bucket, Key=key, Body=body)
    except ClientError as error:
        raise language.task_error(_WRITER, str(error)) from error
    return len(body)


def _allowed(action: str, resource: str, error: str) -> None:
    refusal = machine_roles.denial(action, resource)
    if refusal is not None:
        raise language.task_error(error, refusal)


def _s3() -> Any:
    return clients.shared("s3", *seams.current_scope())
