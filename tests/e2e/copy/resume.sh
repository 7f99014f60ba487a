#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copies whose ends are killed at random moments, and --resume. E2E_ROUNDS sets
# how often (10); E2E_SEED makes a run again as it was.
# shellcheck source=../files.sh
. "$(dirname "$0")/../files.sh"

rounds=${E2E_ROUNDS:-10}
RANDOM=${E2E_SEED:=$((RANDOM % 10000))}
t_diag "E2E_SEED=$E2E_SEED"
size=$((48 * MIB))
there=/tmp/resume
t_finally in_guest rm -rf "$there"
in_guest sh -c "rm -rf $there; mkdir $there"
mkdir here

# A copy in either direction between here/f and $there/f; random bytes are the
# source. Everything about the other end has _of_source or _of_target.
copy() { # up|down OPTION…
	local way=$1
	shift
	case $way in
	up) exec "$VSRPC" -q "$DOMAIN" upload --resume "$@" here/f "$there/f" ;;
	down) exec "$VSRPC" -q "$DOMAIN" download --resume "$@" "$there/f" here/f ;;
	esac
}
make_source() { # up|down [BYTES]
	random "${2:-$size}" source
	case $1 in
	up) cp source here/f ;;
	down) "$VSRPC" -q "$DOMAIN" upload --checksum none source "$there/f" ;;
	esac
}
target_md5() {
	case $1 in
	up) guest_md5 "$there/f" ;;
	down) md5_of here/f ;;
	esac
}
# How much of the target has been kept.
part_size() {
	local size=''
	case $1 in
	up) size=$(second stat -c %s "$there/.f.vsrpc-part" 2>/dev/null) ;;
	down) size=$(stat -c %s here/.f.vsrpc-part 2>/dev/null) ;;
	esac
	echo "${size:-0}"
}
part_reaches() { [ "$(part_size "$1")" -ge "$2" ]; }
begin_anew() {
	rm -rf here
	mkdir here
	in_guest sh -c "rm -rf $there; mkdir $there"
}
all_leftovers() { leftovers here && guest_leftovers "$there"; }

undisturbed() { (copy "$@"); }
# A background process of its own, which can be killed: $pid
start() {
	(copy "$@") >/dev/null 2>copy.err &
	pid=$!
}

# --- rounds
declare -A took
for way in up down; do
	begin_anew
	make_source "$way"
	ms_of t "a copy that nobody disturbs ($way)" undisturbed "$way"
	took[$way]=$((MS > 20 ? MS : 20))
	t_diag "… takes $MS ms"
done

resumed=0 broken=0 kills=0
# Not the last fifth: there most copies have ended before it.
any_moment() {
	local most=$((took[$1] * 4 / 5))
	sleep "$(printf '0.%03d' $((RANDOM * 997 % (most < 999 ? most : 999))))"
}

# Whoever is to kill the agent waits for a word in the guest, so that it takes no
# longer than to kill a client.
load() { # client|agent
	[ "$1" = agent ] || return 0
	# shellcheck disable=SC2016 # the guest's shell expands
	second sh -c 'echo ready; read -r word && kill -9 "$0"' "$(agent_pid)" <trigger >loaded &
	exec 6>trigger
	t_within 10 grep -q ready loaded
}
fire() {
	if [ "$1" = agent ]; then
		echo word >&6 && t_kill -0 "$pid" 2>/dev/null
	else
		t_kill -9 "$pid" 2>/dev/null
	fi
}
unload() {
	[ "$1" = agent ] || return 0
	exec 6>&-
	wait "$killer"
}

