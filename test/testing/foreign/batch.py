"""Incode's batch process for one person, by Python's standard library: python3 batch.py BASE_URL API_KEY"""

import base64
import json
import sys
import time
import urllib.request

base_url, api_key = sys.argv[1:]
picture = base64.b64encode(b"a picture").decode()


def call(method, path, token=None, body=None):
    headers = {"Content-Type": "application/json", "api-version": "1.0", "x-api-key": api_key}
    if token:
        headers["X-Incode-Hardware-Id"] = token
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(base_url + path, data=data, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def checked(answer, good):
    if not good:
        sys.exit("a logical failure: %s" % answer)
    return answer


session = call("POST", "/omni/start", body={"configurationId": "flow-1", "countryCode": "ALL", "language": "en-US"})
token, interview_id = session["token"], session["interviewId"]

for side in ("front", "back"):
    answer = call("POST", "/omni/add/%s-id/v2" % side, token, {"base64Image": picture})
    checked(answer, answer["failReason"] is None)
answer = call("POST", "/omni/process/id", token, {})
checked(answer, answer["success"])
for _ in range(100):
    finished = call("GET", "/omni/get/postprocess/isfinished?id=" + interview_id, token)["finished"]
    if finished:
        break
    time.sleep(0.1)
checked("the ID is not processed", finished)

answer = call("POST", "/omni/add/face/third-party?imageType=selfie", token, {"base64Image": picture})
checked(answer, answer["confidence"] == 0)
answer = call("POST", "/omni/process/face", token, {})
checked(answer, answer["confidence"] == 1)
call("POST", "/omni/process/government-validation", token, {})

finish = call("GET", "/omni/finish-status", token)
call("POST", "/omni/session/status/set?action=Closed", token, {})
score = call("GET", "/omni/get/score?id=" + interview_id, token)
name = call("GET", "/omni/get/ocr-data?id=" + interview_id, token)["name"]["fullName"]
executive = call("POST", "/executive/log-in", body={"email": "clerk@example.com", "password": "a password"})["token"]
approval = call("POST", "/omni/process/approve?interviewId=" + interview_id, executive, {})

print(
    json.dumps(
        {
            "interviewId": interview_id,
            "action": finish["action"],
            "score": score["overall"]["status"],
            "name": name,
            "approved": approval["success"],
        }
    )
)
