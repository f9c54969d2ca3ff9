"""Objects in S3 as streams: read range by range, written part by part, with a few MiB in memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from agentcore_lambdas.batch.errors import BatchInputInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

RANGE_BYTES = 8 * 1024 * 1024
PART_BYTES = 8 * 1024 * 1024
"""Of a multipart upload: at least 5 MiB, and 10,000 of them at most.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html"""
_ATTEMPTS = 4
_NOT_THERE = {"403", "404", "AccessDenied", "NoSuchKey", "NoSuchBucket", "NotFound"}
_CHANGED = {"412", "PreconditionFailed"}


def chunks(s3: Any, bucket: str, key: str) -> Iterator[bytes]:
    """Yields an object in pieces; a connection that breaks costs one piece, which is read again.

    Raises:
        BatchInputInvalid: It is not there, may not be read, or changes while it is read.
    """
    try:
        head = s3.head_object(Bucket=bucket, Key=key)
        for start in range(0, head["ContentLength"], RANGE_BYTES):
            end = min(start + RANGE_BYTES, head["ContentLength"]) - 1
            yield _range(s3, {"Bucket": bucket, "Key": key, "IfMatch": head["ETag"], "Range": f"bytes={start}-{end}"})
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _NOT_THERE:
            raise BatchInputInvalid(f"s3://{bucket}/{key} is not there, or may not be read ({code})") from None
        if code in _CHANGED:
            raise BatchInputInvalid(f"s3://{bucket}/{key} changed while it was read") from None
        raise


def _range(s3: Any, request: dict[str, str]) -> bytes:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            body: bytes = s3.get_object(**request)["Body"].read()
        except BotoCoreError:  # the SDK retries requests, and not what breaks while a body is read
            if attempt == _ATTEMPTS:
                raise
        else:
            return body
    raise AssertionError  # the last attempt returned or raised


def listed(s3: Any, bucket: str, prefix: str) -> Iterator[str]:
    """Yields the keys that begin with a prefix."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from (found["Key"] for found in page.get("Contents", []))


class Writer:
    """Writes an object of JSON Lines; nobody sees it before it is complete, and what was there is replaced.

    As a context manager: leaving it completes the object, an exception throws away what was uploaded.
    """

    def __init__(self, s3: Any, bucket: str, key: str) -> None:
        self._s3, self._where = s3, {"Bucket": bucket, "Key": key}
        self._held = bytearray()
        self._upload: str | None = None
        self._parts: list[dict[str, Any]] = []

    def write(self, value: Any) -> None:
        """Adds a line."""
        self.write_line(json.dumps(value, ensure_ascii=False).encode())

    def write_line(self, line: bytes) -> None:
        """Adds a line that is JSON already."""
        self._held += line
        self._held += b"\n"
        if len(self._held) >= PART_BYTES:
            self._send()

    def __enter__(self) -> Self:
        """Begins."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Completes the object, or throws it away."""
        if kind is not None:
            self._abort()
        elif self._upload is None:
            self._s3.put_object(**self._where, Body=bytes(self._held), ContentType="application/x-ndjson")
        else:
            if self._held:
                self._send()
            self._s3.complete_multipart_upload(
                **self._where, UploadId=self._upload, MultipartUpload={"Parts": self._parts}
            )

    def _send(self) -> None:
        if self._upload is None:
            begun = self._s3.create_multipart_upload(**self._where, ContentType="application/x-ndjson")
            self._upload = str(begun["UploadId"])
        number = len(self._parts) + 1
        sent = self._s3.upload_part(**self._where, UploadId=self._upload, PartNumber=number, Body=bytes(self._held))
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})
        self._held.clear()

    def _abort(self) -> None:
        if self._upload is not None:
            self._s3.abort_multipart_upload(**self._where, UploadId=self._upload)
