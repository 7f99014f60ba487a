#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# --user of all commands that act on the guest's files, with a real agent; and with one
# that does not know it.
# shellcheck disable=SC2016 # the editor's shell expands
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"
# shellcheck source=accounts.sh
. "$top_srcdir/tests/cli/accounts.sh"

cat >real.yaml <<END
logging: {file: none}
security: {allowed_paths: [$WORK/guest], readonly_paths: [], forbidden_paths: [$WORK/guest/home/forbidden]}
rate_limit: {requests_per_second: 0, requests_per_minute: 0}
END
umask 022
start_agent real
mkdir tmp
export TMPDIR=$WORK/tmp # for what edit keeps
G=$WORK/guest
sut() { virsh_ --socket "$SOCKET" "$@" </dev/null; }
owner() { stat -c %U:%G "$@"; }

# A home with what its user has planted, and what is root's.
fresh() {
	rm -rf guest
	mkdir -p guest/home guest/etc guest/closed guest/shared
	echo public >guest/etc/public
	echo secret >guest/etc/secret
	chmod 600 guest/etc/secret
	chmod 700 guest/closed
	echo own >guest/home/own
	echo hidden >guest/home/forbidden
	ln -s ../etc guest/home/d
	ln -s ../etc/secret guest/home/s
	ln -s ../closed/file guest/home/c # to what he cannot see
	echo shut >guest/closed/file
	chown -Rh vuser:vuser guest/home
	chown root:vshared guest/shared
	chmod 2770 guest/shared
}
everything() { (cd guest && find . -printf '%p %y %m %U:%G %l %s\n' | LC_ALL=C sort); }
fresh
echo new >file
mkdir -p tree/sub
echo one >tree/one
echo two >tree/sub/two

# --- what the user may not is refused, and changes nothing
before=$(everything)
while IFS='|' read -r status command; do
	read -ra words <<<"${command//@/$G}"
	name=${words[0]}
	t_status "$command: refused" "$status" sut "$name" --user vuser "${words[@]:1}"
	t_like "… by the guest's rights" "Permission denied|not permitted" "$ERR"
	t_is "… and nothing has changed" "$before" "$(everything)"
done <<'END'
126|upload file @/home/d/pwned
126|upload file @/home/d/public
126|upload file @/home/c
126|upload --owner vuser file @/home/d/pwned
126|upload --resume file @/home/d/pwned
126|upload -p file @/home/s
126|upload --owner root file @/home/own
126|upload -r tree @/home/d
126|upload -r tree @/etc/tree
126|cat @/home/s
126|cat @/home/d/secret
126|cat @/home/forbidden
126|download @/home/s here
126|download -r @/closed here
126|download --resume @/home/d/secret here
126|ls @/closed
126|rm @/home/d/public
126|rm -r @/etc
126|mkdir @/home/d/new
126|mkdir -p @/home/d/new/below
126|stat @/closed/x
END
t_like "… and what to look at" "try: in the guest: what 'vuser' may" "$ERR"
t "without --user it is the agent that writes" sut upload --owner vuser file "$G/home/d/pwned"
t "… where the user has led it" [ -e guest/etc/pwned ]
fresh

# --- what he may, is his
t "upload" sut upload --user vuser file "$G/home/new"
t_is "… is the user's" vuser:vuser "$(owner guest/home/new)"
t_is "… with the usual mode" 644 "$(stat -c %a guest/home/new)"
t "upload over a file" sut upload --user vuser file "$G/home/own"
t_is "… likewise" "new vuser:vuser" "$(cat guest/home/own) $(owner guest/home/own)"
t "upload into a group's folder" sut upload --user vuser file "$G/shared/f"
t_is "… with the groups of the user" vuser:vshared "$(owner guest/shared/f)"
t_status "… which another has not" 126 sut upload --user vother file "$G/shared/g"
t "… but by name" sut upload --user vother:vshared file "$G/shared/g"
t_is "… as that" vother:vshared "$(owner guest/shared/g)"
t "a number that nobody has" sut upload --user 54399:54400 file "$G/shared/n"
t_is "… is one, too" 54399:54400 "$(stat -c %u:%g guest/shared/n)"
t "upload -r" sut upload -r --user vuser tree "$G/home/tree"
t_is "… is all the user's" '' "$(find guest/home/tree ! \( -user vuser -group vuser \))"
t_is "… and whole" "one two" "$(xargs <<<"$(cat guest/home/tree/one guest/home/tree/sub/two)")"
t "upload of standard input" bash -c "echo typed | '$VSRPC' --config '$WORK/host.yaml' --socket '$SOCKET' upload --user vuser - '$G/home/typed'"
t_is "… is the user's" "typed vuser:vuser" "$(cat guest/home/typed) $(owner guest/home/typed)"
t "cat" sut cat --user vuser "$G/home/d/public"
t_is "… of what all may read" public "$OUT"
t "download" sut download --user vuser "$G/home/d/public" here
t "download -r" sut download -r --user vuser "$G/home/tree" back
t_is "… is whole" "one two" "$(xargs <<<"$(cat back/one back/sub/two)")"
t "ls" sut ls --user vuser "$G/home/tree"
t_is "… of a folder" "one sub" "$(xargs <<<"$OUT")"
t "mkdir -p" sut mkdir -p --user vuser "$G/home/a/b/c"
t_is "… is the user's" vuser:vuser "$(owner guest/home/a/b/c)"
t "stat" sut --json stat --user vuser "$G/home/d/secret"
t_json "… of what may not be read has no digest" "d['data']['md5'] is None and d['data']['size'] == 7" "$OUT"
t "rm -r" sut rm -r --user vuser "$G/home/a" "$G/home/tree"
t_not "… is done" [ -e guest/home/a ]
edit() { VISUAL='' EDITOR="$WORK/editor" sut edit --user "$@"; }
printf '#!/bin/sh\necho edited >>"$1"\n' >editor && chmod +x editor
t "edit" edit vuser "$G/home/own"
t_is "… is the user's" "edited vuser:vuser" "$(tail -n 1 guest/home/own) $(owner guest/home/own)"
before=$(everything)
t_status "edit of what may only be read" 126 edit vuser "$G/home/d/public"
t_status "edit of what may not" 126 edit vother "$G/etc/secret"
t_is "… changes nothing" "$before" "$(everything)"

