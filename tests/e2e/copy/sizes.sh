#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copies from nothing to 3 GiB: every --checksum, pipes, holes, what a terminal
# shows, and --limit-rate.
# shellcheck source=../files.sh
# shellcheck disable=SC2016 # the guest's shell expands
. "$(dirname "$0")/../files.sh"

there=/tmp/sizes
t_finally in_guest rm -rf "$there"
in_guest sh -c "rm -rf $there; mkdir $there"
agent=$(agent_pid)
second sh -c 'echo 5 >/proc/$0/clear_refs' "$agent"

# both DESCRIPTION FILE OPTION…: there and back again
both() {
	local what=$1 file=$2 sum
	shift 2
	sum=$(md5_of "$file")
	t "upload of $what" "$VSRPC" "$DOMAIN" upload "$@" "$file" "$there/f"
	t_is "… is the same in the guest" "$sum" "$(guest_md5 "$there/f")"
	rm -f down
	t "download of $what" "$VSRPC" "$DOMAIN" download "$@" "$there/f" down
	t "… is the same here" cmp "$file" down
}

for checksum in md5 sha256 none; do
	for size in 0 1 4095 65537 $((4 * MIB + 1)) $((33 * MIB + 1)); do
		random "$size" up
		both "$size bytes, --checksum $checksum" up --checksum "$checksum"
	done
done
t_status "another --checksum is refused" 2 "$VSRPC" "$DOMAIN" upload --checksum crc32 up "$there/g"
t_not "… and copies nothing" guest_has "$there/g"

# --- 200 MiB, that do not compress and do not fit into memory twice
in_guest rm -f "$there/f"
random $((200 * MIB)) up
both "200 MiB" up
in_guest rm -f "$there/f"
rm -f up down

# --- 3 GiB, with something at the beginning, in the middle and at the end
size=$((3 * 1024 * MIB))
truncate -s "$size" holes
for at in 0 $((size / 2 - 5)) $((size - 65536)); do
	random 65536 | dd of=holes bs=64K seek="$at" oflag=seek_bytes conv=notrunc status=none
done
both "3 GiB with holes" holes
here=$(du -k down | cut -f1)
t "… takes no space for the holes here: $here KiB" [ "$here" -lt 8192 ]
kib=$(in_guest du -k "$there/f" | cut -f1)
t "… nor in the guest: $kib KiB" [ "$kib" -lt 8192 ]
t_is "… and is as long as it was" "$size $size" "$(stat -c %s down) $(in_guest stat -c %s "$there/f")"
rm -f holes down
in_guest rm -f "$there/f"

