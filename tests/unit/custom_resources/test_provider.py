"""The function behind custom resources: what its role gets, and how much that may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Annotations, Match, Template
from support import synth

from agentcore_constructs import PinnedGitSkill
from agentcore_constructs.custom_resources import CustomResource

if TYPE_CHECKING:
    import aws_cdk as cdk

URL = "https://git.example.com/team/skills.git"
KEY_ARN = "arn:aws:bedrock-agentcore:us-east-1:111122223333:token-vault/default/apikeycredentialprovider/git"
KIND = "Custom::AgentCorePinnedGitSkill"


def statement(sid: str, resource: str = "arn:aws:s3:::b") -> iam.PolicyStatement:
    return iam.PolicyStatement(sid=sid, actions=["s3:ListBucket"], resources=[resource])


def of_the_function(stack: cdk.Stack) -> dict[str, list[str]]:
    """Logical id → Sids, of the policies that custom resources brought."""
    return {
        name: [one["Sid"] for one in policy["Properties"]["PolicyDocument"]["Statement"]]
        for name, policy in synth.resources(stack, "AWS::IAM::Policy").items()
        if "HandlerRole" in str(policy["Properties"]["Roles"]) and "DefaultPolicy" not in name
    }


def test_what_one_needs_is_a_policy_of_its_own_that_outlives_it(stack: cdk.Stack) -> None:
    for name in ("One", "Two"):
        CustomResource(stack, name, kind="PinnedGitSkill", properties={}, statements=[statement(name)])
    policies = of_the_function(stack)
    assert sorted(policies.values()) == [["One"], ["Two"]]
    found = Template.from_stack(stack).find_resources(KIND)
    for name, resource in found.items():
        assert resource["DependsOn"] == [next(one for one, sids in policies.items() if name.startswith(sids[0]))]


def test_what_several_need_is_one_policy_that_outlives_all_of_them(stack: cdk.Stack) -> None:
    for name in ("One", "Two"):
        shared = [[statement("Everybody")], [statement(name)]]
        CustomResource(stack, name, kind="PinnedGitSkill", properties={}, statements=(), shared=shared)
    policies = of_the_function(stack)
    assert sorted(policies.values()) == [["Everybody"], ["One"], ["Two"]]
    (everybody,) = [name for name, sids in policies.items() if sids == ["Everybody"]]
    for resource in Template.from_stack(stack).find_resources(KIND).values():
        assert everybody in resource["DependsOn"]
        assert len(resource["DependsOn"]) == 2


def test_the_id_of_a_shared_policy_follows_from_what_it_says() -> None:
    ids = set()
    for names in (("One", "Two"), ("Two", "One")):
        stack = synth.new_stack()
        for name in names:
            shared = [[statement(name)]]
            CustomResource(stack, name, kind="PinnedGitSkill", properties={}, statements=(), shared=shared)
        ids.add(frozenset(of_the_function(stack)))
    assert len(ids) == 1


def test_many_skills_of_one_repository_fit_into_the_role(stack: cdk.Stack) -> None:
    """What is inline in a role has 10,240 characters together."""
    for number in range(60):
        PinnedGitSkill(stack, f"Skill{number}", url=URL, ref="v1", path=f"skills/{number}", credential=KEY_ARN)
    assert sorted(of_the_function(stack).values()) == [["SkillCredential", "SkillToken"], ["SkillFiles", "SkillList"]]
    Annotations.from_stack(stack).has_no_warning("*", Match.string_like_regexp("custom-resource-policies"))


@pytest.mark.parametrize(("count", "warned"), [(9, 0), (10, 1), (11, 1)])
def test_more_than_fits_is_warned_of(stack: cdk.Stack, count: int, warned: int) -> None:
    for number in range(count):
        CustomResource(
            stack,
            f"Resource{number}",
            kind="PinnedGitSkill",
            properties={},
            statements=[statement("A", f"arn:aws:s3:::{number}{'x' * 920}")],
        )
    text = Match.string_like_regexp(r"share one function.*: up to 1[01],\d+ of 10,240, .*custom-resource-policies")
    found = Annotations.from_stack(stack).find_warning("*", text)
    assert len(found) == warned
