"""What a fetch may cost: whoever can push to a repository decides how large it is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What a fetch may cost.

    Attributes:
        pack_bytes: Of the archive that the server sends, compressed. The service itself stops at 1 GB for each skill
            (https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-skills.html).
        skill_bytes: Of the skill's files together.
        files: Files and directories of the skill.
        seconds: For the fetch as a whole.
    """

    pack_bytes: int = 200 << 20
    skill_bytes: int = 100 << 20
    files: int = 2000
    seconds: float = 120
