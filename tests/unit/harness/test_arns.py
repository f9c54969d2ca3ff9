"""ARNs and URIs are taken apart, tokens and all."""

from __future__ import annotations

import pytest

from agentcore_constructs.harness import arns

TOKEN = "${Token[TOKEN.12]}"
REGION = "${Token[AWS.Region.4]}"
ACCOUNT = "${Token[AWS.AccountId.0]}"


def split(text: str, separator: str, index: int) -> str:
    return f"<{index} of {text} by {separator}>"


def test_after_a_marker_in_a_literal() -> None:
    assert arns.after("arn:x:provider/key", "provider/", split) == "key"


def test_after_a_marker_beside_a_token() -> None:
    assert arns.after(f"arn:x:provider/{TOKEN}", "provider/", split) == TOKEN


def test_after_a_marker_within_a_token() -> None:
    assert arns.after(TOKEN, "provider/", split) == f"<1 of {TOKEN} by provider/>"


def test_before_a_marker_in_a_literal() -> None:
    assert arns.before("file-system/fs-1/access-point/ap-1", "/access-point/", split) == "file-system/fs-1"


def test_before_a_marker_within_a_token() -> None:
    assert arns.before(TOKEN, "/access-point/", split) == f"<0 of {TOKEN} by /access-point/>"


@pytest.mark.parametrize(
    ("model_id", "model"),
    [
        ("global.anthropic.claude-sonnet-4-6", "anthropic.claude-sonnet-4-6"),
        ("us.amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
        ("eu.amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
        ("apac.amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
        ("jp.anthropic.claude-sonnet-4-6", "anthropic.claude-sonnet-4-6"),
        ("us-gov.anthropic.claude-sonnet-4-6", "anthropic.claude-sonnet-4-6"),
        (f"eu.anthropic.{TOKEN}", f"anthropic.{TOKEN}"),
    ],
)
def test_a_geography_makes_a_system_profile(model_id: str, model: str) -> None:
    assert arns.system_profile(model_id) == model


@pytest.mark.parametrize("model_id", ["anthropic.claude-v2:1", "zai.glm-4.6", "ai21.jamba-1-5", TOKEN])
def test_a_provider_makes_no_system_profile(model_id: str) -> None:
    assert arns.system_profile(model_id) is None


def test_the_kind_of_a_bedrock_resource() -> None:
    arn = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:application-inference-profile/abc"

    assert arns.bedrock_resource(arn) == ("application-inference-profile", "abc")


def test_a_model_id_is_no_bedrock_arn() -> None:
    assert arns.bedrock_resource("amazon.nova-lite-v1:0") is None


@pytest.mark.parametrize(
    "reference", ["", ":1.2.3", "@sha256:" + "a" * 64, ":1.2.3@sha256:" + "a" * 64, f":{TOKEN}", f"@{TOKEN}"]
)
def test_a_private_image(reference: str) -> None:
    uri = f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/agent{reference}"

    assert arns.private_image(uri) == ("111122223333", "eu-west-1", "team/agent")


def test_a_private_image_with_tokens() -> None:
    uri = f"{ACCOUNT}.dkr.ecr.{REGION}.${{Token[AWS.URLSuffix.1]}}/{TOKEN}:latest"

    assert arns.private_image(uri) == (ACCOUNT, REGION, TOKEN)


@pytest.mark.parametrize("uri", ["public.ecr.aws/x/y:1", TOKEN])
def test_no_private_image(uri: str) -> None:
    assert arns.private_image(uri) is None


@pytest.mark.parametrize(
    ("uri", "bucket", "prefix"),
    [
        ("s3://skills/report/v1", "skills", "report/v1"),
        ("s3://skills/report/", "skills", "report"),
        ("s3://skills/", "skills", None),
        ("s3://skills", "skills", None),
        (f"s3://{TOKEN}/report", TOKEN, "report"),
        (TOKEN, f"<2 of {TOKEN} by />", None),
    ],
)
def test_an_s3_location(uri: str, bucket: str, prefix: str | None) -> None:
    assert arns.s3_location(uri, split) == (bucket, prefix)