peak=$(second sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$agent/status")
t "the agent stayed below 16 MiB: $peak kB" [ "${peak:-99999}" -lt 16384 ]
t_is "… and is the same one" "$agent" "$(agent_pid)"

# --- pipes
for size in 0 1 65536 $((5 * MIB + 3)) $((33 * MIB + 1)); do
	random "$size" up
	# shellcheck disable=SC2002 # a pipe is what is tested
	cat up | "$VSRPC" -q "$DOMAIN" upload - "$there/pipe"
	t_is "upload of $size bytes from a pipe" "0 0 $(md5_of up)" "${PIPESTATUS[*]} $(guest_md5 "$there/pipe")"
	sum=$("$VSRPC" "$DOMAIN" download "$there/pipe" - | md5sum | cut -d' ' -f1; echo "${PIPESTATUS[0]}")
	t_is "download of them into one" "$(md5_of up) 0" "${sum/$'\n'/ }"
done
"$VSRPC" "$DOMAIN" download --checksum none "$there/pipe" - | head -c 10 >first
t_is "a reader that has enough gets what it wants" "$(head -c 10 up | md5_of /dev/stdin)" "$(md5_of first)"
t "… and the channel is in order" "$VSRPC" "$DOMAIN" ping
# A slow writer does not keep the channel from others.
mkfifo slow
"$VSRPC" "$DOMAIN" upload - "$there/slow" <slow >/dev/null & pid=$!
exec 5>slow
random $((3 * MIB)) half
cat half >&5
ms_of t "a ping beside an upload that waits for its input" "$VSRPC" "$DOMAIN" ping
t "… is answered at once: $MS ms" [ "$MS" -lt 2000 ]
cat half >&5
exec 5>&-
wait "$pid"
t_is "… which is right in the end" "0 $(cat half half | md5_of /dev/stdin)" "$? $(guest_md5 "$there/slow")"
rm -f slow half up

# --- no faster than asked for
random $((4 * MIB)) rate
ms_of t "upload of 4 MiB at 2 MiB/s" "$VSRPC" "$DOMAIN" upload --limit-rate 2M rate "$there/rate"
t "… takes its time: $MS ms" [ "$MS" -ge 1500 ]
t "… but not more: $MS ms" [ "$MS" -le 15000 ]
t_is "… and is right" "$(md5_of rate)" "$(guest_md5 "$there/rate")"
ms_of t "download of them" "$VSRPC" "$DOMAIN" download --limit-rate 2M "$there/rate" down
t "… takes its time: $MS ms" [ "$MS" -ge 1500 ]
t "… but not more: $MS ms" [ "$MS" -le 15000 ]
t "… and is right" cmp rate down

# --- what a terminal shows
figures='[0-9.]+ [KM]iB  [0-9.]+ [KM]?i?B/s'
longest() { tr '\r' '\n' <"$1" | awk '{ if (length($0) > n) n = length($0) } END { print n + 0 }'; }
last_line() { sed '/^[[:space:]]*$/d' "$1" | tail -n 1 | tr -d '\n' | sed 's/\r$//; s/.*\r//'; }
watch() { in_pty 60 "$VSRPC" "$DOMAIN" "$@" >seen; }

t "an upload that takes a while, on a terminal" watch upload --limit-rate 2M rate "$there/rate"
t_like "… shows how far it is" "rate +[0-9]+%  $figures  [0-9]+:[0-9]{2}" "$(cat seen)"
t "… in one line: $(longest seen) columns" [ "$(longest seen)" -lt 60 ]
t_is "… which is gone in the end" "Upload successful: $there/rate ($((4 * MIB)) bytes)" "$(last_line seen)"
t "a download" watch download --limit-rate 2M "$there/rate" down
t_like "… shows it, too" "rate +[0-9]+%  $figures  [0-9]+:[0-9]{2}|down +[0-9]+%  $figures  [0-9]+:[0-9]{2}" "$(cat seen)"
t_like "… and it is gone in the end" "^Download successful: (/.*/)?down \($((4 * MIB)) bytes\)\$" "$(last_line seen)"
in_pty 60 sh -c 'cat rate | "$@"' sh "$VSRPC" "$DOMAIN" upload --limit-rate 2M - "$there/rate" >seen
t_like "a pipe's size is not known" "(^|\r)[^%\r]*$figures" "$(cat seen)"
t_not "… nor how much is left" grep -q '%' seen
t "a quick copy" watch upload seen "$there/quick"
t_not "… shows nothing" grep -qE '%|iB/s' seen
for option in --no-progress -q; do
	case $option in
	-q) in_pty 60 "$VSRPC" -q "$DOMAIN" upload --limit-rate 2M rate "$there/rate" >seen ;;
	*) watch upload $option --limit-rate 2M rate "$there/rate" ;;
	esac
	t_is "with $option" 0 $?
	t_not "… there is no such line" grep -qE '%|iB/s' seen
done
t "without a terminal" "$VSRPC" "$DOMAIN" upload --limit-rate 2M rate "$there/rate"
t_is "… there is none either" '' "$ERR"

t_not "the agent holds no file open" guest_opened "$there"
t_is "nothing is left here" '' "$(leftovers .)"
t_is "… nor in the guest" '' "$(guest_leftovers "$there")"
done_testing
