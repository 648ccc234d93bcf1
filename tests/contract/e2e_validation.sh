#!/usr/bin/env bash
# The walk of every client, with curl and jq alone: health, submit, poll, results. Prints each step; exits 0 when all hold.
#   tests/contract/e2e_validation.sh VIDEO [SERVER]      SERVER as `forgesyte up` printed it
# PLUGIN, TOOL and LIMIT_S (seconds until the job must have ended) may be set.
set -euo pipefail

video=${1:?usage: e2e_validation.sh VIDEO [SERVER]}
server=${2:-http://127.0.0.1:8000}
plugin=${PLUGIN:-motion-detector}
tool=${TOOL:-detect-motion}
limit_s=${LIMIT_S:-300}
answers=$(mktemp -d)
trap 'rm -rf "$answers"' EXIT

step() { printf '%-9s %s\n' "$1" "$2"; }
fail() { printf 'FAILED    %s\n' "$1" >&2; [ ! -s "${2:-}" ] || { head -c 2000 "$2" >&2; echo >&2; }; exit 1; }
# ask FILE STATUS CURL-ARGUMENTS... : the answer goes into FILE and must have STATUS
ask() {
    local file=$answers/$1 want=$2 found; shift 2
    found=$(curl -sS -o "$file" -w '%{http_code}' "$@") || fail "no answer from $server"
    [ "$found" = "$want" ] || fail "expected $want, found $found: ${*: -1}" "$file"
}
# holds FILE JQ-CONDITION : what the answer must be
holds() { jq -e "$2" "$answers/$1" >/dev/null || fail "$1 does not hold: $2" "$answers/$1"; }

ask health 200 "$server/health"
holds health '.status == "healthy" and .plugins_loaded >= 1'
step health "$(jq -r '"\(.status), version \(.version), \(.plugins_loaded) plugins"' "$answers/health")"

ask submitted 202 -F "plugin_id=$plugin" -F "tool=$tool" -F "video=@$video" "$server/v1/video/submit"
holds submitted '.status == "queued" and (.job_id | length) == 36'
job=$(jq -r .job_id "$answers/submitted")
step submit "$job"

status=queued
deadline=$((SECONDS + limit_s))
until [ "$status" = completed ]; do
    [ "$SECONDS" -lt "$deadline" ] || fail "still $status after $limit_s s"
    sleep 0.5
    ask job 200 "$server/v1/jobs/$job"
    holds job '.job_id and (.progress == null or (.progress >= 0 and .progress <= 100))'
    status=$(jq -r .status "$answers/job")
    step poll "$(jq -r '"\(.status) \(.progress // 0)% frame \(.current_frame // 0) of \(.total_frames // "?")"' "$answers/job")"
    case $status in failed | cancelled) fail "$(jq -r '.error_message // .status' "$answers/job")" ;; esac
done
holds job '.progress == 100 and .completed_at != null and .results.total_frames >= 1 and (.results.frames | length) >= 1'

ask results 200 "$server/v1/jobs/$job/result"
holds results '.total_frames >= 1 and (.frames | length) == .total_frames'
holds results '[.frames[].frame_index] == [range(.total_frames)]'
holds results '.summary.frame_count == .total_frames'
step results "$(jq -r '"total_frames \(.total_frames), frames \(.frames | length), detections \(.summary.detection_count)"' "$answers/results")"

if grep -qi numpy "$answers"/*; then fail "the word numpy stands in an answer"; fi
step plain "no numpy in any answer"
echo "all steps passed"