# Until it comes to its end; the first times it is disturbed.
round() { # N
	local way=up victim=client rc=1 tries=0 hits=0 disturb=$((1 + RANDOM % 3)) kept=0 killer
	[ $(($1 % 2)) = 1 ] || way=down
	[ $(($1 % 3)) != 0 ] || victim=agent
	begin_anew
	make_source "$way"
	while [ "$rc" != 0 ] && [ "$tries" -lt 12 ]; do
		if [ "$tries" -lt "$disturb" ]; then
			load "$victim"
			killer=$!
			start "$way"
			any_moment "$way"
			! fire "$victim" || hits=$((hits + 1))
			unload "$victim"
		else
			start "$way"
		fi
		rc=0
		wait "$pid" 2>/dev/null || rc=$?
		tries=$((tries + 1))
		[ "$rc" = 0 ] || kept=$(part_size "$way")
	done
	kills=$((kills + hits))
	[ "$tries" = 1 ] || broken=$((broken + 1))
	[ "$kept" = 0 ] || resumed=$((resumed + 1))
	t_is "round $1: $way, the $victim is killed $hits times, $tries tries, $((kept >> 10)) KiB were kept" \
		"0 $(md5_of source)" "$rc $(target_md5 "$way")"
	[ "$rc" = 0 ] || t_diag "$(cat copy.err)"
	t_is "… and nothing is left" '' "$(all_leftovers)"
}
mkfifo trigger
for ((i = 1; i <= rounds; i++)); do round "$i"; done
t_diag "$rounds rounds, $kills times killed in the middle: $broken copies had to be begun again, $resumed of them went on with what was kept"
t "some went on with what was kept" [ $((rounds < 10 || resumed > 0)) = 1 ]
t "the channel is in order" "$VSRPC" "$DOMAIN" ping

# --- what is kept is not believed. Slowly, and killed in the middle.
broken_off() { # up|down
	begin_anew
	make_source "$1" $((8 * MIB))
	start "$1" --limit-rate 1M
	t "a copy ($1) keeps what it has" t_within 20 part_reaches "$1" $((2 * MIB))
	t_kill -9 "$pid"
	wait "$pid" 2>/dev/null
	t "… when it is killed" part_reaches "$1" "$MIB"
}
resumes() { # DESCRIPTION up|down
	start "$2"
	wait "$pid"
	t_is "$1" "0 $(md5_of source)" "$? $(target_md5 "$2")"
	t_is "… and nothing is left" '' "$(all_leftovers)"
}
# In the middle of it one byte is another, or it is much longer.
# shellcheck disable=SC2016 # either shell expands
on_part() { # up|down COMMANDS
	case $1 in
	up) second sh -c "$2" "$there/.f.vsrpc-part" ;;
	down) sh -c "$2" here/.f.vsrpc-part ;;
	esac
}

for way in up down; do
	broken_off "$way"
	resumes "… and goes on" "$way"

	broken_off "$way"
	# shellcheck disable=SC2016
	t "… what was kept is damaged" on_part "$way" 'printf damage | dd of="$0" bs=1 seek=70000 conv=notrunc 2>/dev/null'
	resumes "… which is noticed" "$way"

	broken_off "$way"
	# shellcheck disable=SC2016
	t "… what was kept is too long" on_part "$way" 'dd if=/dev/zero bs=1M count=9 2>/dev/null >>"$0"'
	resumes "… which is noticed" "$way"

	broken_off "$way"
	make_source "$way" $((8 * MIB))
	resumes "… the source is another one meanwhile" "$way"

	broken_off "$way"
	make_source "$way" $((1 * MIB))
	resumes "… the source is a shorter one meanwhile" "$way"

	broken_off "$way"
	# shellcheck disable=SC2016
	t "… what was kept is a link to something else" on_part "$way" 'd=${0%/*}; echo precious >"$d/precious"; ln -sf precious "$0"'
	start "$way"
	wait "$pid"
	# whether it refuses or begins anew: never through the link
	case $way in
	up) precious=$(in_guest cat "$there/precious") ;;
	down) precious=$(cat here/precious) ;;
	esac
	t_is "… which is not written through" precious "$precious"
done
begin_anew
random 1000 here/f
t "--resume of a copy that was never begun" "$VSRPC" "$DOMAIN" upload --resume here/f "$there/f"
t "… nor is there anything to go on with once it is done" "$VSRPC" "$DOMAIN" upload --resume here/f "$there/f"
t_is "… it is right" "$(md5_of here/f)" "$(guest_md5 "$there/f")"

done_testing
