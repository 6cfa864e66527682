#!/bin/sh
# Prints the events of some days, a page on each line.
#
#     FOOTFALL_URL=https://links.example.com FOOTFALL_KEY=... sh browse.sh 2026-01-01 2026-01-31
set -eu

list="$FOOTFALL_URL/link/external/v1/analytics/events?from=$1&to=$2&limit=${FOOTFALL_LIMIT:-5000}"
cursor=
while :; do
    # --retry waits as long as Retry-After asks for.
    page=$(curl --silent --show-error --fail --retry 5 -H "X-API-KEY: $FOOTFALL_KEY" "$list$cursor")
    printf '%s\n' "$page"
    next=$(printf '%s' "$page" | sed -n 's/.*"nextCursor":"\([^"]*\)".*/\1/p')
    [ -n "$next" ] || break
    cursor="&cursor=$next"
done
