"""SKILL.md against the Agent Skills specification: file, line and sentence of every fault."""

from __future__ import annotations

import pytest

from agentcore_constructs.skills.front_matter import faults_of


def faults(front_matter: str, directory: str = "excel", *, fences: bool = True) -> list[str]:
    text = f"---\n{front_matter}\n---\nBody.\n" if fences else front_matter
    return [str(fault) for fault in faults_of(text, shown="skills/excel/SKILL.md", directory=directory)]


VALID = "name: excel\ndescription: Reads workbooks."
NAME = "directory: must have a name of 1–64 lowercase letters, digits and single hyphens between them"


@pytest.mark.parametrize(
    "front_matter",
    [
        VALID,
        (
            f"{VALID}\nlicense: Apache-2.0\ncompatibility: Python\nmetadata:\n  version: '1.0'\nallowed-tools: Read "
            f"Bash(git:*)"
        ),
        f"{VALID}\nallowed-tools:\n  - Read\n  - shell",
        "name: excel\ndescription: >\n  Reads workbooks:\n  all of them.",
        f"name: excel\ndescription: '{'d' * 1024}'\ncompatibility: '{'c' * 500}'",
        f"{VALID}\nmodel: anything that other clients know",
    ],
)
def test_what_fits(front_matter: str) -> None:
    assert faults(front_matter) == []


@pytest.mark.parametrize("name", ["a", "a1", "1-a-b", "a" * 64])
def test_names_that_fit(name: str) -> None:
    assert faults(f"name: '{name}'\ndescription: d", name) == []


@pytest.mark.parametrize("name", ["Excel", "-a", "a-", "a--b", "a_b", "é", "a" * 65])
def test_names_that_do_not(name: str) -> None:
    (fault,) = faults(f"description: d\nname: '{name}'")
    assert fault.startswith(f"{NAME} (skills/excel/SKILL.md:3); received '{name[:60]}")
    assert fault.endswith("write name: excel.")


@pytest.mark.parametrize(
    ("front_matter", "expected"),
    [
        (
            "name: word\ndescription: d",
            (
                "directory: must have the name of its directory (skills/excel/SKILL.md:2); received 'word' in "
                "'excel'; rename "
                "the directory or change the name."
            ),
        ),
        ("description: d", f"{NAME} (skills/excel/SKILL.md:1); received none; write name: excel."),
        ("name: 5\ndescription: d", f"{NAME} (skills/excel/SKILL.md:2); received 5; write name: excel."),
        (
            "name: excel",
            (
                "directory: must have a description of 1–1024 characters (skills/excel/SKILL.md:1); received "
                "none; say what "
                "the skill does and when to use it."
            ),
        ),
        (
            f"name: excel\ndescription: {'d' * 1025}",
            (
                "directory: must have a description of 1–1024 characters (skills/excel/SKILL.md:3); received "
                "1025 characters; "
                "shorten it; details belong below the front matter."
            ),
        ),
        (
            "name: excel\ndescription: '  '",
            (
                "directory: must have a description of 1–1024 characters that is a text "
                "(skills/excel/SKILL.md:3); received "
                "'  ' (2 characters); write it, in quotes."
            ),
        ),
        (
            f"{VALID}\ncompatibility: {'c' * 501}",
            (
                "directory: must have a compatibility of 1–500 characters (skills/excel/SKILL.md:4); received "
                "501 characters; "
                "shorten it; details belong below the front matter."
            ),
        ),
        (
            f"{VALID}\nmetadata:\n  version: 1.0",
            (
                "directory: must have metadata of texts by name (skills/excel/SKILL.md:4); received version: "
                "1.0, which is no "
                "text; put the value in quotes."
            ),
        ),
        (
            f"{VALID}\nmetadata: v1",
            (
                "directory: must have metadata of texts by name (skills/excel/SKILL.md:4); received 'v1' (2 "
                "characters); write "
                "name: value below it."
            ),
        ),
        (
            f"{VALID}\nallowed-tools: 7",
            (
                "directory: must have allowed-tools that are a text or a list of texts "
                "(skills/excel/SKILL.md:4); received 7; "
                "write names between spaces."
            ),
        ),
        (
            f"{VALID}\nname: excel",
            (
                "directory: must have the field name once (skills/excel/SKILL.md:4); received it twice; remove one "
                "of them."
            ),
        ),
        (
            "name: excel\ndescription: Use when: always",
            (
                "directory: must be YAML (skills/excel/SKILL.md:3); received mapping values are not allowed "
                "here; correct it; "
                "a text with ': ' in it needs quotes."
            ),
        ),
        (
            "- name",
            (
                "directory: must have fields in its front matter (skills/excel/SKILL.md:2); received none; "
                "write name: and "
                "description:."
            ),
        ),
    ],
)
def test_what_does_not(front_matter: str, expected: str) -> None:
    assert faults(front_matter) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "",
            (
                "directory: must begin with front matter, a line of --- (skills/excel/SKILL.md:1); received '' (0 "
                "characters)"
            ),
        ),
        (
            "# Excel\n",
            "directory: must begin with front matter, a line of --- (skills/excel/SKILL.md:1); received '# Excel'",
        ),
        (
            "---\nname: excel\n",
            (
                "directory: must end its front matter (skills/excel/SKILL.md:2); received no second line of ---; "
                "end it with a"
            ),
        ),
    ],
)
def test_no_front_matter(text: str, expected: str) -> None:
    (fault,) = faults(text, fences=False)
    assert fault.startswith(expected)


def test_all_faults_at_once() -> None:
    assert len(faults("name: Excel\ncompatibility: ''\nmetadata: 1\nlicense: 2")) == 5
