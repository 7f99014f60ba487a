#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copies that cannot end well: no room, no right to write, a folder that vanishes,
# a source that changes, damage on the way, somebody who looks all the time. What
# was there stays, and nothing lies about.
# shellcheck source=../files.sh
# shellcheck disable=SC2016 # the guest's shell expands
. "$(dirname "$0")/../files.sh"

there=/tmp/faults
peer=$(cd "$(dirname "$0")/../../peer" && pwd)
full=/mnt/faults
t_finally in_guest sh -c "umount $full 2>/dev/null; rm -rf $there $full"
in_guest sh -c "umount $full 2>/dev/null; rm -rf $there; mkdir -p $there $full"
mkdir here
upload() { "$VSRPC" "$DOMAIN" upload "$@"; }
download() { "$VSRPC" "$DOMAIN" download "$@"; }
# What is below $there and here, and nothing that a copy has left.
clean() { # DESCRIPTION
	t_is "$1" '' "$(leftovers here; guest_leftovers "$there"; guest_leftovers "$full")"
	t "… and the channel is in order" "$VSRPC" "$DOMAIN" ping
	# what it holds takes room even when it has been removed
	t_not "… and the agent holds no file open" guest_opened "$there"
}

# --- no room
random $((8 * MIB)) big
in_guest mount -t tmpfs -o size=4m tmpfs "$full"
in_guest sh -c 'echo old >"$0/old"' "$full"
used() { in_guest df -k "$full" | awk 'END { print $3 }'; }
before=$(used)
for options in '' '--checksum none' '--resume'; do
	for name in new old; do
		# shellcheck disable=SC2086 # words
		t_status "upload $options to a full file system ($name)" 1 upload $options big "$full/$name"
		t_like "… says so" 'No space left on device' "$ERR"
		kept=$(in_guest sh -c 'cat "$0" 2>/dev/null | wc -c' "$full/.$name.vsrpc-part")
		t_is "… what is kept of it is said" "$([ "$kept" = 0 ] || echo "$kept bytes")" "$(grep -o '[0-9]* bytes of .* are kept' <<<"$ERR" | cut -d' ' -f1,2)"
		in_guest rm -f "$full/.$name.vsrpc-part" # --resume may keep it
	done
	t_is "… what was there is as it was" "old old" "$(in_guest sh -c 'cd "$0" && ls -A && cat old' "$full" | paste -sd ' ')"
	t_is "… and the room is free again" "$before" "$(used)"
done
t_status "upload from a pipe to a full file system" 1 sh -c '"$@" <big' sh "$VSRPC" "$DOMAIN" upload - "$full/old"
t_is "… what was there is as it was" "old old" "$(in_guest sh -c 'cd "$0" && ls -A && cat old' "$full" | paste -sd ' ')"
clean "nothing is left"

upload big "$there/big" >/dev/null
echo old >here/old
# As on a full disk: no file may be larger than 1 MiB.
no_room() { (trap '' XFSZ && ulimit -f 1024 && exec "$VSRPC" "$DOMAIN" download "$@"); }
for options in '' '--checksum none'; do
	for name in new old; do
		# shellcheck disable=SC2086 # words
		t_status "download $options where there is no room ($name)" 125 no_room $options "$there/big" "here/$name"
		t_like "… says so" 'File too large' "$ERR"
	done
	t_is "… what was there is as it was" "old old" "$(ls -A here) $(cat here/old)"
done
t_status "download to a full device" 125 sh -c '"$@" >/dev/full' sh "$VSRPC" "$DOMAIN" download "$there/big" -
clean "nothing is left"

# --- no right to write
in_guest mount -o remount,ro "$full"
for name in new old; do
	t_status "upload to a read-only file system ($name)" 1 upload big "$full/$name"
	t_like "… says so" 'Read-only file system' "$ERR"
done
t_is "… what was there is as it was" old "$(in_guest cat "$full/old")"
in_guest umount "$full"
t_status "download to where no files are made" 125 download "$there/big" /proc/self/big
t_like "… says where" '/proc/self' "$ERR"
clean "nothing is left"

