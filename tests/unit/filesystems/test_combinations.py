"""VPC, image, file systems, memory and keys in every combination: each brings its own permissions, and nothing else."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Template
from support import synth

from agentcore_constructs import Environment, FileSystem, Harness, HarnessImage, Memory

PUBLIC_IMAGE = {"EcrPublicTokenAccess", "StsForEcrPublicPull"}
MANAGED_IMAGE = {"EcrManagedImagePull", "ECRTokenAccess"}
OWN_IMAGE = {"ECRImageAccess", "ECRTokenAccess"}
FILES = {
    "EFSClientAccess", "EFSDescribe", "S3FilesClientReadOnly", "S3FilesGetAccessPoint", "S3FilesListMountTargets",
}  # fmt: skip
PARTS = ("vpc", "image", "files", "memory", "key")
COMBINATIONS = [
    frozenset(part for part, there in zip(PARTS, chosen, strict=True) if there)
    for chosen in product((False, True), repeat=len(PARTS))
    # Files need a VPC, and a key something to encrypt.
    if (not chosen[2] or chosen[0]) and (not chosen[4] or chosen[2] or chosen[3])
]


def name_of(parts: frozenset[str]) -> str:
    return "".join(part.capitalize() for part in PARTS if part in parts) or "Nothing"


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    stack = synth.new_stack()
    vpc = ec2.Vpc(stack, "Network", max_azs=2)
    key = kms.Key(stack, "Encryption")
    repository = ecr.Repository(stack, "Repository")
    for parts in COMBINATIONS:
        used = key if "key" in parts else None
        files = [
            FileSystem.efs(mount_path="/mnt/efs", encryption_key=used),
            FileSystem.s3_files(mount_path="/mnt/s3", encryption_key=used, read_only=True),
        ]
        Harness(
            stack,
            name_of(parts),
            environment=Environment.vpc(vpc) if "vpc" in parts else None,
            image=HarnessImage.from_ecr(repository, tag="1") if "image" in parts else None,
            filesystems=files if "files" in parts else [],
            memory=Memory.managed(encryption_key=used) if "memory" in parts else Memory.disabled(),
        )
    made: dict[str, Any] = Template.from_stack(stack).to_json()["Resources"]
    return made


def granted(resources: dict[str, Any], name: str) -> set[str]:
    """The Sids that one harness's role has beyond those every role has."""
    found = {}
    for logical_id, one in resources.items():
        if one["Type"] == "AWS::IAM::ManagedPolicy":
            harness = logical_id.removesuffix(logical_id[-8:]).removesuffix("Policy").removesuffix("ManagedMemory")
            sids = {statement["Sid"] for statement in one["Properties"]["PolicyDocument"]["Statement"]}
            found.setdefault(harness, set()).update(sids)
    return found[name] - (found["Nothing"] - PUBLIC_IMAGE)


@pytest.mark.parametrize("parts", COMBINATIONS, ids=name_of)
def test_permissions(resources: dict[str, Any], parts: frozenset[str]) -> None:
    expected = set(MANAGED_IMAGE if "vpc" in parts else PUBLIC_IMAGE)
    if "image" in parts:
        expected |= OWN_IMAGE
    if "files" in parts:
        expected |= FILES
    if "memory" in parts:
        expected.add("AgentCoreManagedMemory")
        if "key" in parts:
            expected.add("AgentCoreMemoryKey")
    assert granted(resources, name_of(parts)) == expected


def test_keys_are_used_where_they_are_given(resources: dict[str, Any]) -> None:
    keyed = {parts for parts in COMBINATIONS if {"files", "key"} <= parts}
    for kind in ("AWS::EFS::FileSystem", "AWS::S3Files::FileSystem"):
        with_key = [one for one in resources.values() if one["Type"] == kind and "KmsKeyId" in one["Properties"]]
        assert len(with_key) == len(keyed)
