"""Skills of folders and commits: what is made, what is granted, what is refused."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_bedrockagentcore as agentcore
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk.assertions import Annotations, Match, Template
from support import synth

from agentcore_constructs import ApiKey, DirectorySkill, Harness, HarnessConfigError, PinnedGitSkill, Skill
from agentcore_constructs.skills import folder as folders

if TYPE_CHECKING:
    from pathlib import Path

SKILL = "---\nname: {}\ndescription: d\n---\nBody.\n"
URL = "https://git.example.com/team/skills.git"
KEY_ARN = "arn:aws:bedrock-agentcore:us-east-1:111122223333:token-vault/default/apikeycredentialprovider/git"


@pytest.fixture
def excel(tmp_path: Path) -> Path:
    folder = tmp_path / "excel"
    folder.mkdir()
    (folder / "SKILL.md").write_text(SKILL.format("excel"))
    return folder


def statements(stack: cdk.Stack, resource_type: str) -> dict[str, Any]:
    found = Template.from_stack(stack).find_resources(resource_type).values()
    listed = [one for resource in found for one in resource["Properties"]["PolicyDocument"]["Statement"]]
    return {one["Sid"]: one for one in listed if "Sid" in one}


def refusals(*skills: Any) -> list[str]:
    with pytest.raises(HarnessConfigError) as caught:
        Harness(synth.new_stack(), "Agent", skills=list(skills))
    return [str(fault) for fault in caught.value.faults]


class TestFolder:
    def test_it_goes_under_its_hash_into_the_bucket_of_the_stack(self, stack: cdk.Stack, excel: Path) -> None:
        harness = Harness(stack, "Agent", skills=[Skill.from_directory(excel)])
        made = harness.node.find_child("Skill-excel")
        template = Template.from_stack(stack)
        template.has_resource_properties(
            "AWS::S3::Bucket",
            {
                "BucketEncryption": Match.any_value(),
                "PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "RestrictPublicBuckets": True},
            },
        )
        template.resource_count_is("AWS::S3::Bucket", 1)
        template.has_resource_properties(
            "Custom::CDKBucketDeployment",
            {"DestinationBucketKeyPrefix": made.prefix, "Prune": False, "RetainOnDelete": False},
        )
        uri = template.find_resources("AWS::BedrockAgentCore::Harness").popitem()[1]["Properties"]["Skills"][0]["S3"][
            "Uri"
        ]
        assert uri["Fn::Join"][1][2] == f"/{made.prefix}/{made.content_hash[:16]}/excel/"

    def test_the_role_may_read_all_versions_and_nothing_else(self, stack: cdk.Stack, excel: Path) -> None:
        harness = Harness(stack, "Agent", skills=[Skill.from_directory(excel)])
        prefix = harness.node.find_child("Skill-excel").prefix
        granted = statements(stack, "AWS::IAM::ManagedPolicy")
        ends = [resource["Fn::Join"][1][-1] for resource in granted["AgentCoreSkillS3Access"]["Resource"]]
        assert ends == [f"/{prefix}", f"/{prefix}/*"]
        assert granted["AgentCoreSkillS3List"]["Condition"] == {"StringLike": {"s3:prefix": [prefix, f"{prefix}/*"]}}

    def test_the_hash_follows_the_content(self, excel: Path) -> None:
        before = folders.read(excel).content_hash
        assert folders.read(excel).content_hash == before
        (excel / "notes.md").write_text("n")
        after = folders.read(excel).content_hash
        assert after != before
        (excel / "__pycache__").mkdir()
        (excel / "__pycache__" / "x.pyc").write_text("x")
        (excel / ".git").write_text("gitdir: elsewhere")
        assert folders.read(excel).content_hash == after

    def test_two_folders_share_the_bucket_and_the_function(self, stack: cdk.Stack, excel: Path) -> None:
        word = excel.parent / "word"
        word.mkdir()
        (word / "SKILL.md").write_text(SKILL.format("word"))
        Harness(stack, "Agent", skills=[Skill.from_directory(excel), Skill.from_directory(word)])
        template = Template.from_stack(stack)
        template.resource_count_is("AWS::S3::Bucket", 1)
        template.resource_count_is("Custom::CDKBucketDeployment", 2)
        unpackers = template.find_resources("AWS::Lambda::Function", {"Properties": {"MemorySize": 512}})
        assert len([one for one in unpackers if one.startswith("CustomCDKBucketDeployment")]) == 1

    def test_a_bucket_of_ones_own_keeps_stacks_apart(self, stack: cdk.Stack, excel: Path) -> None:
        key = kms.Key(stack, "Key")
        bucket = s3.Bucket(stack, "Own", encryption_key=key)
        Harness(stack, "Agent", skills=[Skill.from_directory(excel, bucket=bucket)])
        (deployed,) = Template.from_stack(stack).find_resources("Custom::CDKBucketDeployment").values()
        prefix = deployed["Properties"]["DestinationBucketKeyPrefix"]["Fn::Join"][1]
        assert prefix[1] == {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}
        assert "AgentCoreSkillS3Key" in statements(stack, "AWS::IAM::ManagedPolicy")

    def test_links_to_files_of_the_skill_are_followed(self, excel: Path) -> None:
        (excel / "copy.md").symlink_to("SKILL.md")
        found = folders.read(excel)
        assert (found.faults, sorted(found.files)) == ([], ["SKILL.md", "copy.md"])

    def test_what_is_refused(self, tmp_path: Path, excel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "empty").mkdir()
        (tmp_path / "small").mkdir()
        (tmp_path / "small" / "skill.md").write_text("")
        (tmp_path / "all" / "word").mkdir(parents=True)
        (tmp_path / "all" / "word" / "SKILL.md").write_text(SKILL.format("word"))
        (tmp_path / "latin").mkdir()
        (tmp_path / "latin" / "SKILL.md").write_bytes(b"---\nname: \xe9\n")
        (tmp_path / "links").mkdir()
        (tmp_path / "links" / "SKILL.md").write_text(SKILL.format("links"))
        for name, target in {"out": "../excel/SKILL.md", "gone": "nothing", "loop": "."}.items():
            (tmp_path / "links" / name).symlink_to(target)
        paths = ["none", "excel/SKILL.md", "empty", "small", "all", "latin", "links"]
        assert refusals(*(Skill.from_directory(path) for path in paths), Skill.from_directory("excel", bucket="b")) == [
            (
                "skills[0].directory: must be a directory (none); received none; name the directory that holds "
                "SKILL.md; it is "
                "looked up from where the app runs."
            ),
            (
                "skills[1].directory: must be a directory (excel/SKILL.md); received a file; name the directory "
                "that holds "
                "SKILL.md; it is looked up from where the app runs."
            ),
            (
                "skills[2].directory: must have a file SKILL.md (empty); received none; write one, with name and "
                "description."
            ),
            "skills[3].directory: must have a file SKILL.md (small); received skill.md; rename skill.md.",
            "skills[4].directory: must have a file SKILL.md (all); received none; name all/word/SKILL.md's directory.",
            "skills[5].directory: must be UTF-8 (latin/SKILL.md); received another encoding; save it as UTF-8.",
            (
                "skills[6].directory: must have symbolic links to files only (links/gone); received a symbolic "
                "link to nothing; "
                "remove it."
            ),
            (
                "skills[6].directory: must have symbolic links to files only (links/loop); received a symbolic "
                "link to a "
                "directory; remove it."
            ),
            (
                "skills[6].directory: must not lead out of the skill (links/out); received a symbolic link that "
                "does; put a "
                "copy of the file there."
            ),
            (
                "skills[7].bucket: must be a bucket (s3.IBucket), its name or its ARN; received 'b' (1 character); "
                "pass the bucket, or write its name."
            ),
        ]

    def test_limits(self, excel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(folders, "MOST_FILES", 2)
        (excel / "a").write_text("a")
        assert folders.read(excel).faults == []
        (excel / "b").write_text("b")
        assert [fault.must for fault in folders.read(excel).faults] == [f"must have at most 2 files ({excel})"]
        monkeypatch.setattr(folders, "MOST_FILES", 9)
        with (excel / "c").open("wb") as file:
            os.truncate(file.fileno(), folders.MOST_BYTES)
        (fault,) = folders.read(excel).faults
        assert (fault.must, fault.received) == (f"must have at most 100 MiB ({excel})", "100.0 MiB")

    def test_once_only(self, excel: Path) -> None:
        assert refusals(Skill.from_directory(excel), Skill.from_directory(excel)) == [
            (
                f"skills[1].directory: must be given once; received {excel}; remove one; of two skills of one "
                f"name the agent has "
                "the last."
            )
        ]

    def test_a_long_one_is_warned_of(self, stack: cdk.Stack, excel: Path) -> None:
        with (excel / "SKILL.md").open("a") as file:
            file.write("line\n" * 500)
        DirectorySkill(stack, "Long", directory=excel)
        Annotations.from_stack(stack).has_warning("/Agents/Long", Match.string_like_regexp("has 505 lines.*long-skill"))


class TestCommit:
    def test_it_is_fetched_by_the_custom_resource_and_read_from_s3(self, stack: cdk.Stack) -> None:
        harness = Harness(stack, "Agent", skills=[Skill.git(URL, ref="v1", path="skills/excel")])
        (made,) = [child for child in harness.node.children if isinstance(child, PinnedGitSkill)]
        template = Template.from_stack(stack)
        template.has_resource_properties(
            "Custom::AgentCorePinnedGitSkill",
            {"Kind": "PinnedGitSkill", "Url": URL, "Revision": "v1", "Path": "skills/excel", "Prefix": made.prefix},
        )
        (resource,) = template.find_resources("AWS::BedrockAgentCore::Harness").values()
        assert resource["Properties"]["Skills"][0]["S3"]["Uri"]["Fn::Join"][1][3]["Fn::GetAtt"][1] == "Key"
        assert stack.resolve(made.commit)["Fn::GetAtt"][1] == "Commit"
        granted = statements(stack, "AWS::IAM::ManagedPolicy")
        assert granted["AgentCoreSkillS3List"]["Condition"]["StringLike"]["s3:prefix"][0] == made.prefix
        Annotations.from_stack(stack).has_no_warning("*", Match.string_like_regexp("floating-skill"))

    def test_another_commit_is_the_same_resource(self) -> None:
        ids = set()
        for ref in ("v1", "v2"):
            stack = synth.new_stack()
            Harness(stack, "Agent", skills=[Skill.git(URL, ref=ref)])
            ids |= set(synth.resources(stack, "Custom::AgentCorePinnedGitSkill"))
        assert len(ids) == 1

    def test_what_the_function_may_do(self, stack: cdk.Stack) -> None:
        made = PinnedGitSkill(stack, "Skill", url=URL, ref="v1", credential=KEY_ARN)
        granted = statements(stack, "AWS::IAM::Policy")
        assert granted["SkillFiles"]["Action"] == ["s3:PutObject", "s3:GetObject", "s3:DeleteObject"]
        assert made.prefix.startswith("skills/")
        assert granted["SkillFiles"]["Resource"]["Fn::Join"][1][1] == "/skills/*"
        assert granted["SkillList"]["Condition"] == {"StringLike": {"s3:prefix": "skills/*"}}
        assert granted["SkillCredential"]["Action"] == "bedrock-agentcore:GetApiKeyCredentialProvider"
        assert granted["SkillCredential"]["Resource"][0] == KEY_ARN
        assert granted["SkillToken"]["Action"] == "secretsmanager:GetSecretValue"
        assert granted["SkillToken"]["Resource"]["Fn::Join"][1][-1].endswith(
            ":secret:bedrock-agentcore-identity!default/apikey/git-*"
        )
        assert set(granted) >= {"SkillFiles", "SkillList", "SkillCredential", "SkillToken"}
        assert "SkillTokenKey" not in granted

    def test_in_a_bucket_of_ones_own_it_is_kept_to_the_skills_of_the_stack(self, stack: cdk.Stack) -> None:
        bucket = s3.Bucket(stack, "Bucket")
        PinnedGitSkill(stack, "Skill", url=URL, ref="v1", bucket=bucket)
        granted = statements(stack, "AWS::IAM::Policy")
        stack_id = {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}
        assert granted["SkillFiles"]["Resource"]["Fn::Join"][1][1:] == ["/skills/", stack_id, "/*"]
        prefix = granted["SkillList"]["Condition"]["StringLike"]["s3:prefix"]
        assert prefix == {"Fn::Join": ["", ["skills/", stack_id, "/*"]]}

    def test_a_provider_of_the_stack(self, stack: cdk.Stack) -> None:
        provider = agentcore.ApiKeyCredentialProvider(stack, "Key", api_key=cdk.SecretValue.unsafe_plain_text("x"))
        PinnedGitSkill(stack, "Skill", url=URL, ref="v1", credential=provider)
        resource = statements(stack, "AWS::IAM::Policy")["SkillToken"]["Resource"]["Fn::Join"][1]
        assert "Fn::Select" in resource[-2]
        assert resource[-1] == "-*"

    def test_a_secret_of_the_users_own_is_named(self, stack: cdk.Stack) -> None:
        key = kms.Key(stack, "Kms")
        secret = secretsmanager.Secret(stack, "Secret", encryption_key=key)
        PinnedGitSkill(stack, "Skill", url=URL, ref="v1", credential=ApiKey(stack, "Key", secret, json_key="token"))
        granted = statements(stack, "AWS::IAM::Policy")
        assert granted["SkillToken"]["Resource"] == {"Ref": stack.get_logical_id(secret.node.default_child)}
        assert granted["SkillTokenKey"]["Condition"] == {
            "StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}
        }

    def test_others_may_be_let_read(self, stack: cdk.Stack) -> None:
        made = PinnedGitSkill(stack, "Skill", url=URL, ref="v1")
        role = iam.Role(stack, "Reader", assumed_by=iam.ServicePrincipal("bedrock-agentcore.amazonaws.com"))
        made.grant_read(role)
        (policy,) = [
            resource["Properties"]["PolicyDocument"]["Statement"]
            for name, resource in Template.from_stack(stack).find_resources("AWS::IAM::Policy").items()
            if name.startswith("Reader")
        ]
        assert [one["Action"] for one in policy] == ["s3:GetObject", "s3:ListBucket"]
        assert policy[1]["Condition"] == {"StringLike": {"s3:prefix": f"{made.prefix}/*"}}

    def test_without_a_ref_it_floats_and_a_warning_says_so(self, stack: cdk.Stack) -> None:
        Harness(stack, "Agent", skills=[Skill.git(f"{URL}?private_token=abc")])
        found = Annotations.from_stack(stack).find_warning("/Agents/Agent", Match.string_like_regexp("floats"))
        assert [entry.entry.data for entry in found] == [
            (
                "The skill from git.example.com/team/skills.git floats: every new session gets what is on the "
                "default branch "
                "then, in all versions of the harness, whoever pushed it. Skill.git(url, ref=…) pins it to a commit. "
                "[ack: @agentcore-harness-cdk:floating-skill]"
            )
        ]

    def test_what_is_refused(self) -> None:
        skills: list[Any] = [
            Skill.git("http://x/y", ref="v1"),
            Skill.git("https://x/y#main", ref="v1"),
            Skill.git("https://user:secret@x/y", ref="v1"),
            Skill.git("https://x/y?token=secret", ref="v1"),
            Skill.git("https://x/y", ref="a b"),
            Skill.git("https://x/y", ref="-x", path="../z"),
            Skill.git("https://x/z", ref="v1", username="u", bucket=5, ca_certificates="nonsense"),
            Skill.git("https://x/y", path="a/../../b"),
            Skill.git("https://x/y", refresh="1", bucket="b"),  # type: ignore[call-overload]
            Skill.git("https://x/w", ref="v1"),
            Skill.git("https://x/w", ref="v2"),
        ]
        found = refusals(*skills)
        url = "must be an https:// URL without '#' or '@', 8–16383 characters"
        assert [text.split(";")[0] for text in found] == [
            f"skills[0].url: {url}",
            f"skills[1].url: {url}",
            f"skills[2].url: {url}",
            "skills[3].url: must have no query",
            "skills[4].ref: must be a commit (40 hexadecimal characters), a tag or a branch, 1–255 characters",
            "skills[5].ref: must be a commit (40 hexadecimal characters), a tag or a branch, 1–255 characters",
            "skills[5].path: must be a directory in the repository, with slashes, without '..'",
            "skills[6].caCertificates: must be certificates in PEM, 1–3000 characters",
            "skills[6].username: must come with a credential",
            "skills[6].bucket: must be a bucket (s3.IBucket), its name or its ARN",
            "skills[10].url: must be given once",
            "skills[8].git: must have a ref for what only pinned skills take",
            "skills[7].git.path: must be a directory in the repository, with slashes, without '..'",
        ]
        assert not [text for text in found if "secret" in text or "nonsense" in text]

    def test_parameters_pass(self, stack: cdk.Stack) -> None:
        ref = cdk.CfnParameter(stack, "Ref").value_as_string
        PinnedGitSkill(stack, "Skill", url=URL, ref=ref)
        Template.from_stack(stack).has_resource_properties(
            "Custom::AgentCorePinnedGitSkill", {"Revision": {"Ref": "Ref"}}
        )


@pytest.mark.parametrize("bucket", ["arn:aws:s3:::shared-skills", "shared-skills"])
def test_a_bucket_may_be_given_by_its_name(bucket: str, tmp_path: Path) -> None:
    folder = tmp_path / "excel"
    folder.mkdir()
    folder.joinpath("SKILL.md").write_text("---\nname: excel\ndescription: Reads workbooks.\n---\n")
    stack = synth.new_stack()
    skills = [
        Skill.from_directory(folder, bucket=bucket),
        Skill.git("https://example.com/skills.git", ref="v1", bucket=bucket),
    ]
    Harness(stack, "Agent", skills=skills)
    template = synth.template_of(stack)
    template.resource_count_is("AWS::S3::Bucket", 0)
    (pinned,) = template.find_resources("Custom::AgentCorePinnedGitSkill").values()
    (copied,) = template.find_resources("Custom::CDKBucketDeployment").values()
    assert pinned["Properties"]["Bucket"] == copied["Properties"]["DestinationBucketName"] == "shared-skills"


def test_a_harness_waits_for_the_files_of_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "excel"
    folder.mkdir()
    folder.joinpath("SKILL.md").write_text("---\nname: excel\ndescription: Reads workbooks.\n---\n")
    stack = synth.new_stack()
    Harness(stack, "Agent", skills=[Skill.from_directory(folder)])
    template = synth.template_of(stack)
    (copied,) = template.find_resources("Custom::CDKBucketDeployment")
    (harness,) = template.find_resources("AWS::BedrockAgentCore::Harness").values()
    assert copied in harness["DependsOn"]


def test_what_is_no_path_is_no_folder() -> None:
    nothing: Any = 5
    (fault,) = refusals(Skill.from_directory(nothing))
    assert fault.startswith("skills[0].directory: must be the path of a directory; received 5")


def test_what_a_branch_was_resolved_to_is_an_output() -> None:
    stack = synth.new_stack()
    PinnedGitSkill(stack, "Branch", url="https://example.com/skills.git", ref="main")
    PinnedGitSkill(stack, "Pinned", url="https://example.com/skills.git", ref="0123456789" * 4)

    ((name, output),) = synth.template_of(stack).find_outputs("*").items()
    assert name.startswith("BranchCommit")
    assert output["Value"]["Fn::GetAtt"][1] == "Commit"
    assert output["Description"] == "What the ref of the skill Agents/Branch was resolved to"
