"""Keeps mounts of S3 Files and their buckets in step, as the service does.

Objects become files when an invocation begins, and files become objects when it ends, so that a test need not wait; S3
Files itself copies both ways in the background. Where both have changed the bucket wins
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-files-synchronization.html). It is the service that copies,
with the role of the file system, so the execution role is not asked.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from agentcore_local import clients, facts

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)

LARGEST = 100 << 20
"""Bytes of an object that becomes a file. S3 Files reads objects when they are used; here all are copied."""

_LOCK = threading.Lock()


def bring_in(account: str, file_system: str, root: Path) -> None:
    """Makes the objects that are new or other than before files, and removes files whose objects are gone.

    Args:
        account: Whose file system it is.
        file_system: Its ARN.
        root: Its root directory on the host.
    """
    if (behind := _behind(account, file_system)) is None:
        return
    client, bucket, prefix = behind
    with _known(root, bucket) as known:
        there = dict(_objects(client, bucket, prefix))
        for path, item in there.items():
            if known.get(path, {}).get("etag") == item["ETag"]:
                continue
            if item["Size"] > LARGEST:
                logger.warning("object=<s3://%s/%s> | too large to be a file here", bucket, item["Key"])
                continue
            if path in known and _stamp(root / path) not in (None, known[path]["stamp"]):
                logger.warning("path=<%s> | changed on both sides; the object is taken", path)
            if _write(root, path, client.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()):
                known[path] = {"etag": item["ETag"], "stamp": _stamp(root / path)}
        for path in known.keys() - there.keys():
            if _stamp(root / path) == known.pop(path)["stamp"]:
                (root / path).unlink(missing_ok=True)


def take_out(account: str, file_system: str, root: Path) -> None:
    """Makes the files that are new or other than before objects, and removes objects whose files are gone.

    Args:
        account: Whose file system it is.
        file_system: Its ARN.
        root: Its root directory on the host.
    """
    if (behind := _behind(account, file_system)) is None:
        return
    client, bucket, prefix = behind
    with _known(root, bucket) as known:
        files = {path: _stamp(root / path) for path in _files(root)}
        for path, stamp in files.items():
            if known.get(path, {}).get("stamp") != stamp:
                put = client.put_object(Bucket=bucket, Key=f"{prefix}{path}", Body=(root / path).read_bytes())
                known[path] = {"etag": put["ETag"], "stamp": stamp}
        for path in known.keys() - files.keys():
            client.delete_object(Bucket=bucket, Key=f"{prefix}{path}")
            del known[path]


def _behind(account: str, file_system: str) -> tuple[Any, str, str] | None:
    """A client, the bucket and the prefix of a file system; None for one that no stack here made."""
    region = file_system.split(":")[3]
    found = facts.bucket_of_files((account, region), file_system)
    if found is None:
        return None
    return clients.shared("s3", account, region), *found


def _objects(client: Any, bucket: str, prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects that can be files, by their paths."""
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", ()):
            path = item["Key"].removeprefix(prefix)
            # Keys such as "a//b" and "../b" are no paths; those with a slash at the end are folders of the console.
            is_path = str(PurePosixPath(path)) == path and not path.startswith("/") and ".." not in path.split("/")
            if path and is_path:
                yield path, item


def _files(root: Path) -> Iterator[str]:
    """The paths of files, without what links lead to: an agent may have made them."""
    for folder, _, names in os.walk(root):  # which follows no links
        for name in names:
            if (file := Path(folder, name)).is_file() and not file.is_symlink():
                yield file.relative_to(root).as_posix()


def _write(root: Path, path: str, content: bytes) -> bool:
    """Writes a file, and tells whether it could: an object may have the name of a folder, or lead through a link."""
    file = root / path
    if any((root / above).is_symlink() for above in (path, *map(str, PurePosixPath(path).parents))):
        return False
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.write_bytes(content)
    except OSError as error:
        logger.warning("path=<%s>, error=<%s> | the object is no file", path, error)
        return False
    return True


def _stamp(file: Path) -> list[int] | None:
    """What changes with a file; None when there is none."""
    if file.is_symlink() or not file.is_file():
        return None
    status = file.stat()
    return [status.st_mtime_ns, status.st_size]


@contextmanager
def _known(root: Path, bucket: str) -> Iterator[dict[str, dict[str, Any]]]:
    """What was in step last, by path, to be changed within; it is kept as far as that gets before S3 refuses."""
    notes = root.with_name(f"{root.name}.json")
    with _LOCK:
        known: dict[str, dict[str, Any]] = json.loads(notes.read_text()) if notes.exists() else {}
        try:
            yield known
        except ClientError as error:
            said = error.response["Error"].get("Code")
            logger.warning("bucket=<%s>, error=<%s> | files and objects are not in step", bucket, said)
        notes.write_text(json.dumps(known))
