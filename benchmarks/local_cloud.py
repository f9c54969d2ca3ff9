"""Times the local cloud: start, direct deploy, first token, invocations per second, memory.

The bare library beside it: the same Strands loop with the same scripted answers, without HTTP, validation and sessions.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

from callers import WARM_UP
from strands import Agent
from strands.models import Model

from agentcore_local import Account, LocalCloud

ROOT = Path(__file__).resolve().parents[1]
TEXT = "The answer is forty-two."
CALLS = 600
CALLERS = (1, 32, 200)
MIRRORS = f"https://github.com/anthropics/skills={ROOT / 'examples' / 'mirror'}"
"""The reference agents have a skill from GitHub, and a benchmark needs no network."""


class Bare(Model):
    """A Strands model that says one sentence, token by token."""

    def update_config(self, **model_config: Any) -> None:
        """Nothing to configure."""

    def get_config(self) -> dict[str, Any]:
        """Nothing is configured."""
        return {}

    def structured_output(self, *_: Any, **__: Any) -> Any:
        """Not used."""
        raise NotImplementedError

    async def stream(self, *_: Any, **__: Any) -> Any:
        """The sentence as a Converse stream."""
        yield {"messageStart": {"role": "assistant"}}
        yield {"contentBlockStart": {"start": {}}}
        for word in TEXT.split(" "):
            yield {"contentBlockDelta": {"delta": {"text": word + " "}}}
        yield {"contentBlockStop": {}}
        yield {"messageStop": {"stopReason": "end_turn"}}
        usage = {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}
        yield {"metadata": {"usage": usage, "metrics": {"latencyMs": 0}}}


def bare_loop() -> float:
    """Calls per second of the library alone."""

    async def run() -> None:
        for _ in range(CALLS):
            agent = Agent(model=Bare(), callback_handler=None)
            async for _event in agent.stream_async("What is the answer?"):
                pass

    started = time.perf_counter()
    asyncio.run(run())
    return CALLS / (time.perf_counter() - started)


def invoke(client: Any, arn: str) -> tuple[float, float]:
    """One invocation in a session of its own: seconds to the first text, seconds to the end."""
    started = time.perf_counter()
    first = 0.0
    response = client.invoke_harness(
        harnessArn=arn,
        runtimeSessionId=str(uuid.uuid4()),
        messages=[{"role": "user", "content": [{"text": "What is the answer?"}]}],
    )
    for event in response["stream"]:
        if not first and "text" in event.get("contentBlockDelta", {}).get("delta", {}):
            first = time.perf_counter() - started
    return first, time.perf_counter() - started


def resident() -> float:
    """Resident memory of this process, MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def synthesized(folder: str, script: str, *arguments: str) -> str:
    """The cloud assembly that a script writes."""
    command = [sys.executable, str(ROOT / script), *arguments]
    subprocess.run(command, env={**os.environ, "CDK_OUTDIR": folder}, check=True, capture_output=True, cwd=ROOT)
    return folder


def called(account: Account, arn: str, callers: int) -> dict[str, float]:
    """So many callers at once, in a process of their own: invocations per second, times, CPU here for each call."""
    calls = max(CALLS, callers * 4)
    command = [sys.executable, str(ROOT / "benchmarks" / "callers.py")]
    command += [account.cloud.endpoint_url, account.account_id, arn, str(callers), str(calls)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdin is None or process.stdout is None or process.stdout.readline() != "ready\n":
            raise SystemExit("the callers did not come up")
        before = time.process_time()
        process.stdin.write("\n")
        process.stdin.flush()
        found: dict[str, float] = json.loads(process.stdout.readline())
        # User and system time of all threads here: what stays comparable when others use the machine too.
        return found | {"cpu_ms": 1000 * (time.process_time() - before) / calls}


def invoked(account: Account, agent: str, arn: str, figures: dict[str, float]) -> None:
    """Adds what an agent does for more and more callers: `<agent>_per_second_<callers>` and so on."""
    for callers in CALLERS:
        found = called(account, arn, callers)
        figures[f"{agent}_per_second_{callers}"] = found["per_second"]
        figures[f"{agent}_cpu_ms_{callers}"] = found["cpu_ms"]
        if callers == 1:
            figures |= {f"{agent}_{name}": found[name] for name in ("first_ms", "p50_ms", "p95_ms")}


def main() -> None:
    """Prints one JSON object with all figures."""
    figures: dict[str, float] = {}
    os.environ["AGENTCORE_GIT_MIRRORS"] = MIRRORS
    with tempfile.TemporaryDirectory() as reference, tempfile.TemporaryDirectory() as plain:
        synthesized(reference, "app.py")
        synthesized(plain, "benchmarks/plain_agents.py", plain)
        started = time.perf_counter()
        with LocalCloud() as cloud:
            figures["start_seconds"] = time.perf_counter() - started
            account = cloud.account()
            cloud.script(None, [{"turns": [{"text": TEXT}]}])
            started = time.perf_counter()
            deployed = account.deploy(reference)
            figures["deploy_seconds"] = time.perf_counter() - started
            plain_arns = account.deploy(plain)["Plain"].outputs
            arns = {
                "no_memory": plain_arns["NoMemoryArn"],
                "managed_memory": plain_arns["ManagedMemoryArn"],
                "reference": next(v for v in deployed["AnalyticsAgent"].outputs.values() if ":harness/" in v),
            }
            client = account.client("bedrock-agentcore")
            invoke(client, arns["reference"])
            times = [invoke(client, arns["reference"]) for _ in range(CALLS // 2)]
            figures["boto3_p50_ms"] = 1000 * statistics.median(total for _, total in times)
            before = resident()
            for agent, arn in arns.items():
                invoked(account, agent, arn, figures)
            figures["load"] = os.getloadavg()[0]
            sessions = len(arns) * sum(max(CALLS, 4 * callers) + WARM_UP for callers in CALLERS)
            figures["session_kib"] = 1024 * (resident() - before) / sessions
            figures["resident_mib"] = resident()
    figures["bare_per_second"] = bare_loop()
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
