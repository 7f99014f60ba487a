#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# upload and download: sizes, checks, owners, and nothing left behind.
# roads: both
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

in_guest() { "$VSRPC" "$DOMAIN" exec -- "$@"; }
field() { "$VSRPC" "$DOMAIN" stat "$1" | "${PYTHON:-python3}" -c "import json, sys; print(json.load(sys.stdin)['data']['$2'])"; }

in_guest sh -c 'rm -rf /tmp/* /tmp/.vsrpc*; mkdir /tmp/dir'
for size in 0 1 65535 65536 65537 4194304 4194305 67108864; do
	head -c $size /dev/urandom >up
	sum=$(md5_of up)
	t "upload of $size bytes" "$VSRPC" "$DOMAIN" upload up /tmp/f
	t_is "… says so" "Upload successful: /tmp/f ($size bytes)" "$OUT"
	t_is "… has the same MD5 in the guest" "$sum" "$(in_guest md5sum /tmp/f | cut -d' ' -f1)"
	rm -f down
	t "download of $size bytes" "$VSRPC" "$DOMAIN" download /tmp/f down
	t_is "… has the same MD5 here" "$sum" "$(md5_of down)"
done
in_guest rm /tmp/f
rm -f up down

echo hello >small
chmod 640 small
t "upload" "$VSRPC" "$DOMAIN" upload small /tmp/m
t_is "the mode is that of the local file" 0640 "$(field /tmp/m mode)"
t "--mode --owner --group" "$VSRPC" "$DOMAIN" upload --mode 4755 --owner user --group 65534 small /tmp/o
t_is "… are obeyed" "4755 user nogroup" "$(field /tmp/o mode) $(field /tmp/o owner) $(field /tmp/o group)"
t_status "an unknown owner is an error" 1 "$VSRPC" "$DOMAIN" upload --owner nobody-knows small /tmp/p
t_is "… and leaves no file" False "$(field /tmp/p exists)"
echo other >other
t_status "--no-clobber refuses" 1 "$VSRPC" "$DOMAIN" upload --no-clobber other /tmp/m
t_is "… and leaves the file as it was" hello "$(in_guest cat /tmp/m)"
t "--no-clobber of a new file" "$VSRPC" "$DOMAIN" upload --no-clobber other /tmp/new
t "upload into a folder" "$VSRPC" "$DOMAIN" upload small /tmp/dir
t_is "… takes the file's name" "Upload successful: /tmp/dir/small (6 bytes)" "$OUT"
t "an odd name" "$VSRPC" "$DOMAIN" upload small $'/tmp/a b%?&=#\303\244'
t_is "… is kept" hello "$(in_guest cat $'/tmp/a b%?&=#\303\244')"
t_status "upload into a missing folder" 1 "$VSRPC" "$DOMAIN" upload small /tmp/no/such/f
t_status "upload of a missing file" 125 "$VSRPC" "$DOMAIN" upload no-such /tmp/f
t_like "… names it" "no-such" "$ERR"
t_status "upload to a forbidden path" 126 "$VSRPC" "$DOMAIN" upload small /root/f
t_like "… says which rule" "forbidden_paths" "$ERR"
t_status "upload to a read-only path" 126 "$VSRPC" "$DOMAIN" upload small /etc/f
t_status "a way out by .. is seen" 126 "$VSRPC" "$DOMAIN" upload small /tmp/../root/f
in_guest ln -s /root /tmp/link
t_status "a way out by a link is seen" 126 "$VSRPC" "$DOMAIN" upload small /tmp/link/f

t "download to a folder" "$VSRPC" "$DOMAIN" download /tmp/m "$WORK"
t_is "… takes the file's name" hello "$(cat "$WORK/m")"
t_is "download to - is the content and nothing else" hello "$("$VSRPC" "$DOMAIN" download /tmp/m -)"
t_status "download of a missing file" 1 "$VSRPC" "$DOMAIN" download /tmp/none down
t_like "… says so" "does not exist" "$ERR"
t "… and leaves no file" [ ! -e down ]
t_status "download of a folder" 1 "$VSRPC" "$DOMAIN" download /tmp/dir down
t_status "download of a forbidden file" 126 "$VSRPC" "$DOMAIN" download /etc/shadow down
t "… leaves no file" [ ! -e down ]
t_status "download into a missing folder" 125 "$VSRPC" "$DOMAIN" download /tmp/m no/such/folder/f
echo old >down
t_status "a download that fails" 1 "$VSRPC" "$DOMAIN" download /tmp/none down
t_is "… leaves the old file" old "$(cat down)"
t_is "no temporary files here" '' "$(find . -name '.vsrpc*')"

# killed in the middle: the guest must not keep the half of it
head -c 67108864 /dev/zero >up
"$VSRPC" "$DOMAIN" upload up /tmp/killed & pid=$!
t "an upload is on its way" t_within 10 sh -c "ls -l /proc/$pid/fd 2>/dev/null | grep -q 'socket:'"
t_kill -9 "$pid"
wait "$pid" 2>/dev/null
t "the channel works after it was killed" "$VSRPC" "$DOMAIN" ping
t_is "a killed upload leaves no target" False "$(field /tmp/killed exists)"
t_is "no upload left a temporary file in the guest" '' "$(in_guest find /tmp -name '.vsrpc*')"
in_guest sh -c 'rm -rf /tmp/*'

# --- files of the kernel tell no size: an empty copy would be a lie
t_status "a file of /proc is not downloaded as an empty one" 126 "$VSRPC" "$DOMAIN" download /proc/version version
t "… and nothing is left" test ! -e version
t_status "nor uploaded" 125 "$VSRPC" "$DOMAIN" upload /proc/version /tmp/version
t "empty files are made in the guest" "$VSRPC" "$DOMAIN" exec -- sh -c ': >/root/empty; : >/tmp/empty'
t_status "an empty file goes through the policy, too" 126 "$VSRPC" "$DOMAIN" download /root/empty empty
t "… an allowed one is copied" "$VSRPC" "$DOMAIN" download /tmp/empty empty
t_is "… empty" 0 "$(wc -c <empty)"

done_testing
