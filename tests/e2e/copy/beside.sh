#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Others are answered while a large copy runs, in either direction.
# shellcheck source=../files.sh
. "$(dirname "$0")/../files.sh"

pings=20
bound=2000 # ms; `make bench` measures, here it must not hang
there=/tmp/beside
t_finally in_guest rm -rf "$there"
in_guest sh -c "rm -rf $there; mkdir $there"
random $((256 * MIB)) big

copying() { t_kill -0 "$pid" 2>/dev/null; }
on_its_way() { # or over: a fast one may be before it has been seen
	copying || return 0
	case $1 in
	upload) guest_opened "$there" ;;
	download) opened "$pid" "$PWD/down" ;;
	esac
}
start() { # upload|download OPTION…: begins one, $pid, whatever there was
	local way=$1
	shift
	case $way in
	upload)
		in_guest rm -f "$there/f"
		set -- upload "$@" big "$there/f"
		;;
	download)
		rm -f down/f
		set -- download "$@" "$there/f" down/f
		;;
	esac
	"$VSRPC" -q "$DOMAIN" "$@" >copy.out 2>copy.err & pid=$!
	t_within 20 on_its_way "$way"
}
ended() { # the copy's status is 0
	wait "$pid" && return
	t_diag "exit status $?: $(cat copy.err)"
	return 1
}

# A ping counts if the copy was there before and after it. Copies that end are
# begun again until there are enough.
beside() { # DESCRIPTION upload|download OPTION…
	local what=$1 way=$2 n=0 slowest=0 failed=0 copies=1 rc
	shift
	mkdir -p down
	start "$@" || failed=1
	while [ "$n" -lt "$pings" ] && [ "$failed" = 0 ]; do
		rc=0
		ms_of "$VSRPC" "$DOMAIN" ping >ping.out 2>ping.err || rc=$?
		if [ "$rc" != 0 ]; then
			t_diag "ping: exit status $rc: $(cat ping.err)"
			failed=1
		elif copying; then
			n=$((n + 1))
			[ "$MS" -le "$slowest" ] || slowest=$MS
		else
			ended || failed=1
			copies=$((copies + 1))
			[ "$copies" -le 60 ] || failed=1
			start "$@" || failed=1
		fi
	done
	t "$pings pings are answered beside $what: $n, the slowest in $slowest ms" \
		[ "$failed $n" = "0 $pings" ]
	t "… each in $bound ms" [ "$slowest" -le "$bound" ]
	t "… and the copy comes to its end" ended
	case $way in
	upload) t_is "… right" "$(md5_of big)" "$(guest_md5 "$there/f")" ;;
	download) t "… right" cmp big down/f ;;
	esac
	t_diag "$copies copies"
}

beside "an upload of 256 MiB" upload
beside "an upload of 256 MiB without MD5" upload --checksum none
beside "a download of 256 MiB" download
beside "a download of 256 MiB without MD5" download --checksum none
rm -rf down
# Other things than pings get their turn, too.
start upload --limit-rate 32M
t "a command beside an upload" "$VSRPC" "$DOMAIN" exec -- echo hello
t_is "… is right" hello "$OUT"
random 100000 small
t "an upload beside an upload" "$VSRPC" "$DOMAIN" upload small "$there/small"
t "a download beside an upload" "$VSRPC" "$DOMAIN" download "$there/small" small.back
t "… is right" cmp small small.back
t "… and the large one still runs" copying
t "… to its end" ended
t_is "… right" "$(md5_of big)" "$(guest_md5 "$there/f")"
done_testing