# --- there already, or made meanwhile
echo mine >mine
in_guest sh -c 'echo theirs >"$0/theirs"' "$there"
t_status "upload --no-clobber over a file" 1 upload --no-clobber mine "$there/theirs"
t_is "… leaves it" theirs "$(in_guest cat "$there/theirs")"
echo mine >here/mine
t_not "download --no-clobber over a file" download --no-clobber "$there/theirs" here/mine
t_is "… leaves it" mine "$(cat here/mine)"

# slowly WAY ARG…: a copy of big that takes 4 s, beside the script. Waits until it
# is on its way.
slowly() {
	local way=$1
	shift
	"$VSRPC" "$DOMAIN" "$way" --limit-rate 2M "$@" >slow.out 2>slow.err & pid=$!
	case $way in
	upload) t_within 20 guest_opened "$there" ;;
	download) t_within 20 opened "$pid" "$PWD/here" ;;
	esac
}
ended() { # sets RC, ERR
	RC=0
	wait "$pid" || RC=$?
	ERR=$(cat slow.err)
}
t "an upload --no-clobber is on its way" slowly upload --no-clobber big "$there/late"
second sh -c 'echo theirs >"$0/late"' "$there"
ended
t_is "… when somebody makes that file: it fails" 1 "$RC"
t_is "… and the file is theirs" theirs "$(in_guest cat "$there/late")"
t "a download --no-clobber is on its way" slowly download --no-clobber "$there/big" here/late
echo mine >here/late
ended
t_not "… when somebody makes that file: it fails" [ "$RC" = 0 ]
t_is "… and the file is theirs" mine "$(cat here/late)"
clean "nothing is left"

# --- the folder vanishes
in_guest mkdir "$there/gone"
t "an upload is on its way" slowly upload big "$there/gone/f"
second rm -rf "$there/gone"
ended
t_is "… when its folder vanishes: it fails" 1 "$RC"
t_like "… and says why" 'No such file|does not exist' "$ERR"
t_not "… the folder is not there again" guest_has "$there/gone"
mkdir here/gone
t "a download is on its way" slowly download "$there/big" here/gone/f
rm -rf here/gone
ended
t_is "… when its folder vanishes: it fails" 125 "$RC"
t_like "… and says why" 'No such file|does not exist' "$ERR"
t_not "… the folder is not there again" [ -e here/gone ]
in_guest cp "$there/big" "$there/source"
t "a download is on its way" slowly download "$there/source" here/f
second rm "$there/source"
ended
t_like "… when its source vanishes: it fails, or has all of it" "^(1 |0 $(md5_of big))" "$RC $([ ! -e here/f ] || md5_of here/f)"
rm -f here/f
clean "nothing is left"

# --- the source changes while it is read: an error and the old file, or what the
# source was or is.
t_either() { # DESCRIPTION TARGET-MD5 OLD-MD5 GOOD-MD5…
	local what=$1 target=$2 old=$3 good
	shift 3
	if [ "$RC" != 0 ] && [ "$target" = "$old" ]; then
		t_result ok "$what (fails: $RC)"
		return
	fi
	for good; do
		if [ "$RC" = 0 ] && [ "$target" = "$good" ]; then
			t_result ok "$what (is copied)"
			return
		fi
	done
	t_result 'not ok' "$what"
	t_diag "exit status $RC, target $target, old $old, good: $*"
	t_diag "stderr: $ERR"
}
old_md5=$(echo old | md5_of /dev/stdin)
# Another one in its place, or bytes behind our back.
declare -A changes=(
	[grow]='head -c 3000000 /dev/urandom >>"$0"'
	[shrink]='dd if=/dev/null of="$0" bs=1 seek=3000000 2>/dev/null'
	[replace]='head -c 5000000 /dev/urandom >"$0.new" && mv "$0.new" "$0"'
	[scribble]='dd if=/dev/urandom of="$0" bs=1M seek=1 count=6 conv=notrunc 2>/dev/null'
)
for checksum in md5 none; do
	for change in grow shrink replace scribble; do
		# written into it, both are mixed: only a check can tell
		[ "$change $checksum" != 'scribble none' ] || continue
		cp big source
		second sh -c 'echo old >"$0/f"' "$there"
		t "an upload is on its way, --checksum $checksum" slowly upload --checksum "$checksum" source "$there/f"
		sh -c "${changes[$change]}" source
		ended
		t_either "… its source: $change" "$(guest_md5 "$there/f")" "$old_md5" "$(md5_of source)" "$(md5_of big)"

		in_guest cp "$there/big" "$there/source"
		echo old >here/f
		t "a download is on its way, --checksum $checksum" slowly download --checksum "$checksum" "$there/source" here/f
		second sh -c "${changes[$change]}" "$there/source"
		ended
		t_either "… its source: $change" "$(md5_of here/f)" "$old_md5" "$(guest_md5 "$there/source")" "$(md5_of big)"
	done
