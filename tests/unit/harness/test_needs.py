"""What a configuration needs is read off it: all of that, and nothing else."""

from __future__ import annotations

from typing import get_args

import pytest
from support import needs as ex
from support.needs import EXAMPLES, needs_of, reader

from agentcore_constructs.config import (
    Environment,
    FileSystem,
    GatewayAuth,
    Guardrail,
    HarnessConfig,
    HarnessImage,
    Hook,
    MCPAuth,
    Memory,
    Model,
    Skill,
    Tool,
)
from agentcore_constructs.harness.permissions import Need
from agentcore_constructs.harness.policy import Place

TOKEN = "${Token[TOKEN.12]}"
BASE = {"harness", "inference_profile", "profile_model", "public_image"}


def uses(**config: object) -> set[str]:
    """The features a configuration uses beyond those of an empty one."""
    return set(needs_of(**config)) - BASE


def test_every_feature_has_an_example() -> None:
    assert set(EXAMPLES) == set(get_args(Need)) - {"managed_memory"}


@pytest.mark.parametrize("need", EXAMPLES)
def test_feature_is_seen(need: Need) -> None:
    assert needs_of(**EXAMPLES[need])[need]


def test_an_empty_configuration_needs_the_default_model_and_image() -> None:
    assert set(needs_of()) == BASE


def test_the_name_scopes_what_the_service_creates() -> None:
    assert needs_of()["harness"] == [{"name": ex.NAME}]


# ---- models ----------------------------------------------------------------------------------------------------------


def test_foundation_model_of_the_region() -> None:
    needs = needs_of(model=Model.bedrock("amazon.nova-pro-v1:0"))

    assert needs["bedrock_model"] == [{"model": "arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-pro-v1:0"}]
    assert "inference_profile" not in needs


def test_foundation_model_by_its_arn() -> None:
    arn = "arn:aws:bedrock:us-west-2::foundation-model/amazon.nova-pro-v1:0"

    assert needs_of(model=Model.bedrock(arn))["bedrock_model"] == [{"model": arn}]


@pytest.mark.parametrize("kind", ["provisioned-model", "custom-model-deployment", "imported-model", "prompt-router"])
def test_other_bedrock_resource_by_its_arn(kind: str) -> None:
    arn = f"arn:aws:bedrock:eu-west-1:111122223333:{kind}/abc123"

    needs = needs_of(model=Model.bedrock(arn))

    assert needs["bedrock_model"] == [{"model": arn}]
    assert "profile_model" not in needs


def test_system_inference_profile_and_the_model_behind_it() -> None:
    needs = needs_of(model=Model.bedrock("eu.amazon.nova-pro-v1:0"))

    profile = "arn:aws:bedrock:eu-west-1:111122223333:inference-profile/eu.amazon.nova-pro-v1:0"
    assert needs["inference_profile"] == [{"profile": profile}]
    assert needs["profile_model"] == [
        {"profile": profile, "model": "arn:aws:bedrock:*::foundation-model/amazon.nova-pro-v1:0"}
    ]
    assert "bedrock_model" not in needs


def test_system_inference_profile_by_its_arn() -> None:
    arn = "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.amazon.nova-pro-v1:0"

    needs = needs_of(model=Model.bedrock(arn))

    assert needs["inference_profile"] == [{"profile": arn}]
    assert needs["profile_model"][0]["model"] == "arn:aws:bedrock:*::foundation-model/amazon.nova-pro-v1:0"


def test_application_inference_profile_opens_models_only_through_itself() -> None:
    arn = "arn:aws:bedrock:eu-west-1:111122223333:application-inference-profile/abc123"

    needs = needs_of(model=Model.bedrock(arn))

    assert needs["inference_profile"] == [{"profile": arn}]
    assert needs["profile_model"] == [{"profile": arn, "model": "arn:aws:bedrock:*::foundation-model/*"}]


def test_application_inference_profile_whose_arn_has_tokens() -> None:
    arn = f"arn:${{Token[AWS.Partition.3]}}:bedrock:eu-west-1:111122223333:application-inference-profile/{TOKEN}"

    assert needs_of(model=Model.bedrock(arn))["inference_profile"] == [{"profile": arn}]


