#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What an agent is for, in short, without one newer call after the other: see run.sh.
#
#     each.sh [K-of-N | NAME…]
# shellcheck disable=SC2016 # other shells expand
# shellcheck source=../cli/lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh" || exit

without=$top_builddir/tests/kernel/without
case ${1:-1-of-1} in
*-of-*) mapfile -t names < <("$without" --list |
	awk -v k="${1%%-*}" -v n="${1##*-}" '!n || NR % n == k % n { print $1 }') ;;
*) names=("$@") ;;
esac
t "the filter answers as its table says" "$without" all -- "$without" --check

umask 022
chmod 755 .
user=$(id -un) others=''
[ "$user" != root ] || { # who alone can act as others
	user=nobody
	others="
0|exec -n --user nobody -- id -un|nobody
0|upload --user nobody file @/open/own|
126|upload --user nobody file @/private|
126|cat --user nobody @/private|"
}
G=$WORK/guest
cat >real.yaml <<END
logging: {file: none}
security:
  allowed_commands: ["*"]
  shell: true
  allowed_paths: [$G]
  readonly_paths: []
  forbidden_paths: [$G/forbidden]
rate_limit: {requests_per_second: 0, requests_per_minute: 0, max_concurrent: 0}
server:
  handlers: [{method: GET, path: /api/v1/greet, command: [/bin/echo, '"hello"']}]
END
sut() { virsh_ --socket "$SOCKET" "$@"; }
on_terminal() { # a shell, which is typed to; "" in the words keeps the echo apart
	printf '%s\n' "$1" | "$PYTHON" -c 'import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))' \
		"$VSRPC" --config host.yaml --socket "$SOCKET" exec -t -- sh
}
listed() { (cd "$1" && find . -mindepth 1 -printf '%P %y %m %l\n' | LC_ALL=C sort); }

# What is copied, and what the agent finds: made anew each time.
mkdir tree tree/sub
head -c 300000 /dev/urandom >file
echo one >tree/sub/one
ln -s sub/one tree/link
ln -s nowhere tree/dangling
printf '#!/bin/sh\necho edited >>"$1"\n' >editor
chmod 755 editor
fresh() {
	rm -rf guest back
	mkdir -p guest/forbidden guest/open back
	echo secret >guest/forbidden/secret
	ln -s forbidden/secret guest/link
	ln -s forbidden guest/folder
	chmod 777 guest/open
	echo own >guest/private
	chmod 600 guest/private
	printf 'case $0 in */script) echo "ran $1"; cat; exit 7 ;; esac\n' >guest/script
	mkfifo guest/pipe
	head -c 100000 file >guest/open/.rest.vsrpc-part
	chmod 600 guest/open/.rest.vsrpc-part
}

# STATUS|COMMAND|of its output, a pattern. @ is the guest's folder.
commands="0|ping|
0|status|load
0|capabilities|
7|exec -- sh @/script word|ran word.input
0|exec --cwd @/open -- pwd|open
127|exec -n -- no-such-program|
124|exec -n --timeout 0.2 -- sleep 100|
0|upload --checksum md5 file @/file|
0|upload --resume file @/open/rest|
1|upload file @/file/below|
126|upload file @/folder/new|
126|upload file @/link|
0|upload -r --owner $user tree @/given|
0|download --checksum md5 @/file back|
126|download @/link back|
126|download @/folder/secret back|
0|upload -r tree @|
0|download -r @/tree back|
0|ls -la @/tree|dangling -> nowhere
126|ls @/folder/|
0|stat @/pipe|fifo
0|cat @/tree/link|one
126|cat @/link|
1|cat @/pipe|
1|cat @/none|
0|mkdir -p @/deep/er|
0|upload --mode 0640 file @/deep/one|
126|mkdir @/folder/new|
0|edit @/private|
0|rm -r @/tree/sub|
126|rm @/folder/secret|
0|call GET greet|hello$others"

# Where a command is, if this machine lets the agent make control groups.
group() { sut exec -n -- sed -n 's/^0::.*job-.*/its own/p' /proc/self/cgroup; }
start_agent real
usual=$(group)
stop "$PID"

for name in "${names[@]}"; do
	WITHOUT=("$without" "$name" --)
	fresh
	rm -f real.sock
	t "without $name: starts" start_agent real
	[ -S "$SOCKET" ] || continue
	export EDITOR=$WORK/editor VISUAL=''
	while IFS='|' read -r status command pattern; do
		read -ra words <<<"${command//@/$G}"
		t_status "… $command" "$status" sut "${words[@]}" <<<input
		[ -z "$pattern" ] || t_like "… … its output" "$pattern" "$OUT"
	done <<<"$commands"
	t "… what was copied is the same" cmp file guest/file
	t "… also to its end" cmp file guest/open/rest
	t "… also from the guest" cmp file back/file
	t_is "… and trees, from the guest" "$(listed tree)" "$(listed back/tree)"
	t_is "… of which one part was removed" "$(listed tree | grep -v ^sub)" "$(listed guest/tree)"
	t_is "… what was edited is" "own edited 600" "$(xargs <guest/private) $(stat -c %a guest/private)"
	t_is "… modes are those wished for" 640 "$(stat -c %a guest/deep/one)"
	t_is "… and owners" "$user" "$(stat -c %U guest/given guest/open/own 2>/dev/null | sort -u)"
	t_is "… what is forbidden is as it was" "secret secret" "$(ls guest/forbidden) $(cat guest/forbidden/secret)"
	t_is "… a command's control group is the usual" "$usual" "$(group)"
	t "… a job stays" sut exec -n --detach -- sh -c 'echo left; exit 3'
	job=${OUT##* }
	t_status "… and is waited for" 3 sut job "$job" wait
	t_like "… its output is kept" left "$(sut job "$job" output)"
	t "… until it is removed" sut job "$job" remove
	t_status "… a shell on a terminal" 5 on_terminal 'echo on a ter""minal; exit 5'
	t_like "… says so" "on a terminal" "$OUT"
	stop "$PID"
done

done_testing
