#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Versions meet in a guest: an older agent is started there, at the spare port, and
# asked by today's tool; today's agent is asked by the older tool.
# shellcheck disable=SC2034 # commands.sh reads what is set here
# shellcheck source=../disturb.sh
. "$(dirname "$0")/../disturb.sh"
# shellcheck source=../../vm/common.sh
. "$HERE/../../vm/common.sh"
# shellcheck source=../../pair/builds.sh
. "$HERE/../../pair/builds.sh"
# shellcheck source=../../pair/commands.sh
. "$HERE/../../pair/commands.sh"

TODAY=$VSRPC
DENIED=/etc/shadow

# meet TOOL HOST_IS GUEST_IS WORD…: the words name the guest
meet() {
	VSRPC=$1 HOST_IS=$2 GUEST_IS=$3 GUEST_DIR="/tmp/pair ñ"
	TARGET=("${@:4}")
	mkdir "$WORK/$HOST_IS" && cd "$WORK/$HOST_IS" || exit
	pair_commands
	t "$(pair_name): list" timeout 60 "$VSRPC" --json list
	t_json "… has the guest" "'$DOMAIN' in [r['name'] for r in d]" "$OUT"
	cd "$WORK" && rm -rf "${WORK:?}/$HOST_IS"
	VSRPC=$TODAY
}

both_ways() { # NAME
	local pid
	t "version $1: its agent is copied" "$VSRPC" "$DOMAIN" upload "$PAIR_BUILD/vsrpc-agent" /tmp/older
	pid=$(agent_on_spare older '' /tmp/older)
	t "… and started at the spare port" t_within 10 spare_answers
	t_is "… as itself" /tmp/older "$(second readlink "/proc/$pid/exe")"
	meet "$TODAY" today "$1" --channel test.spare.0 "$DOMAIN"
	second sh -c "kill $pid; rm -f /tmp/older*"
	meet "$PAIR_BUILD/vsrpc-virsh" "$1" today "$DOMAIN"
	t_next "… today's tool is right after it"
}

while read -r name commit <&5; do
	rc=0
	pair_build "$name" "$commit" || rc=$?
	if [ "$rc" = 77 ] && [ "${CI:-}" != true ]; then
		t_skip "version $name" "its commit is not in the history here"
	else
		t_is "version $name is there" 0 "$rc"
		[ "$rc" != 0 ] || both_ways "$name"
	fi
done 5< <(pair_versions)

done_testing