def test_model_known_at_deployment_alone_opens_all_models() -> None:
    models = [item["model"] for item in needs_of(model=Model.bedrock(TOKEN))["bedrock_model"]]

    assert models == [
        "arn:aws:bedrock:*::foundation-model/*",
        "arn:aws:bedrock:eu-west-1:111122223333:inference-profile/*",
        "arn:aws:bedrock:eu-west-1:111122223333:application-inference-profile/*",
    ]


@pytest.mark.parametrize(
    ("model", "unknown"),
    [
        (Model.bedrock(TOKEN), True),
        (Model.bedrock(f"anthropic.{TOKEN}"), True),
        (Model.bedrock(f"eu.anthropic.{TOKEN}"), False),
        (Model.bedrock("amazon.nova-pro-v1:0"), False),
        (Model.bedrock(TOKEN, api_format="responses"), False),
        (Model.openai(TOKEN, api_key=ex.API_KEY), False),
        (Model.litellm(f"bedrock/{TOKEN}"), True),
        (Model.litellm(f"bedrock/converse/anthropic.{TOKEN}"), True),
        (Model.litellm(f"bedrock/eu.anthropic.{TOKEN}"), False),
        (Model.litellm("bedrock/amazon.nova-pro-v1:0"), False),
        (Model.litellm(f"bedrock/{TOKEN}", api_key=ex.API_KEY), False),
        (Model.litellm(f"groq/{TOKEN}"), False),
        (None, False),
    ],
)
def test_whether_the_model_is_unknown(model: object, unknown: bool) -> None:
    assert reader().is_unknown_model(HarnessConfig.create(model=model).model) is unknown


@pytest.mark.parametrize("api_format", ["responses", "chat_completions"])
def test_mantle_formats_need_no_invoke_model(api_format: str) -> None:
    assert set(needs_of(model=Model.bedrock("amazon.nova-pro-v1:0", api_format=api_format))) == {
        "harness",
        "mantle",
        "public_image",
    }


def test_converse_stream_is_the_default_format() -> None:
    assert "mantle" not in needs_of(model=Model.bedrock("amazon.nova-pro-v1:0", api_format="converse_stream"))


@pytest.mark.parametrize(
    "model",
    [
        Model.openai("gpt-5", api_key=ex.API_KEY),
        Model.gemini("gemini-3-pro", api_key=ex.API_KEY),
        Model.litellm("mistral/large", api_key=ex.API_KEY),
    ],
)
def test_key_of_a_third_party_model(model: object) -> None:
    needs = needs_of(model=model)

    assert needs["api_key"] == [
        {
            "provider": ex.API_KEY,
            "secret": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:"
            "bedrock-agentcore-identity!default/apikey/openai-key-*",
            "name": ex.NAME,
        }
    ]
    assert set(needs) == {"harness", "public_image", "api_key"}


def test_no_bedrock_grant_without_a_bedrock_model() -> None:
    needs = needs_of(model=Model.litellm("ollama/llama3", api_base="https://models.example.com"))

    assert set(needs) == {"harness", "public_image"}


@pytest.mark.parametrize("prefix", ["bedrock/", "bedrock/converse/", "bedrock/invoke/"])
def test_litellm_on_bedrock_without_a_key_uses_the_role(prefix: str) -> None:
    needs = needs_of(model=Model.litellm(f"{prefix}eu.amazon.nova-pro-v1:0"))

    assert needs["inference_profile"][0]["profile"].endswith("/eu.amazon.nova-pro-v1:0")


def test_litellm_on_bedrock_with_a_key_does_not_use_the_role() -> None:
    needs = needs_of(model=Model.litellm("bedrock/amazon.nova-pro-v1:0", api_key=ex.API_KEY))

    assert "bedrock_model" not in needs


def test_provider_known_at_deployment_alone_is_still_named() -> None:
    (item,) = needs_of(model=Model.openai("gpt-5", api_key=TOKEN))["api_key"]

    assert item["provider"] == TOKEN
    assert item["secret"].endswith(f"/apikey/<1 of {TOKEN} by apikeycredentialprovider/>-*")


def test_guardrail_by_its_id() -> None:
    needs = needs_of(**EXAMPLES["guardrail"])

    assert needs["guardrail"] == [{"guardrail": "arn:aws:bedrock:eu-west-1:111122223333:guardrail/abc123"}]
    assert "guardrail_key" not in needs


