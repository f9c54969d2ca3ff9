"""Needs become statements, and statements documents that fit."""

from __future__ import annotations

import pytest

from agentcore_constructs.harness import policy
from agentcore_constructs.harness.policy import Place

PLACE = Place("aws", "us-east-1", "111122223333")


def sids(statements: list[policy.Statement]) -> list[str]:
    return [statement["Sid"] for statement in statements]


def statement(sid: str, *resources: str) -> policy.Statement:
    return {"Sid": sid, "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": list(resources)}


def test_no_need_no_statement() -> None:
    assert policy.statements({}, PLACE) == []


def test_a_need_without_a_use_gives_no_statement() -> None:
    assert policy.statements({"gateway": []}, PLACE) == []


def test_uses_of_one_feature_share_a_statement() -> None:
    (made,) = policy.statements({"gateway": [{"gateway": "arn:a"}, {"gateway": "arn:b"}]}, PLACE)

    assert made["Resource"] == ["arn:a", "arn:b"]


def test_a_resource_is_named_once() -> None:
    items = [{"provider": "p", "secret": "s", "name": "n"}, {"provider": "q", "secret": "s", "name": "n"}]

    vault, secret = policy.statements({"api_key": items}, PLACE)

    assert len(vault["Resource"]) == 5
    assert secret["Resource"] == ["s"]


def test_conditions_of_their_own_keep_uses_apart() -> None:
    items = [{"file_system": f"fs{n}", "access_point": f"ap{n}"} for n in (1, 2)]

    first, second = policy.statements({"efs": items}, PLACE)

    assert (first["Sid"], first["Resource"]) == ("EFSClientAccess", ["fs1"])
    assert (second["Sid"], second["Resource"]) == ("EFSClientAccess2", ["fs2"])
    assert second["Condition"] == {"ArnEquals": {"elasticfilesystem:AccessPointArn": "ap2"}}


def test_a_fixed_condition_lets_uses_share_a_statement() -> None:
    made = policy.statements({"harness": [{"name": "one"}, {"name": "two"}]}, PLACE)

    metrics = [one for one in made if one["Sid"].startswith("CloudWatchMetricsPublish")]
    assert [one["Condition"] for one in metrics] == [{"StringEquals": {"cloudwatch:namespace": "bedrock-agentcore"}}]


def test_two_values_of_one_condition_key() -> None:
    (made,) = policy.statements({"skill_prefix": [{"bucket": "b", "prefix": "p"}]}, PLACE)

    assert made["Condition"] == {"StringLike": {"s3:prefix": ["p", "p/*"]}}


def test_the_deny_is_a_deny() -> None:
    made = policy.statements({"harness": [{"name": "x"}]}, PLACE)

    assert made[-1] == {"Sid": "DenyRoleAssumption", "Effect": "Deny", "Action": ["sts:AssumeRole"], "Resource": ["*"]}


def test_merging_keeps_each_use_once() -> None:
    one, two = {"gateway": [{"gateway": "a"}]}, {"gateway": [{"gateway": "a"}, {"gateway": "b"}], "mantle": [{}]}

    assert policy.merged(one, two) == {"gateway": [{"gateway": "a"}, {"gateway": "b"}], "mantle": [{}]}


def test_merging_leaves_its_arguments_alone() -> None:
    one = {"gateway": [{"gateway": "a"}]}

    policy.merged(one, {"gateway": [{"gateway": "b"}]})

    assert one == {"gateway": [{"gateway": "a"}]}


def test_what_is_left_to_meet() -> None:
    needs = {"gateway": [{"gateway": "a"}, {"gateway": "b"}], "mantle": [{}]}

    assert policy.without(needs, {"gateway": [{"gateway": "a"}], "mantle": [{}]}) == {"gateway": [{"gateway": "b"}]}


def test_size_counts_no_white_space() -> None:
    assert policy.size({"Effect": "Allow", "Resource": ["a", "b"]}) == len('{"Effect":"Allow","Resource":["a","b"]}')


@pytest.mark.parametrize(
    ("token", "longest"),
    [
        ("${Token[AWS.Partition.3]}", len("aws-us-gov")),
        ("${Token[AWS.Region.4]}", len("ap-southeast-2")),
        ("${Token[AWS.AccountId.0]}", 12),
        ("${Token[TOKEN.123]}", 150),
        ("${Token[MyBucket.Arn.1]}", 150),
    ],
)
def test_size_assumes_the_longest_value_of_a_token(token: str, longest: int) -> None:
    assert policy.size(f"x{token}") == len('"x"') + longest


def test_what_fits_is_one_document() -> None:
    all_of_them = [statement("A", "a"), statement("B", "b")]

    assert policy.packed(all_of_them) == [all_of_them]


def test_nothing_is_no_document() -> None:
    assert policy.packed([]) == []


def test_documents_are_within_the_limit_and_keep_the_order() -> None:
    all_of_them = [statement(f"S{n:02}", "r" * 200) for n in range(50)]

    documents = policy.packed(all_of_them)

    assert [one for document in documents for one in document] == all_of_them
    for document in documents:
        assert policy.size({"Version": "2012-10-17", "Statement": document}) <= policy.MANAGED_POLICY_SIZE


def test_a_document_may_be_exactly_as_large_as_the_limit() -> None:
    frame = policy.size({"Version": "2012-10-17", "Statement": []})
    both = [statement("A", "a"), statement("B", "b")]
    exact = frame + sum(policy.size(one) + 1 for one in both)

    assert len(policy.packed(both, exact)) == 1
    assert len(policy.packed(both, exact - 1)) == 2


def test_a_statement_too_large_for_any_document_is_divided() -> None:
    resources = [f"arn:{n:03}:" + "r" * 100 for n in range(150)]

    documents = policy.packed([statement("Gateways", *resources)])

    parts = [one for document in documents for one in document]
    assert [resource for part in parts for resource in part["Resource"]] == resources
    assert len(set(sids(parts))) == len(parts)
    assert all(policy.size({"Version": "2012-10-17", "Statement": one}) <= 6144 for one in documents)


def test_one_resource_too_large_for_any_document_is_left_to_iam_to_refuse() -> None:
    huge = statement("A", "r" * 7000)

    assert policy.packed([huge]) == [[huge]]
