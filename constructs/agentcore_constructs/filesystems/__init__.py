"""File systems that sessions share: S3 Files, and what a mount needs around EFS and S3 Files."""

from __future__ import annotations

from .access_point import S3FilesAccessPoint as S3FilesAccessPoint
from .s3_files import S3FilesFileSystem as S3FilesFileSystem

__all__ = ["S3FilesAccessPoint", "S3FilesFileSystem"]
