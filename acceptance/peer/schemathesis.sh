#!/bin/sh
# Schemathesis against the interface: thousands of requests made out of our own OpenAPI document, with and against it, to a
# demonstration county. It finds answers that the document does not know, faults of the server, and bad requests that are taken.
# Makes a throw-away environment; schemathesis (MIT) is a process that is run, no part of the product.
#
#     acceptance/peer/schemathesis.sh [EXAMPLES]    for each operation, as a rule 200; KANGMAI=path of a build, else it is built
set -eu
cd "$(dirname "$0")/../.."
examples=${1:-200}
work=$(mktemp -d)
server=
trap 'test -z "$server" || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
if [ -z "${KANGMAI:-}" ]; then
    cargo build -p kangmai-server
    KANGMAI=target/debug/kangmai
fi
if [ -z "${SCHEMATHESIS:-}" ]; then
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet schemathesis==4.32.5
    SCHEMATHESIS="$work/venv/bin/schemathesis"
fi
port=${PORT:-18431}
"$KANGMAI" demo --people 300 --port "$port" --data "$work/county" > "$work/said" 2> "$work/log" &
server=$!
tries=0
until grep -q 'interface key' "$work/said"; do
    tries=$((tries + 1))
    test "$tries" -lt 600 || { cat "$work/log"; exit 1; }
    sleep 0.2
done
key=$(sed -n 's/.*interface key, a patient: \([^ ]*\) .*/\1/p' "$work/said")
"$SCHEMATHESIS" run "http://127.0.0.1:$port/api/openapi.json" \
    --header "Authorization: Bearer $key" --header "Accept-Language: en" \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance,negative_data_rejection \
    --max-examples "$examples" --seed 7 --workers 1 --request-timeout 20
