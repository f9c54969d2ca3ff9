"""What is read from a Dockerfile without building it."""

from __future__ import annotations

import pytest

from agentcore_constructs.image import dockerfile


def lines(*text: str) -> str:
    return "\n".join(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (lines("FROM a", "RUN b \\", "  && c", "CMD d"), [(1, "FROM", "a"), (2, "RUN", "b  && c"), (4, "CMD", "d")]),
        (lines("# comment", "from a", "", "  run b"), [(2, "FROM", "a"), (4, "RUN", "b")]),
        (lines("RUN a \\", "# in between", "", "b"), [(1, "RUN", "a  b")]),
        (lines("# escape=`", "RUN a `", "b", "RUN c\\"), [(2, "RUN", "a  b"), (4, "RUN", "c\\")]),
        (lines("RUN <<EOF", "USER nobody", "EOF", "USER 5"), [(1, "RUN", "<<EOF"), (4, "USER", "5")]),
        (lines("COPY <<-'END' /x", "text", "END", "RUN a"), [(1, "COPY", "<<-'END' /x"), (4, "RUN", "a")]),
        (lines("RUN a \\"), [(1, "RUN", "a")]),
        ("\ufeffFROM a", [(1, "FROM", "a")]),
        ("", []),
    ],
)
def test_instructions(text: str, found: list[tuple[int, str, str]]) -> None:
    assert [(one.line, one.word, one.rest) for one in dockerfile.instructions(text)] == found


def test_a_heredoc_that_never_ends_is_left_to_docker() -> None:
    assert [one.word for one in dockerfile.instructions("RUN <<EOF\necho")] == ["RUN"]


@pytest.mark.parametrize(
    ("text", "arguments", "base", "platform"),
    [
        ("FROM python:3", {}, "python:3", None),
        ("FROM --platform=linux/amd64 python", {}, "python", "linux/amd64"),
        (lines("ARG TAG=3", "FROM python:${TAG}"), {}, "python:3", None),
        (lines("ARG TAG=3", "FROM python:$TAG"), {"TAG": "4"}, "python:4", None),
        (lines("ARG TAG", "FROM python:${TAG:-5}-slim"), {}, "python:5-slim", None),
        (lines("ARG TAG", "FROM python${TAG:+-slim}"), {"TAG": "x"}, "python-slim", None),
        (lines("ARG TAG", "FROM python${TAG:+-slim}"), {}, "python", None),
        (lines('ARG TAG="3"', "FROM python:$TAG"), {}, "python:3", None),
        ("FROM python:$UNKNOWN", {}, "python:$UNKNOWN", None),
        ("FROM --platform=$TARGETPLATFORM python", {}, "python", "linux/arm64"),
        ("FROM --platform=linux/$TARGETARCH python", {}, "python", "linux/arm64"),
        ("FROM --platform=$BUILDPLATFORM python", {}, "python", "$BUILDPLATFORM"),
    ],
)
def test_stage(text: str, arguments: dict[str, str], base: str, platform: str | None) -> None:
    (stage,) = dockerfile.stages(text, arguments)
    assert (stage.base, stage.platform) == (base, platform)


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        ("FROM python", None),
        ("FROM --platform=linux/arm64 python", None),
        ("FROM --platform=linux/arm64/v8 python", None),
        ("FROM --platform=$BUILDPLATFORM python", None),
        ("FROM --platform=linux/amd64 python", "linux/amd64"),
        ("FROM --platform=linux/arm/v7 python", "linux/arm/v7"),
        ("FROM amd64/python", "amd64"),
        ("FROM docker.io/i386/debian:12", "i386"),
        ("FROM arm64v8/python", None),
        ("FROM example.com/amd64/python", None),
    ],
)
def test_foreign(text: str, foreign: str | None) -> None:
    (stage,) = dockerfile.stages(text, {})
    assert stage.foreign == foreign


STAGES = lines("FROM a AS one", "USER 7", "FROM one AS Two", "FROM b AS three", "FROM two", "RUN x")


@pytest.mark.parametrize(
    ("target", "bases"),
    [(None, ["two", "one", "a"]), ("two", ["one", "a"]), ("THREE", ["b"]), ("1", ["one", "a"]), ("0", ["a"])],
)
def test_lineage(target: str | None, bases: list[str]) -> None:
    line = dockerfile.lineage(dockerfile.stages(STAGES, {}), target)
    assert line is not None
    assert [stage.base for stage in line] == bases


@pytest.mark.parametrize("target", ["four", "9"])
def test_unknown_target(target: str) -> None:
    assert dockerfile.lineage(dockerfile.stages(STAGES, {}), target) is None
    assert dockerfile.lineage([], None) is None


def test_a_stage_that_starts_from_its_own_name_ends_the_line() -> None:
    line = dockerfile.lineage(dockerfile.stages("FROM python AS python", {}), None)
    assert line is not None
    assert len(line) == 1


@pytest.mark.parametrize(
    ("text", "user"),
    [
        ("FROM a", (0, 0)),
        (lines("FROM a", "USER root"), (0, 0)),
        (lines("FROM a", "USER 1000"), (1000, 1000)),
        (lines("FROM a", "USER 1000:50"), (1000, 50)),
        (lines("FROM a", "USER 1000:root"), (1000, 0)),
        (lines("FROM a", "USER 5", "USER 6"), (6, 6)),
        (lines("FROM a AS x", "USER 5", "FROM x"), (5, 5)),
        (lines("FROM a AS x", "USER 5", "FROM a"), (0, 0)),
        (lines("FROM a", "USER agent"), "agent"),
        (lines("FROM a", "USER 1000:agents"), "1000:agents"),
        (lines("FROM a", "USER $WHO"), "$WHO"),
    ],
)
def test_user(text: str, user: tuple[int, int] | str) -> None:
    line = dockerfile.lineage(dockerfile.stages(text, {}), None)
    assert line is not None
    assert dockerfile.user(line) == user


def test_whether_a_stage_runs_commands() -> None:
    assert [stage.runs for stage in dockerfile.stages("FROM a\nCOPY x y\nFROM b\nRUN c", {})] == [False, True]
