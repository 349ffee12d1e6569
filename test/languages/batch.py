import asyncio
import json
import sys
from pathlib import Path

from temporalio.client import Client
from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError

TASK_QUEUE = "incode-onboarding-bulk"
BATCH_ID = SearchAttributeKey.for_keyword("IncodeBatchId")


async def main(address, batch_id, sessions_file):
    client = await Client.connect(address)
    sessions = json.loads(Path(sessions_file).read_text())
    shards = [sessions[first : first + 2000] for first in range(0, len(sessions), 2000)]
    handles = [await shard_of(client, batch_id, number, shard) for number, shard in enumerate(shards)]
    for handle, shard in zip(handles, shards):
        for session, row in zip(shard, (await handle.result())["rows"]):
            # A row has "failure" if the session failed, otherwise "outcome".
            print(session["interviewId"], row["failure"]["type"] if "failure" in row else row["outcome"])


async def shard_of(client, batch_id, number, sessions):
    """Starts a shard, or attaches to the one that was started before."""
    workflow_id = f"incode-batch/{batch_id}/{number}"
    try:
        return await client.start_workflow(
            "onboardingBatch",
            {"batchId": batch_id, "shard": number, "sessions": sessions, "plan": {"close": True}},
            id=workflow_id,
            task_queue=TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            search_attributes=TypedSearchAttributes([SearchAttributePair(BATCH_ID, batch_id)]),
            memo={"sessions": len(sessions)},
        )
    except WorkflowAlreadyStartedError:
        return client.get_workflow_handle(workflow_id)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
