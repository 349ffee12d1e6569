import asyncio
import sys
from pathlib import Path

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowFailureError,
    WorkflowUpdateFailedError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

TASK_QUEUE = "incode-onboarding"


async def main(address, interview_id, token_file):
    client = await Client.connect(address)
    handle = client.get_workflow_handle(f"incode-onboarding/{interview_id}")
    # From a file, because everybody on the machine can see a process's arguments.
    session = {"interviewId": interview_id, "sessionToken": Path(token_file).read_text().strip()}
    try:
        # Within a web request:
        print("answer:", await finish(client, handle, session))
        # At any time: where it stands, and how it ended.
        print("stage:", (await handle.query("state"))["stage"])
        print("outcome:", (await handle.result())["outcome"])
    except (WorkflowUpdateFailedError, WorkflowFailureError) as failure:
        print("failed:", failure.cause)


async def finish(client, handle, session):
    """Returns Incode's answer as soon as it arrives; None if the session has expired."""
    start = WithStartWorkflowOperation(
        "onboardingSession",
        session,
        id=handle.id,
        task_queue=TASK_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
    )
    try:
        return await client.execute_update_with_start_workflow("finish", start_workflow_operation=start)
    except WorkflowAlreadyStartedError:
        # It was started before and has ended: its result has the answer.
        return (await handle.result())["finish"]


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