done
clean "nothing is left"
rm -f source here/*

# --- damage on the way: some of these zeros arrive as ones
{ random $((3 * MIB)) | tr '\0' x && printf '\0' && random $((2 * MIB)) | tr '\0' y && printf '\0'; } >zeros
in_guest rm -f "$there/zeros"
upload zeros "$there/zeros" >/dev/null
damaging() { # TIMES [back]
	rm -f flip.sock
	"$PYTHON" "$peer/flip.py" flip.sock "$SOCKET" flip.counts "$@" & flip=$!
	t_within 60 test -S flip.sock
}
through() { "$VSRPC" --socket flip.sock "$@"; }
for checksum in md5 sha256; do
	second sh -c 'echo old >"$0/f"' "$there"
	damaging 1000
	t_not "an upload that is damaged each time, --checksum $checksum" through upload --checksum "$checksum" zeros "$there/f"
	t_like "… says so" 'damaged|differ' "$ERR"
	t_kill "$flip"
	wait "$flip" 2>/dev/null
	t_is "… what was there is as it was" old "$(in_guest cat "$there/f")"
	damaging 1
	t "one that is damaged once is mended" through upload --checksum "$checksum" zeros "$there/f"
	t_kill "$flip"
	wait "$flip" 2>/dev/null
	t_is "… and right" "$(md5_of zeros)" "$(guest_md5 "$there/f")"

	echo old >here/f
	damaging 1000 back
	t_not "a download that is damaged each time, --checksum $checksum" through download --checksum "$checksum" "$there/zeros" here/f
	t_like "… says so" 'damaged|differ' "$ERR"
	t_kill "$flip"
	wait "$flip" 2>/dev/null
	t_is "… what was there is as it was" old "$(cat here/f)"
	damaging 1 back
	t "one that is damaged once is mended" through download --checksum "$checksum" "$there/zeros" here/f
	t_kill "$flip"
	wait "$flip" 2>/dev/null
	t "… and right" cmp zeros here/f
done
clean "nothing is left"

# --- seen by somebody who looks all the time
# Prints each sum that it saw once; a file that is not there would be one, too.
watcher='touch "$0/watching"; while [ ! -e "$0/stop" ]; do md5sum <"$0/seen" 2>&1; done | sort -u | cut -d" " -f1'
random $((6 * MIB)) a
random $((6 * MIB)) b
upload a "$there/seen" >/dev/null
cp a here/seen
second sh -c "$watcher" "$there" >seen.guest & guest_pid=$!
sh -c "$watcher" "$PWD/here" >seen.here & here_pid=$!
t "somebody looks at the target" t_within 20 guest_has "$there/watching"
for options in '' '--checksum none' '--resume' '--checksum sha256' '--limit-rate 8M' '-p'; do
	for file in b a; do
		# shellcheck disable=SC2086 # words
		t "upload $options over it" upload $options "$file" "$there/seen"
		# shellcheck disable=SC2086
		t "download $options over another" download $options "$there/seen" here/seen
	done
done
second touch "$there/stop"
touch here/stop
wait "$guest_pid" "$here_pid"
both=$(md5_of a; md5_of b)
t_is "in the guest nothing but the two files was ever seen" "$(sort <<<"$both")" "$(cat seen.guest)"
t_is "… nor here" "$(sort <<<"$both")" "$(cat seen.here)"
clean "nothing is left"

done_testing
