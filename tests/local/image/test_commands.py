"""What is read from a buildspec."""

from __future__ import annotations

import pytest

from agentcore_local.codebuild.commands import commands, docker_build, docker_push, image_looked_for


def words(text: str, **environment: str) -> tuple[str, ...]:
    (command,) = commands({"phases": {"build": {"commands": [text]}}}, environment)
    return command.words


def test_phases_come_in_their_order() -> None:
    phases = {name: {"commands": [f"echo {name}"]} for name in ("post_build", "build", "install", "pre_build")}
    found = commands({"phases": phases}, {})
    assert [one.phase for one in found] == ["install", "pre_build", "build", "post_build"]


def test_a_block_is_several_commands() -> None:
    found = list(commands({"phases": {"build": {"commands": ["a\n# comment\n\nb"]}}}, {}))
    assert [one.words for one in found] == [("a",), ("b",)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("docker push $A", ("docker", "push", "x y")),
        ('docker push "$A:${B}"', ("docker", "push", "x y:$A")),
        ("docker push $C", ("docker", "push", "")),
        ("docker build . && rm x", ("docker", "build", ".")),
        ("echo a | docker login", ("echo", "a")),
        ("echo 'unfinished", ()),
    ],
)
def test_words(text: str, found: tuple[str, ...]) -> None:
    """A value is one word, whatever is in it, and nothing in it is expanded."""
    assert words(text, A="x y", B="$A") == found


def test_what_happens_otherwise() -> None:
    (command,) = commands({"phases": {"build": {"commands": ["docker push $A || aws ecr $A > /dev/null"]}}}, {"A": "b"})
    assert command.otherwise[:3] == ("aws", "ecr", "b")
    assert command.text == "docker push $A || aws ecr $A > /dev/null"


def test_docker_build() -> None:
    text = (
        'docker build --platform linux/arm64 --file "$F" --tag $R:$T -t other --target=agent --no-cache '
        '--build-arg "$A" --build-arg B --secret id=index,env=S --secret id=file,src=/x context'
    )
    build = docker_build(words(text, F="a/Dockerfile", R="repo", T="1", A="KEY=a=b c"))
    assert build is not None
    assert (build.context, build.file, build.target) == ("context", "a/Dockerfile", "agent")
    assert build.tags == ("repo:1", "other")
    assert build.platform == "linux/arm64"
    assert build.arguments == {"KEY": "a=b c", "B": ""}
    assert build.secrets == {"index": "S", "file": None}
    assert not build.push
    assert "a=b c" not in repr(build)


@pytest.mark.parametrize("text", ["docker buildx build --push -t x .", "docker build --push -t x ."])
def test_a_build_that_pushes(text: str) -> None:
    build = docker_build(words(text))
    assert build is not None
    assert build.push


@pytest.mark.parametrize("text", ["docker images", "make", "", "docker buildx ls", "podman build ."])
def test_other_commands(text: str) -> None:
    found = words(text) if text else ()
    assert docker_build(found) is None
    assert docker_push(found) is None
    assert image_looked_for(found) is None


def test_docker_push() -> None:
    assert docker_push(("docker", "push", "x:1")) == "x:1"
    assert docker_push(("docker", "push")) is None


def test_image_looked_for() -> None:
    found = words("aws ecr describe-images --repository-name r --image-ids imageTag=t")
    assert image_looked_for(found) == ("r", "t")
    assert image_looked_for(words("aws ecr describe-images --repository-name r")) is None