def test_guardrail_by_its_arn() -> None:
    arn = "arn:aws:bedrock:eu-west-1:444455556666:guardrail/abc123"

    needs = needs_of(model=Model.bedrock("amazon.nova-pro-v1:0", guardrail=Guardrail(arn, "1")))

    assert needs["guardrail"] == [{"guardrail": arn}]


def test_guardrail_written_into_additional_params() -> None:
    config = {"guardrailConfig": {"guardrailIdentifier": "abc123", "guardrailVersion": "1"}}

    needs = needs_of(model=Model.bedrock("amazon.nova-pro-v1:0", additional_params=config))

    assert needs["guardrail"] == [{"guardrail": "arn:aws:bedrock:eu-west-1:111122223333:guardrail/abc123"}]


def test_key_of_a_guardrail() -> None:
    assert needs_of(**EXAMPLES["guardrail_key"])["guardrail_key"] == [{"key": ex.KEY, "key_region": "eu-west-1"}]


# ---- image and network -----------------------------------------------------------------------------------------------


def test_vpc_pulls_the_managed_image_from_private_ecr_only() -> None:
    needs = needs_of(**EXAMPLES["managed_image"])

    assert {"managed_image", "private_registry"} <= set(needs)
    assert "public_image" not in needs


def test_public_network_pulls_the_managed_image_from_ecr_public_only() -> None:
    needs = needs_of(environment=Environment.public())

    assert "public_image" in needs
    assert not {"managed_image", "private_registry"} & set(needs)


def test_network_mode_known_at_deployment_alone_allows_both_pulls() -> None:
    environment = {"agentCoreRuntimeEnvironment": {"networkConfiguration": {"networkMode": TOKEN}}}

    assert {"public_image", "managed_image", "private_registry"} <= set(needs_of(environment=environment))


def test_private_image_is_pulled_beside_the_managed_one() -> None:
    needs = needs_of(**EXAMPLES["private_image"])

    assert needs["private_image"] == [{"repository": "arn:aws:ecr:eu-west-1:111122223333:repository/team/agent"}]
    assert {"public_image", "private_registry"} <= set(needs)


def test_private_image_in_another_account_and_region() -> None:
    image = HarnessImage.from_uri("444455556666.dkr.ecr.us-east-1.amazonaws.com/agent@sha256:" + "a" * 64)

    needs = needs_of(environment_artifact=image)

    assert needs["private_image"] == [{"repository": "arn:aws:ecr:us-east-1:444455556666:repository/agent"}]


def test_repository_that_is_given_is_taken() -> None:
    image = HarnessImage.from_uri(TOKEN, repository_arn="arn:aws:ecr:eu-west-1:111122223333:repository/given")

    needs = needs_of(environment_artifact=image)

    assert needs["private_image"] == [{"repository": "arn:aws:ecr:eu-west-1:111122223333:repository/given"}]


def test_image_known_at_deployment_alone_opens_the_account_s_repositories() -> None:
    needs = needs_of(environment_artifact=HarnessImage.from_uri(TOKEN))

    assert needs["private_image"] == [{"repository": "arn:aws:ecr:eu-west-1:111122223333:repository/*"}]


def test_public_image_in_a_vpc() -> None:
    needs = needs_of(
        environment_artifact=HarnessImage.from_uri("public.ecr.aws/team/agent:1"), **EXAMPLES["managed_image"]
    )

    assert {"managed_image", "public_image"} <= set(needs)
    assert "private_image" not in needs


# ---- filesystems -----------------------------------------------------------------------------------------------------


def test_efs_with_its_file_system() -> None:
    needs = needs_of(**EXAMPLES["efs"])

    assert needs["efs"] == needs["efs_mount"] == [{"file_system": ex.EFS_SYSTEM, "access_point": ex.EFS}]
    assert "efs_read_only" not in needs


def test_efs_without_its_file_system() -> None:
    environment = Environment.vpc(
        subnets=["subnet-0123456789abcdef0"],
        security_groups=["sg-0123456789abcdef0"],
        filesystems=[FileSystem.efs(ex.EFS, "/mnt/efs")],
    )

    (item,) = needs_of(environment=environment)["efs"]

    assert item["file_system"] == "arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/*"


