#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# --user: files of the guest with the rights of one of its users.
# roads: both
# shellcheck source=../files.sh
# shellcheck disable=SC2016 # other shells expand
. "$(dirname "$0")/../files.sh"

there=/tmp/user
t_finally in_guest rm -rf "$there"
in_guest sh -c 'rm -rf "$0" && mkdir -p "$0/home" "$0/etc" && echo secret >"$0/etc/secret" && chmod 600 "$0/etc/secret" &&
	ln -s ../etc "$0/home/d" && chown -h user:user "$0/home" "$0/home/d"' "$there"
v() { local command=$1; shift; "$VSRPC" "$DOMAIN" "$command" --user user "$@"; }
owner() { in_guest stat -c '%a %U:%G' "$there/$1"; }

random 300000 file
mkdir -p tree/below && cp file tree/below/file && echo x >tree/x
t_status "upload through a link that the user made" 126 v upload file "$there/home/d/pwned"
t_like "… is the guest's refusal" "Permission denied" "$ERR"
t_status "… of a tree" 126 v upload -r tree "$there/home/d"
t_is "… nothing is there" secret "$(in_guest ls "$there/etc")"
t_status "cat of what is root's" 126 v cat "$there/home/d/secret"
t_status "rm" 126 v rm -r "$there/etc"
t_status "mkdir" 126 v mkdir "$there/home/d/new"
t "upload" v upload file "$there/home/file"
t_is "… is the user's" "644 user:user" "$(owner home/file)"
t "upload -r" v upload -r tree "$there/home/tree"
t_is "… likewise" "644 user:user" "$(owner home/tree/below/file)"
random 20000000 large
t "upload in parts" v upload large "$there/home/large"
t_is "… likewise" "644 user:user" "$(owner home/large)"
t "download" v download "$there/home/large" large.back
t "… the same comes back" cmp large large.back
v download -r "$there/home/tree" back >/dev/null
t "download -r" cmp tree/below/file back/below/file
t "mkdir -p" v mkdir -p "$there/home/a/b"
t_is "… is the user's" "755 user:user" "$(owner home/a/b)"
t "rm -r" v rm -r "$there/home/a" "$there/home/tree"
t "ls" v ls "$there/home"
t_is "… what is left" "d file large" "$(xargs <<<"$OUT")"
t_status "the agent is root again" 0 "$VSRPC" "$DOMAIN" cat "$there/etc/secret"
t_is "… in all its numbers" "0 0 0 0 0 0 0 0" "$(in_guest sh -c 'sed -n "s/^[UG]id:.//p" /proc/$(pidof vsrpc-agent | cut -d" " -f1)/status' | xargs)"
done_testing
