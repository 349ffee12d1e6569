#!/bin/sh
# Incode's batch process for one person, by curl: batch.sh BASE_URL API_KEY
set -eu
base_url=$1
api_key=$2

call() { # METHOD PATH TOKEN [BODY]
  curl --silent --show-error --fail --max-time 30 --request "$1" "$base_url$2" \
    --header 'Content-Type: application/json' --header 'api-version: 1.0' \
    --header "x-api-key: $api_key" --header "X-Incode-Hardware-Id: $3" ${4:+--data "$4"}
}
text() { sed -n 's/.*"'"$1"'":"\([^"]*\)".*/\1/p'; }
has() { # ANSWER PART
  case $1 in
    *"$2"*) ;;
    *) echo "a logical failure: $1" >&2 && exit 1 ;;
  esac
}

picture="{\"base64Image\": \"$(printf 'a picture' | base64)\"}"

session=$(call POST /omni/start '' '{"configurationId": "flow-1", "countryCode": "ALL", "language": "en-US"}')
token=$(echo "$session" | text token)
id=$(echo "$session" | text interviewId)

has "$(call POST /omni/add/front-id/v2 "$token" "$picture")" '"failReason":null'
has "$(call POST /omni/add/back-id/v2 "$token" "$picture")" '"failReason":null'
has "$(call POST /omni/process/id "$token" '{}')" '"success":true'
tries=0
until call GET "/omni/get/postprocess/isfinished?id=$id" "$token" | grep -q '"finished":true'; do
  tries=$((tries + 1))
  [ "$tries" -lt 100 ]
  sleep 0.1
done

has "$(call POST '/omni/add/face/third-party?imageType=selfie' "$token" "$picture")" '"confidence":0'
has "$(call POST /omni/process/face "$token" '{}')" '"confidence":1'
call POST /omni/process/government-validation "$token" '{}' > /dev/null

action=$(call GET /omni/finish-status "$token" | text action)
call POST '/omni/session/status/set?action=Closed' "$token" '{}' > /dev/null
score=$(call GET "/omni/get/score?id=$id" "$token" | sed -n 's/.*"overall":{"value":"[^"]*","status":"\([^"]*\)"}}$/\1/p')
name=$(call GET "/omni/get/ocr-data?id=$id" "$token" | text fullName)
executive=$(call POST /executive/log-in '' '{"email": "clerk@example.com", "password": "a password"}' | text token)
has "$(call POST "/omni/process/approve?interviewId=$id" "$executive" '{}')" '"success":true'

printf '{"interviewId": "%s", "action": "%s", "score": "%s", "name": "%s", "approved": true}\n' "$id" "$action" "$score" "$name"
