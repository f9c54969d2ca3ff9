"""`states:startExecution.sync` and `.sync:2`: an execution of another state machine, waited for.

Source: Step Functions developer guide, connect-stepfunctions.
"""

from __future__ import annotations

import json
import time
from typing import Any

from agentcore_local.seams import states_language as language
from agentcore_local.seams import stepfunctions as seam

from .lives import ACTING, LOOK_SECONDS, Ended, ended

Record = dict[str, Any]

_FIRST_LOOK_SECONDS = 0.01


def run(resource: str, arguments: Any) -> Record:
    """Start an execution and wait for its end.

    Args:
        resource: With `.sync:2`, input and output come as JSON values; with `.sync` as text.
        arguments: Those of StartExecution, in PascalCase.

    Returns:
        What DescribeExecution says of it, in PascalCase.

    Raises:
        Exception: `States.TaskFailed` when it did not succeed, with the same as its cause.
        Ended: The execution that waits has ended; the other one is stopped.
    """
    arn = seam.start_execution(arguments)
    look = _FIRST_LOOK_SECONDS
    acting = ACTING.get()
    while (found := seam.find_execution(arn)) is not None and found["status"] == "RUNNING":
        if acting is not None and ended(acting.execution):
            seam.stop_execution(arn, "States.Runtime", "The execution that waited for this one has ended")
            raise Ended(acting.execution["executionArn"])
        time.sleep(look)
        look = min(look * 1.5, LOOK_SECONDS)
    if found is None:
        raise language.task_error("States.TaskFailed", f"The execution {arn} does not exist any more")
    described = _described(found)
    if found["status"] != "SUCCEEDED":
        raise language.task_error("States.TaskFailed", json.dumps(described))
    if resource.endswith(".sync:2"):
        described.update(Input=json.loads(found["input"]), Output=json.loads(found["output"]))
    return described


def _described(execution: Record) -> Record:
    names = {
        "ExecutionArn": "executionArn",
        "StateMachineArn": "stateMachineArn",
        "Name": "name",
        "Status": "status",
        "StartDate": "startDate",
        "StopDate": "stopDate",
        "Input": "input",
        "InputDetails": "inputDetails",
        "Output": "output",
        "OutputDetails": "outputDetails",
        "Error": "error",
        "Cause": "cause",
    }
    return {name: execution[key] for name, key in names.items() if execution.get(key) is not None}
