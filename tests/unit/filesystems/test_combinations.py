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


def statements(resources: dict[str, Any], name: str) -> dict[str, Any]:
    """Sid → resources, of the role of one harness."""
    found = {}
    for logical_id, one in resources.items():
        if one["Type"] == "AWS::IAM::ManagedPolicy":
            harness = logical_id.removesuffix(logical_id[-8:]).removesuffix("Policy").removesuffix("ManagedMemory")
            if harness == name:
                for statement in one["Properties"]["PolicyDocument"]["Statement"]:
                    found[statement["Sid"]] = statement["Resource"]
    return found


def granted(resources: dict[str, Any], name: str) -> set[str]:
    """The Sids that one harness's role has beyond those every role has."""
    return set(statements(resources, name)) - (set(statements(resources, "Nothing")) - PUBLIC_IMAGE)


def harness_of(resources: dict[str, Any], name: str) -> tuple[str, dict[str, Any]]:
    """Logical id and resource of one harness."""
    ((logical_id, found),) = [
        (logical_id, one)
        for logical_id, one in resources.items()
        if one["Type"] == "AWS::BedrockAgentCore::Harness" and logical_id[:-8] == name
    ]
    return logical_id, found


def named(resources: dict[str, Any], kind: str, name: str) -> str:
    """Logical id of the one resource of a kind that begins with a name."""
    (found,) = [
        logical_id for logical_id, one in resources.items() if one["Type"] == kind and logical_id.startswith(name)
    ]
    return found


@pytest.mark.parametrize("parts", COMBINATIONS, ids=name_of)
def test_configuration(resources: dict[str, Any], parts: frozenset[str]) -> None:
    _, harness = harness_of(resources, name_of(parts))
    properties = harness["Properties"]
    runtime = properties.get("Environment", {}).get("AgentCoreRuntimeEnvironment", {})
    network = runtime.get("NetworkConfiguration", {"NetworkMode": "PUBLIC"})
    assert network["NetworkMode"] == ("VPC" if "vpc" in parts else "PUBLIC")
    assert len(network.get("NetworkModeConfig", {}).get("Subnets", [])) == (2 if "vpc" in parts else 0)
    assert ("EnvironmentArtifact" in properties) == ("image" in parts)
    mounts = [next(iter(mount)) for mount in runtime.get("FilesystemConfigurations", [])]
    assert mounts == (["EfsAccessPoint", "S3FilesAccessPoint"] if "files" in parts else [])
    memory = properties["Memory"]
    assert next(iter(memory)) == ("ManagedMemoryConfiguration" if "memory" in parts else "Disabled")
    assert ("EncryptionKeyArn" in memory.get("ManagedMemoryConfiguration", {})) == ({"memory", "key"} <= parts)
    # A session that finds no mount target fails: one in each of two zones, of both kinds.
    targets = [one for one in harness.get("DependsOn", []) if "MountTarget" in one]
    assert len(targets) == (4 if "files" in parts else 0)


@pytest.mark.parametrize("parts", COMBINATIONS, ids=name_of)
def test_what_is_granted_is_its_own(resources: dict[str, Any], parts: frozenset[str]) -> None:
    name = name_of(parts)
    logical_id, _ = harness_of(resources, name)
    key = {"Fn::GetAtt": [named(resources, "AWS::KMS::Key", "Encryption"), "Arn"]}
    repository = {"Fn::GetAtt": [named(resources, "AWS::ECR::Repository", "Repository"), "Arn"]}
    expected = {}
    if "image" in parts:
        expected["ECRImageAccess"] = [repository]
    if "memory" in parts:
        expected["AgentCoreManagedMemory"] = [{"Fn::GetAtt": [logical_id, "Memory.ManagedMemoryConfiguration.Arn"]}]
    if {"memory", "key"} <= parts:
        expected["AgentCoreMemoryKey"] = [key]
    if "files" in parts:
        efs = named(resources, "AWS::EFS::FileSystem", f"{name}Mountefs")
        point = named(resources, "AWS::S3Files::AccessPoint", f"{name}Mounts3")
        expected["EFSClientAccess"] = [{"Fn::GetAtt": [efs, "Arn"]}]
        expected["S3FilesGetAccessPoint"] = [{"Fn::GetAtt": [point, "AccessPointArn"]}]
    found = statements(resources, name)
    asked = set(expected) | {"ECRImageAccess", "AgentCoreManagedMemory", "AgentCoreMemoryKey", "EFSClientAccess"}
    assert {sid: found[sid] for sid in asked if sid in found} == expected


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
