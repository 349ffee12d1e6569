import sys
from pathlib import Path

from httpx import Timeout
from temporal_incode_gateway_client import AuthenticatedClient
from temporal_incode_gateway_client.api.default import finish_session, get_session
from temporal_incode_gateway_client.models import FinishedSession, FinishSessionRequest, Problem


def main(url, token_file, interview_id, session_token_file):
    # From files, because everybody on the machine can see a process's arguments.
    token, session_token = (Path(file).read_text().strip() for file in (token_file, session_token_file))
    # Longer than the request waits for Incode's answer.
    with AuthenticatedClient(url, token, timeout=Timeout(20)) as client:
        body = FinishSessionRequest(session_token=session_token)
        answer = finish_session.sync(interview_id, client=client, body=body, timeout="10s")
        if isinstance(answer, Problem):
            print("problem:", answer.status, answer.type_)
        elif isinstance(answer, FinishedSession):
            print("action:", answer.answer.action if answer.answer else "expired")
        else:
            print("waits for:", answer.waiting_for)
        # Later: where it stands, and how it ended.
        session = get_session.sync(interview_id, client=client)
        if not isinstance(session, Problem) and session.result:
            print("outcome:", session.result.outcome)


if __name__ == "__main__":
    main(*sys.argv[1:])
