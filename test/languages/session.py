import asyncio
import sys

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowFailureError,
    WorkflowUpdateFailedError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

TASK_QUEUE = "incode-onboarding"


async def main(address, interview_id, session_token):
    client = await Client.connect(address)
    workflow_id = f"incode-onboarding/{interview_id}"
    start = WithStartWorkflowOperation(
        "onboardingSession",
        {"interviewId": interview_id, "sessionToken": session_token},
        id=workflow_id,
        task_queue=TASK_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
    )
    try:
        # Within a web request: Incode's answer as soon as it is there; None if the session has expired.
        answer = await client.execute_update_with_start_workflow("finish", start_workflow_operation=start)
        print("answer:", answer)
        # Whenever you like: where it stands, and how it ended.
        handle = client.get_workflow_handle(workflow_id)
        state = await handle.query("state")
        print("stage:", state["stage"])
        result = await handle.result()
        print("outcome:", result["outcome"])
    except (WorkflowUpdateFailedError, WorkflowFailureError) as failure:
        print("failed:", failure.cause.type)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
