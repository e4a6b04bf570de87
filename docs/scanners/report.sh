#!/bin/sh
# Reports what a secret scanner found to Tokendesk. Reads the scanner's report on standard input: gitleaks (JSON),
# TruffleHog (--json) or Kingfisher (--format json or jsonl). Only findings of the rules beside this file are sent.
#
#   TOKENDESK_URL      https://tokendesk.example.com
#   TOKENDESK_API_KEY  an API key of Tokendesk (Settings, API keys)
#
#   report.sh [--revoke] SOURCE < report
#
# SOURCE names the job in Tokendesk. --revoke asks for revocation of what is alive; the key must allow it, too.
# Prints the answer, which has no token in it. Exit codes: 0 nothing found, or all of it dead (with --revoke: proven dead);
# 1 something found that is alive, whose death is not sure, or that Tokendesk did not look at; 2 not reported. Needs curl 7.55 or later and jq.
set -eu

say() {
  printf '%s\n' "$1" >&2
  exit 2
}

revoke=false
if [ "${1:-}" = --revoke ]; then
  revoke=true
  shift
fi
[ $# -eq 1 ] || say "Usage: report.sh [--revoke] SOURCE < report"
[ -n "${TOKENDESK_API_KEY:-}" ] || say "TOKENDESK_API_KEY is not set. A build of a fork does not get secrets."
case "${TOKENDESK_URL:-}" in
  https://* | http://localhost:* | http://127.0.0.1:*) ;;
  *) say "TOKENDESK_URL must begin with https://" ;;
esac

umask 077
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM

# printf is part of the shell: the key is in no process's arguments.
printf 'Authorization: Bearer %s\n' "$TOKENDESK_API_KEY" > "$work/header"

jq --slurp --arg source "$1" --argjson revoke "$revoke" '
  def from_gitleaks: select(.RuleID? == "ringcx-api-token")
    | {value: .Secret, source: "\(.File):\(.StartLine)"};
  def from_trufflehog: select(.ExtraData?.name? == "RingCX API token")
    | {value: .Raw, source: ([.SourceMetadata.Data[]?][0] | "\(.file? // "?"):\(.line? // 0)")};
  def from_kingfisher: select(.rule?.id? == "custom.ringcx.api-token")
    | {value: .finding.snippet, source: "\(.finding.path // "?"):\(.finding.line // 0)"};
  [ .[]
    | if type == "array" then .[] elif has("findings") then .findings[] else . end
    | from_gitleaks, from_trufflehog, from_kingfisher ]
  | {findings: ., source: $source, revoke: $revoke}
' > "$work/body" || say "The report is not JSON of gitleaks, TruffleHog or Kingfisher."

if jq --exit-status '.findings == []' "$work/body" > "$work/empty"; then
  echo "No RingCX API tokens." >&2
  exit 0
fi

status=$(
  curl --silent --show-error --max-time 900 --header @"$work/header" --header 'Content-Type: application/json' \
    --header 'Accept: application/x-ndjson' --data-binary @"$work/body" --output "$work/answer" --write-out '%{http_code}' \
    "${TOKENDESK_URL%/}/api/incidents/report"
) || say "Tokendesk could not be reached."
case "$status" in
  2??) ;;
  *)
    cat "$work/answer" >&2
    echo >&2
    say "Tokendesk answered $status."
    ;;
esac

# The answer comes in lines while the lookup goes on; the last of their kinds tell how it ended.
jq --slurp --argjson revoke "$revoke" '
  map(select(.type == "result"))[-1] as $result
  | map(select(.type == "summary"))[-1] as $summary
  | map(select(.type == "failed"))[-1] as $failed
  | if $result then $result + {dryRun: ($revoke | not), revocation: $summary, failed: $failed} | del(.type)
    else {failed: ($failed // {detail: "The answer ended before its result."})} end
' "$work/answer" > "$work/report" || say "The answer is not JSON."
cat "$work/report"
jq --exit-status '.findings and .failed == null and (.dryRun or .revocation or .findings == [])' "$work/report" \
  > "$work/whole" || say "Tokendesk did not come to an end with it. Report it again."
# Two ways to write a token are one token.
jq --exit-status --slurpfile sent "$work/body" '
  ($sent[0].findings | map(.value | ascii_downcase | gsub("%3a"; ":")) | unique | length) as $count
  | .truncated == false and (.findings | map(.tokenId) | unique | length) >= $count
' "$work/report" > "$work/complete" || {
  echo "Tokendesk did not recognise all of them, or did not look at all: treat the others as alive." >&2
  exit 1
}
jq --exit-status '
  if .revocation then .revocation.outcome == "contained" else all(.findings[]; .status == "dead") end
' "$work/report" > "$work/dead" || exit 1