def test_read_only_mounts_cannot_write() -> None:
    assert "efs" not in needs_of(**EXAMPLES["efs_read_only"])
    assert "s3_files" not in needs_of(**EXAMPLES["s3_files_read_only"])


def test_s3_files_names_its_file_system_itself() -> None:
    assert needs_of(**EXAMPLES["s3_files"])["s3_files"] == [
        {
            "file_system": "arn:aws:s3files:eu-west-1:111122223333:file-system/fs-0123456789abcdef0",
            "access_point": ex.S3_FILES,
        }
    ]


def test_session_storage_needs_nothing() -> None:
    assert uses(environment=Environment.public(filesystems=[FileSystem.session("/mnt/data")])) == set()


# ---- memory ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("memory", [Memory.managed(), Memory.disabled()])
def test_memory_that_needs_nothing_before_the_harness_exists(memory: object) -> None:
    assert uses(memory=memory) == set()


def test_existing_memory() -> None:
    assert needs_of(**EXAMPLES["memory"])["memory"] == [{"memory": ex.MEMORY}]


def test_key_of_managed_memory() -> None:
    assert needs_of(**EXAMPLES["memory_key"])["memory_key"] == [{"key": ex.KEY, "key_region": "eu-west-1"}]


# ---- tools -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("auth", [None, GatewayAuth.aws_iam()])
def test_gateway_that_is_signed_for(auth: object) -> None:
    assert needs_of(tools=[Tool.gateway(ex.GATEWAY, outbound_auth=auth)])["gateway"] == [{"gateway": ex.GATEWAY}]


def test_gateway_without_authentication_needs_nothing() -> None:
    assert uses(tools=[Tool.gateway(ex.GATEWAY, outbound_auth=GatewayAuth.none())]) == set()


def test_gateway_behind_oauth() -> None:
    needs = needs_of(**EXAMPLES["oauth_provider"])

    assert needs["oauth_provider"] == [
        {
            "provider": ex.OAUTH,
            "secret": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:"
            "bedrock-agentcore-identity!default/oauth2/orders-*",
            "name": ex.NAME,
        }
    ]
    assert "gateway" not in needs


def test_default_browser_and_code_interpreter() -> None:
    assert uses(tools=[Tool.browser(), Tool.code_interpreter()]) == {"browser", "code_interpreter"}


def test_default_browser_in_the_api_s_long_form() -> None:
    assert uses(tools=[{"type": "agentcore_browser", "config": {"agentCoreBrowser": {}}}]) == {"browser"}


def test_custom_browser_and_code_interpreter() -> None:
    needs = needs_of(tools=[Tool.browser(ex.BROWSER), Tool.code_interpreter(ex.INTERPRETER)])

    assert needs["custom_browser"] == [{"browser": ex.BROWSER}]
    assert needs["custom_code_interpreter"] == [{"code_interpreter": ex.INTERPRETER}]
    assert not {"browser", "code_interpreter"} & set(needs)


def test_inline_function_needs_nothing() -> None:
    tool = Tool.inline("refund", description="Refunds.", input_schema={"type": "object"})

    assert uses(tools=[tool]) == set()


def test_remote_mcp_with_plain_headers_needs_nothing() -> None:
    tool = Tool.remote_mcp("https://mcp.example.com", name="docs", headers={"X-Team": "agents", "X-Cost": "${42}"})

    assert uses(tools=[tool]) == set()


@pytest.mark.parametrize(
    "value", [f"${{{ex.API_KEY}}}", f"Bearer ${{{ex.API_KEY}}}", f"a ${{{ex.API_KEY}}} and b ${{{ex.API_KEY}}}"]
)
def test_key_in_a_header(value: str) -> None:
    tool = Tool.remote_mcp("https://mcp.example.com", name="docs", headers={"Authorization": value})

    (item,) = needs_of(tools=[tool])["api_key"]

    assert item["provider"] == ex.API_KEY


