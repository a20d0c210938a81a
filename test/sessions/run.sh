#!/usr/bin/env bash
# A session with the AWS CLI and one with boto3 against a running server, each with its output checked. Installs both (Debian's packages)
# where they are missing.
#
#   test/sessions/run.sh http://127.0.0.1:8000
set -uo pipefail
cd "$(dirname "$0")"
endpoint=${1:?usage: run.sh ENDPOINT}

missing=()
command -v aws >/dev/null || missing+=(awscli)
# Debian's own Python is the one that Debian's boto3 belongs to.
/usr/bin/python3 -c 'import boto3' 2>/dev/null || missing+=(python3-boto3)
if [ ${#missing[@]} -gt 0 ]; then
	{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >&2 || exit 1
fi

export AWS_ACCESS_KEY_ID=${AWS_ACCESS_KEY_ID:-local} AWS_SECRET_ACCESS_KEY=${AWS_SECRET_ACCESS_KEY:-local}
export AWS_DEFAULT_REGION=${AWS_DEFAULT_REGION:-us-east-1} AWS_PAGER="" AWS_EC2_METADATA_DISABLED=true AWS_MAX_ATTEMPTS=1

status=0
./cli.sh "$endpoint" || status=1
/usr/bin/python3 boto3_session.py "$endpoint" || status=1
exit $status
