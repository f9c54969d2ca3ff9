"""Where a session runs: network, image, mounts, skills."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.behaviours import behaviour, error_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.behaviours import Agent

    from agentcore_local import Account

TOPIC = "Environment, mounts and skills"
SOURCES = (
    "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-environment.html",
    "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/agentcore-vpc.html",
    "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-skills.html",
)
VPC = {
    "networkMode": "VPC",
    "networkModeConfig": {"subnets": ["subnet-0123456789abcdef0"], "securityGroups": ["sg-0123456789abcdef0"]},
}
STORAGE = {"sessionStorage": {"mountPath": "/mnt/data"}}


def environment(*mounts: dict[str, Any], **network: Any) -> dict[str, Any]:
    inner: dict[str, Any] = {"filesystemConfigurations": list(mounts)} if mounts else {}
    if network:
        inner["networkConfiguration"] = network
    return {"agentCoreRuntimeEnvironment": inner}


def efs(account: Account, path: str = "/mnt/shared", name: str = "0123456789abcdef0") -> dict[str, Any]:
    arn = f"arn:aws:elasticfilesystem:us-east-1:{account.account_id}:access-point/fsap-{name}"
    return {"efsAccessPoint": {"accessPointArn": arn, "mountPath": path}}


@behaviour("VPC mode takes 1 to 16 subnets and 1 to 16 security groups; public mode takes none")
def test_network(create: Callable[..., Any]) -> None:
    for number, network in enumerate(
        ({"networkMode": "VPC"}, {**VPC, "networkMode": "PUBLIC"}, {**VPC, "networkModeConfig": {"subnets": []}})
    ):
        assert error_of(create, name=f"h{number}", environment=environment(**network))[0] == "ValidationException"
    create("fits", environment=environment(**VPC))


@behaviour(
    "In VPC mode the agent reaches what the subnets' routes and endpoints let it reach",
    status="approximated",
    note="Its commands use the network of your machine in either mode; subnets and routes are not looked at.",
)
def test_vpc_invocation(agent: Callable[..., Agent]) -> None:
    assert agent(script="fine", environment=environment(**VPC)).say().text == "fine"


@behaviour("A mount is a directory right below `/mnt`, with 6 to 200 characters, and is used once; at most 5 of them")
def test_mount_paths(create: Callable[..., Any], account: Account) -> None:
    wrong = [
        [{"sessionStorage": {"mountPath": "/data"}}],
        [{"sessionStorage": {"mountPath": "/mnt/a/b"}}],
        [STORAGE, efs(account, "/mnt/data")],
    ]
    for number, mounts in enumerate(wrong):
        members = {"environment": environment(*mounts, **VPC)}
        assert error_of(create, name=f"h{number}", **members)[0] == "ValidationException"


@behaviour("One session storage, two EFS access points and two S3 Files access points at most")
def test_mount_counts(create: Callable[..., Any], account: Account) -> None:
    three = [efs(account, f"/mnt/e{number}", f"0123456789abcdef{number}") for number in range(3)]
    second = {"sessionStorage": {"mountPath": "/mnt/more"}}
    for number, mounts in enumerate(([STORAGE, second], three)):
        members = {"environment": environment(*mounts, **VPC)}
        code, message = error_of(create, name=f"h{number}", **members)
        assert (code, "may be mounted" in message) == ("ValidationException", True)


@behaviour("EFS and S3 Files are mounted in VPC mode only")
def test_mounts_need_a_vpc(create: Callable[..., Any], account: Account) -> None:
    members = {"environment": environment(efs(account), networkMode="PUBLIC")}
    code, message = error_of(create, **members)
    assert (code, "only be mounted when networkMode is VPC" in message) == ("ValidationException", True)


@behaviour("Session storage keeps its files while the session stops and resumes")
def test_session_storage(agent: Callable[..., Agent], shell: Callable[..., Any]) -> None:
    made = agent(script=shell("ls /mnt/data | wc -l; touch /mnt/data/kept"), environment=environment(STORAGE))
    assert [made.say().text.strip(), made.say().text.strip()] == ["0", "1"]
    assert made.say(runtimeSessionId="another-session-of-the-same-harness").text.strip() == "0"


@behaviour("Environment variables are in the environment of the agent's commands")
def test_variables(agent: Callable[..., Agent], shell: Callable[..., Any]) -> None:
    made = agent(script=shell("echo $GREETING"), environmentVariables={"GREETING": "hello"})
    assert made.say().text.strip() == "hello"


@behaviour("An image is in ECR (private or public), named with at most 1024 characters")
def test_images(create: Callable[..., Any], account: Account) -> None:
    def artifact(uri: str) -> dict[str, Any]:
        return {"containerConfiguration": {"containerUri": uri}}

    own = f"{account.account_id}.dkr.ecr.us-east-1.amazonaws.com/team/agent:1"
    create("private", environmentArtifact=artifact(own))
    create("public", environmentArtifact=artifact("public.ecr.aws/team/agent:1"))
    assert error_of(create, name="other", environmentArtifact=artifact("docker.io/team/agent:1"))[0] == (
        "ValidationException"
    )


@behaviour(
    "The agent's commands run in the image of the harness, on Linux arm64, as root",
    status="approximated",
    note="They run with the programs of your machine, as a user without rights; images are not pulled.",
)
def test_commands(agent: Callable[..., Agent], shell: Callable[..., Any]) -> None:
    made = agent(script=shell("id -u; test -w /usr && echo writable || echo read-only"))
    assert made.say().text.split()[1] == "read-only"


@behaviour("A skill is a path in the image, a prefix in S3, a directory in Git, or one of AWS'; exactly one of them")
def test_skills(create: Callable[..., Any]) -> None:
    create("fits", skills=[{"path": "skills/a"}, {"awsSkills": {"paths": ["core-skills/*"]}}])
    for number, skill in enumerate(
        ({"path": "a", "awsSkills": {}}, {"git": {"url": "https://example.com/a#main"}}, {"s3": {"uri": "https://a"}})
    ):
        assert error_of(create, name=f"h{number}", skills=[skill])[0] == "ValidationException"