@pytest.mark.parametrize(
    "provider", [TOKEN, f"arn:aws:bedrock-agentcore:x:y:token-vault/default/apikeycredentialprovider/{TOKEN}"]
)
def test_key_in_a_header_known_at_deployment_alone(provider: str) -> None:
    tool = Tool.remote_mcp("https://mcp.example.com", name="docs", headers={"X-Key": f"${{{provider}}}"})

    (item,) = needs_of(tools=[tool])["api_key"]

    assert item["provider"] == provider


def test_signed_mcp_grants_nothing_by_itself() -> None:
    tool = Tool.remote_mcp("https://mcp.example.com", name="docs", auth=MCPAuth.aws_iam("execute-api"))

    assert uses(tools=[tool]) == set()


# ---- skills ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("skill", [Skill.aws(), Skill.path("/opt/skill"), Skill.git("https://git.example.com/x.git")])
def test_skill_that_needs_nothing(skill: object) -> None:
    assert uses(skills=[skill]) == set()


def test_private_git_skill() -> None:
    skill = Skill.git("https://git.example.com/x.git", credential=ex.API_KEY)

    assert [item["provider"] for item in needs_of(skills=[skill])["api_key"]] == [ex.API_KEY]


def test_s3_skill_under_a_prefix() -> None:
    needs = needs_of(**EXAMPLES["skill_prefix"])

    assert needs["skill_prefix"] == [{"bucket": "arn:aws:s3:::agent-skills", "prefix": "report/v1"}]
    assert [item["objects"] for item in needs["skill_object"]] == [
        "arn:aws:s3:::agent-skills/report/v1",
        "arn:aws:s3:::agent-skills/report/v1/*",
    ]
    assert "skill_bucket" not in needs


def test_s3_skill_that_is_a_whole_bucket() -> None:
    needs = needs_of(**EXAMPLES["skill_bucket"])

    assert needs["skill_bucket"] == [{"bucket": "arn:aws:s3:::agent-skills"}]
    assert needs["skill_object"] == [{"objects": "arn:aws:s3:::agent-skills/*"}]
    assert "skill_prefix" not in needs


@pytest.mark.parametrize(
    ("key", "region"),
    [(ex.KEY.replace("eu-west-1", "us-east-1"), "us-east-1"), (TOKEN, "eu-west-1")],
)
def test_a_key_is_used_in_its_own_region(key: str, region: str) -> None:
    needs = needs_of(skills=[Skill.s3("agent-skills", encryption_key=key)])

    assert needs["skill_key"] == [{"key": key, "key_region": region}]


# ---- hooks -----------------------------------------------------------------------------------------------------------


def test_every_target_of_every_event() -> None:
    hooks = [
        Hook.before_invocation("a", ex.FUNCTION),
        Hook.before_tool_call("b", f"{ex.FUNCTION}2"),
        Hook.after_tool_call("c", ex.TOPIC),
        Hook.after_invocation("d", ex.BUS),
    ]

    needs = needs_of(hooks=hooks)

    assert needs["lambda_hook"] == [{"function": ex.FUNCTION}, {"function": f"{ex.FUNCTION}2"}]
    assert needs["sns_hook"] == [{"topic": ex.TOPIC}]
    assert needs["event_hook"] == [{"bus": ex.BUS}]
    assert not {"topic_key", "bus_key"} & set(needs)


@pytest.mark.parametrize(
    ("place", "elsewhere"),
    [(Place("aws", "eu-west-1", "444455556666"), True), (ex.PLACE, False), (Place("aws", "eu-west-1", TOKEN), False)],
)
def test_whether_a_function_is_elsewhere(place: Place, elsewhere: bool) -> None:
    assert reader(place=place).is_elsewhere(ex.FUNCTION) is elsewhere


def test_a_function_known_at_deployment_alone_is_not_elsewhere() -> None:
    assert not reader().is_elsewhere(TOKEN)


# ---- what calls override ---------------------------------------------------------------------------------------------


def test_overrides_need_what_they_bring_and_nothing_of_the_harness() -> None:
    extra = HarnessConfig.create(model=Model.bedrock("amazon.nova-pro-v1:0"), tools=[Tool.browser()])

    assert set(reader().overrides(extra)) == {"bedrock_model", "browser"}


def test_overrides_without_a_model_need_no_model() -> None:
    assert set(reader().overrides(HarnessConfig.create(tools=[Tool.browser()]))) == {"browser"}
