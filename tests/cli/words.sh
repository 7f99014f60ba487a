#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a person reads who does it for the first time: the words, and what they
# advise.
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"

printf 'logging: {file: none}\nsecurity: {allowed_paths: [%s]}\n' "$WORK" >real.yaml
start_agent real
ours=$(channel org.vsrpc.agent.0 "$SOCKET")
{
	domain web1 1 "$ours"
	domain web2 2 "$ours"
	domain bare 3
	domain gone 4 "$(channel org.vsrpc.agent.0 /no/such/socket)"
} | node node
domain bare 3 | node none
URI=test://$WORK/node.xml
sut() { quick -c "$URI" "$@"; }
if ! sut list >/dev/null 2>&1; then
	skip_all "this libvirt has no test driver"
fi

# --- one name for the files of several
echo content >file
t_status "a download from several to one file" 2 sut 'web*' download "$WORK/file" copy
t_like "… says what LOCAL has to be" "'copy' is not a folder, and several domains are meant" "$ERR"
t "… and writes nothing" [ ! -e copy ]
t_status "… with --all, too" 2 sut --all download "$WORK/file" copy
mkdir into
t "a download from several to a folder" sut 'web*' download "$WORK/file" into
t_is "… is one file for each domain" "into/web1.file into/web2.file" "$(echo into/*)"
t "… of the same content" cmp file into/web2.file
t "a download from several to standard output" sut 'web*' download "$WORK/file" -
t_is "… has the names in front" "web1: content web2: content" "$(sort <<<"$OUT" | xargs)"

# --- domains that are not there
t_status "an unknown domain" 125 sut nosuch ping
t_like "… and where it was looked for" "no domain 'nosuch' at test://" "$ERR"
t_like "… virsh is asked at the same place" "virsh -c $URI list --all" "$ERR"
t_status "a pattern that matches nothing" 125 sut 'no*' ping
t_like "… and where" "no running domain matches 'no\*' at test://" "$ERR"
t_status "--all without a channel anywhere" 125 quick -c "test://$WORK/none.xml" --all ping
t_like "… says so" "no running domain has a channel" "$ERR"

# --- no libvirt. Nothing here is left to a daemon, which may run or not.
while IFS='|' read -r uri advice; do
	t_status "$uri" 125 quick -c "$uri" web1 ping
	t_like "… advises" "$advice" "$ERR"
done <<'END'
nosuch|choose another URI
test:///no/such/node.xml|choose another URI
qemu+ext://nosuch.invalid/system|virsh -c qemu\+ext://nosuch.invalid/system list
qemu+unix:///system?socket=/no/such/socket|systemctl start libvirtd \(or virtqemud\)
END
stop "$PID"

done_testing
