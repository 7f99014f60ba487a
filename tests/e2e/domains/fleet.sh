#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Several domains at once: prefixes, summary, exit code; a dead one delays nobody.
# shellcheck source=../lib.sh
# shellcheck disable=SC2016 # awk expands
. "$(dirname "$0")/../lib.sh"

# Two domains of the same making: one paused, one whose agents serve a port that
# is not there, so that nobody answers on ours.
dead=("$DOMAIN-dead1" "$DOMAIN-dead2")
define() { # NAME [OPTION-OF-START]
	sed -e "s|<name>.*</name>|<name>$1</name>|" -e '/<uuid>/d' -e 's/vsrpc\.port=[^ <]*/vsrpc.port=no.such.0/' -e "s|$DOMAIN\.console|$1.console|" \
		"$VSRPC_VM_DIR/$DOMAIN.xml" >"$WORK/$1.xml"
	virsh -q -c "$URI" define "$WORK/$1.xml" >/dev/null && virsh -q -c "$URI" start "$@" >/dev/null
}
cleanup() {
	local name
	for name in "${dead[@]}"; do
		virsh -q -c "$URI" destroy "$name" >/dev/null 2>&1
		virsh -q -c "$URI" undefine "$name" >/dev/null 2>&1
		rm -f "$VSRPC_VM_DIR/$name.console"
	done
}
t_finally cleanup

t "a list of one, with itself twice" "$VSRPC" "$DOMAIN,$DOMAIN" exec -- sh -c 'echo a; echo b; echo c >&2'
t_is "runs once, and every line says whose it is" "$DOMAIN: a"$'\n'"$DOMAIN: b" "$OUT"
t_like "standard error is prefixed, too" "^$DOMAIN: c"$'\n' "$ERR"
t_like "a summary is on standard error" "1 domain: 1 succeeded, 0 failed" "$ERR"
t "a line without its end" "$VSRPC" "$DOMAIN*" exec -- printf x
t_is "… gets one" "$DOMAIN: x" "$OUT"
t_status "a command that fails" 1 "$VSRPC" "${DOMAIN}*" exec -- false
t_like "… is named with its exit code" "1 failed \($DOMAIN: 1\)" "$ERR"
t_status "an unknown name in a list" 1 "$VSRPC" "$DOMAIN,no-such-domain" ping
t_like "… fails alone" "2 domains: 1 succeeded, 1 failed \(no-such-domain: 125\)" "$ERR"
t_status "a pattern that matches nothing" 125 "$VSRPC" "zz-no-such-*" ping

mkdir -p here/tree/empty
echo one >here/tree/one
t "a tree to several" "$VSRPC" "$DOMAIN*" upload -r here/tree /tmp/
t "… and back" "$VSRPC" "$DOMAIN*" download -r /tmp/tree here
t_is "… into a folder for each" "$DOMAIN.tree $DOMAIN.tree/empty $DOMAIN.tree/one" "$(cd here && find "$DOMAIN.tree" | LC_ALL=C sort | paste -sd ' ')"
t_status "… not into one for all" 2 "$VSRPC" "$DOMAIN*" download -r /tmp/tree there
t_like "… which says how" 'mkdir there \(each file becomes DOMAIN\.NAME in it\)' "$ERR"

t "a paused domain" define "${dead[0]}" --paused
t "one without an agent" define "${dead[1]}"
start=$EPOCHREALTIME
"$VSRPC" "$DOMAIN*" exec -- uptime 2>err | while IFS= read -r line; do
	printf '%s %s\n' "$EPOCHREALTIME" "$line"
done >out
t_soon "the dead ones wait at the same time" 8000 "$start"
t_like "the living one is answered" " $DOMAIN: .*load average" "$(cat out)"
t "… before they are" awk -v a="$start" -v b="$EPOCHREALTIME" '{ exit !($1 - a < (b - a) / 2) }' out
t_like "… and are named" "3 domains: 1 succeeded, 2 failed \(${dead[0]}: 125, ${dead[1]}: 125\)" "$(cat err)"
t_status "one after the other with --parallel 1" 1 "$VSRPC" --parallel 1 "${dead[0]},$DOMAIN" ping
t_like "list shows the dead ones, too" "${dead[0]} " "$("$VSRPC" list)"

cleanup
# --all is tested in tests/cli with libvirt's test driver: here it would talk
# to domains that are none of ours.

done_testing
