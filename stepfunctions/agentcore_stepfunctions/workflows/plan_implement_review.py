"""The coding agent: one model plans, another implements, a third reviews, and git keeps what they did.

`plan_implement_review.asl.json` is the definition by itself; its function is `CommandRunner`'s of this package.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn

from agentcore_constructs.config import Fault, HarnessConfigError
from agentcore_constructs.config.errors import received
from agentcore_constructs.harness.given import path_of
from agentcore_stepfunctions.expressions import RESULT_TEXT, RESULT_USAGE, inner, jsonata, text
from agentcore_stepfunctions.invoke_harness import InvokeHarness
from agentcore_stepfunctions.json_answers import ERROR
from agentcore_stepfunctions.run_command import CommandRunner, RunHarnessCommand
from agentcore_stepfunctions.sessions import SessionId

from .base import Workflow, usage_sum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_logs as logs
    from constructs import Construct

    from agentcore_constructs import HarnessModelConfiguration, IHarness

COMMENT = "An agent plans, implements and reviews a change with a model each; git keeps what it did."
_SESSION = SessionId.per_execution()
_BRANCH = "'agent-' & $substring($hash($states.context.Execution.Id, 'SHA-256'), 0, 12)"
_BASE = "refs/agentcore/base"
_SHA_CHARACTERS = 40
_GIT_TIMEOUT = cdk.Duration.minutes(2)
_TIMEOUT = cdk.Duration.hours(3)
_MOST_ROUNDS = 10
_REVIEW = {
    "type": "object",
    "properties": {
        "approved": {"type": "boolean", "description": "Whether the change may be merged as it is"},
        "comments": {"type": "string", "description": "What has to change, or why it is good"},
    },
    "required": ["approved", "comments"],
}
_USAGE = jsonata(usage_sum("$usage", f"({inner(RESULT_USAGE)})"))
_OUT = "$states.result.Payload.stdout"
# The commit's id is the last line. $trim would make one line of all of them.
_DIFF = f"$substring({_OUT}, 0, $length({_OUT}) - {_SHA_CHARACTERS + 1})"
_SHA = f"$substring({_OUT}, $length({_OUT}) - {_SHA_CHARACTERS + 1}, {_SHA_CHARACTERS})"


class PlanImplementReview(Workflow):
    """A state machine that changes a repository which the harness' sessions have.

    Input: `{"task": "…"}`. Output: `{"plan", "branch", "commit", "diff", "approved", "comments", "rounds", "usage"}`;
    `approved` is false when the last round was used up. All steps are one conversation on one machine, so each model
    knows what was said before, and git sees the files. Commands are fixed: nothing of the task, and nothing an agent
    says, becomes part of one. Nothing is pushed; add a step of your own for that.

    Fails with `PlanImplementReview.NoTask`, `.NothingChanged` when a round leaves no difference to the beginning, with
    `States.QueryEvaluationError` when the review is not readable in three tries, and with the errors of the harness and
    of `RunHarnessCommand`, such as `CommandFailed` when the folder is no repository.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        harness: IHarness,
        directory: str,
        plan_model: HarnessModelConfiguration | None = None,
        implement_model: HarnessModelConfiguration | None = None,
        review_model: HarnessModelConfiguration | None = None,
        max_rounds: int = 2,
        log_group: logs.ILogGroup | None = None,
        timeout: cdk.Duration | None = None,
    ) -> None:
        """Makes the state machine.

        Args:
            scope: Where it belongs.
            construct_id: Its id there.
            harness: The coding agent, with tools that change files; git is installed on its image.
            directory: The repository on its machine, absolute, such as `/mnt/work/shop`.
            plan_model: Model of the plan; the harness' own unless given.
            implement_model: Model of the implementation; the harness' own unless given.
            review_model: Model of the review; the harness' own unless given.
            max_rounds: Implementations at most, 1–10.
            log_group: Of the executions; one that keeps them for a month unless given.
            timeout: Of an execution; 3 hours unless given.

        Raises:
            HarnessConfigError: A folder or a limit that cannot be, or a harness that a state cannot invoke.
        """
        _refuse(path_of(scope, construct_id), directory, max_rounds)
        super().__init__(scope, construct_id)
        self._runner = CommandRunner.of(self, harness)
        git = f"git -C {shlex.quote(directory)}"
        plan = InvokeHarness(
            self,
            "Plan",
            harness=harness,
            session_id=_SESSION,
            model=plan_model,
            prompt=text(
                f"Plan this change to the repository in {directory}. Read what you need, and change nothing yet.\n\n",
                jsonata("$states.input.task"),
            ),
            assign={
                "plan": RESULT_TEXT,
                "branch": jsonata(_BRANCH),
                "round": 1,
                "comments": jsonata("''"),
                "usage": RESULT_USAGE,
            },
            outputs={},
        )
        branch = RunHarnessCommand(
            self,
            "Branch",
            harness=harness,
            session_id=_SESSION,
            command=text(f"{git} update-ref {_BASE} HEAD && {git} checkout -q -B ", jsonata("$branch")),
            timeout=_GIT_TIMEOUT,
            outputs={},
        )
        implement = InvokeHarness(
            self,
            "Implement",
            harness=harness,
            session_id=_SESSION,
            model=implement_model,
            prompt=jsonata(
                "$round = 1 ? 'Implement the plan. Do not commit: that happens when you are done.' : "
                "'The review asks for this. Change it, and do not commit:\\n\\n' & $comments"
            ),
            assign={"usage": _USAGE},
            outputs={},
        )
        author = "-c user.name=agent -c user.email=agent@localhost"
        commit = RunHarnessCommand(
            self,
            "Commit",
            harness=harness,
            session_id=_SESSION,
            command=text(
                f"{git} add -A && {{ {git} diff --cached --quiet || {git} {author} commit -q -m 'Round ",
                jsonata("$string($round)"),
                f" of the agent'; }} && {git} diff {_BASE} HEAD && {git} rev-parse HEAD",
            ),
            timeout=_GIT_TIMEOUT,
            assign={"commit": jsonata(_SHA), "diff": jsonata(_DIFF)},
            outputs={},
        )
        review = InvokeHarness(
            self,
            "Review",
            harness=harness,
            session_id=_SESSION,
            model=review_model,
            prompt=text(
                "Review this change as if somebody else had made it. Change nothing.\n\n<diff>\n",
                jsonata("$diff"),
                "\n</diff>",
            ),
            answer=InvokeHarness.parse_json(_REVIEW),
            assign={"usage": _USAGE},
        )
        review.add_retry(errors=[ERROR], max_attempts=2)
        again = sfn.Pass.jsonata(
            self,
            "Again",
            assign={"round": jsonata("$round + 1"), "comments": jsonata("$states.input.answer.comments")},
        )
        names = ("plan", "branch", "commit", "diff", "usage")
        done = sfn.Succeed.jsonata(
            self,
            "Done",
            outputs={
                **{name: jsonata(f"${name}") for name in names},
                **{name: jsonata(f"$states.input.answer.{name}") for name in ("approved", "comments")},
                "rounds": jsonata("$round"),
            },
        )
        over = f"$states.input.answer.approved or $round >= {max_rounds}"
        nothing = self._fail("NothingChanged", "the agent left the repository as it was")
        changed = self._choice("Changed?", "$diff != ''", review, nothing)
        review.next(self._choice("Approved?", over, done, again.next(implement)))
        implement.next(commit).next(changed)
        start = self._text_given("task", plan.next(branch).next(implement))
        self._make(start, comment=COMMENT, log_group=log_group, timeout=timeout or _TIMEOUT)

    def _functions(self) -> Sequence[lambda_.IFunction]:
        return [self._runner.function]


def _refuse(path: str, directory: str, max_rounds: int) -> None:
    faults = []
    if not directory.startswith("/"):
        fix = "write where the repository is on the agent's machine, such as /mnt/work/shop"
        faults.append(Fault("directory", "must be an absolute path", received(directory), fix))
    if not 1 <= max_rounds <= _MOST_ROUNDS:
        fix = "each round is two agent steps"
        faults.append(Fault("max_rounds", f"must be 1–{_MOST_ROUNDS}", received(max_rounds), fix))
    if faults:
        raise HarnessConfigError(faults, f"The workflow {path}")