# --- what was broken off, and large files
head -c 20000000 /dev/urandom >large
head -c 8000000 large >guest/home/.large.vsrpc-part
chown vuser:vuser guest/home/.large.vsrpc-part
chmod 600 guest/home/.large.vsrpc-part
t "upload --resume" sut -v upload --resume --user vuser large "$G/home/large"
t_like "… goes on with the user's own part" "8000000 of [0-9]+ bytes that were there are right" "$ERR"
t_is "… to the same file" "$(md5sum <large)" "$(md5sum <guest/home/large)"
t_is "… which is the user's" vuser:vuser "$(owner guest/home/large)"
head -c 8000000 large >guest/home/.other.vsrpc-part
chmod 600 guest/home/.other.vsrpc-part
t_not "a part that is root's" sut upload --resume --user vuser large "$G/home/other"
t_not "… is not gone on with" [ -e guest/home/other ]
rm -f guest/home/.other.vsrpc-part
t "download of it" sut download --user vuser "$G/home/large" large.back
t_is "… is the same" "$(md5sum <large)" "$(md5sum <large.back)"

# --- several domains
{
	domain web1 1 "$(channel org.vsrpc.agent.0 "$SOCKET")"
	domain web2 2 "$(channel org.vsrpc.agent.0 "$SOCKET")"
} | node node
t_status "--all" 1 virsh_ -c "test://$WORK/node.xml" --all upload --user vuser file "$G/home/d/pwned"
t_is "… has it for each of them" 2 "$(grep -c 'Permission denied' <<<"$ERR")"

# --- nobody is no user, and not root
while read -r command; do
	read -ra words <<<"$command"
	for user in '' : :vshared vuser: vuser:vshared:; do
		status=2
		[ "${words[0]}" != exec ] || status=125
		t_status "${words[0]} --user '$user'" "$status" sut "${words[0]}" --user "$user" "${words[@]:1}"
		t_like "… is wrong" "option '--user'.*not USER or USER:GROUP" "$ERR"
	done
	t_not "${words[0]} --user nobody-there" sut "${words[0]}" --user nobody-there "${words[@]:1}"
	t_like "… is not there" "no such user: 'nobody-there'" "$ERR"
done <<END
exec -- id
upload file $G/home/x
upload -r tree $G/home/x
download $G/home/own here
download -r $G/home here
cat $G/home/own
ls $G/home
rm $G/home/own
mkdir $G/home/x
edit $G/home/own
stat $G/home/own
END
t_not "… nothing was made" [ -e guest/home/x ]
stop "$PID"

# --- an agent that would ignore it is not asked
start_peer services first_services
while read -r command; do
	: >"$COUNTS"
	read -ra words <<<"$command"
	t_status "an older agent: ${words[0]} --user" 1 quick --socket "$SOCKET" "${words[0]}" --user vuser "${words[@]:1}"
	t_like "… cannot" "the agent \(version 9\.9\) cannot act on files with a user's rights: it does not know 'user'" "$ERR"
	t_like "… and what to do" 'update vsrpc-agent in the guest' "$ERR"
	t_is "… and was asked for no file" 0 "$(grep -c ' /api/v1/file' "$COUNTS")"
done <<END
upload file /x
upload -r tree /x
upload --resume large /x
download /x here
download -r /x here
cat /x
ls /x
rm /x
rm -r /x
mkdir -p /x/y
edit /x
stat /x
END
done_testing
