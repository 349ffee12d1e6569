"""Calls one operation of the generated client, and prints the status and the parsed answer as JSON."""

import importlib
import json
import sys
from io import BytesIO

from httpx import Timeout
from temporal_incode_gateway_client import AuthenticatedClient, models
from temporal_incode_gateway_client.types import File

# The standard input has the tokens.
request = json.load(sys.stdin)
operation = importlib.import_module(f"temporal_incode_gateway_client.api.default.{request['operation']}")
arguments = dict(request.get("arguments", {}))
body = request.get("body")
if isinstance(body, str):
    arguments["body"] = File(payload=BytesIO(body.encode()))
elif body is not None:
    arguments["body"] = getattr(models, request["type"]).from_dict(body)
with AuthenticatedClient(request["url"], request["token"], timeout=Timeout(90)) as client:
    answer = operation.sync_detailed(*request.get("path", []), client=client, **arguments)
parsed = answer.parsed
is_model = hasattr(parsed, "to_dict")
print(
    json.dumps(
        {
            "status": answer.status_code,
            "type": type(parsed).__name__,
            "body": parsed.to_dict() if is_model else parsed,
        }
    )
)
