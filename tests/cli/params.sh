#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Words in a query and in JSON that say something, or nothing that is known: with
# curl and a real agent (all of them: tests/unit/guest/request/test-params.c).
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"

mkdir guest
cat >real.yaml <<END
logging: {file: none}
security: {allowed_paths: [$WORK/guest], readonly_paths: [], forbidden_paths: []}
rate_limit: {requests_per_second: 0, requests_per_minute: 0}
END
start_agent real
G=$WORK/guest

# The business code of an answer.
code() { # METHOD TARGET [CURL-OPTION…]
	local method=$1 target=$2
	shift 2
	curl -s -g --max-time 200 --unix-socket "$SOCKET" -X "$method" "http://v/api/v1/$target" "$@" \
		| sed 's/.*"code":\([0-9]*\).*/\1/'
}

for word in no 0 False off; do
	echo old >guest/file
	t_is "overwrite=$word does not overwrite" "1004 old" \
		"$(code PUT "file/content?path=$G/file&overwrite=$word" --data-binary new) $(cat guest/file)"
done
for word in yes 1 True on; do
	echo old >guest/file
	t_is "overwrite=$word overwrites" "0 new" \
		"$(code PUT "file/content?path=$G/file&overwrite=$word" --data-binary new) $(cat guest/file)"
done
for words in overwrite=ja overwrite= overwrite sparse=maybe sync=2 resume=perhaps digest=crc mode=9 \
	md5=%zz md5=abc mtime=1. transfer= transfer=constant 'overwrite=no&overwrite=no'; do
	echo old >guest/file
	t_is "$words is refused" "2001 old" \
		"$(code PUT "file/content?path=$G/file&$words" --data-binary new) $(cat guest/file)"
done
for words in length=99999999999999999999 first=-1 part=2 algorithm=x; do
	t_is "$words is refused" 2001 "$(code GET "file/digest?path=$G/file&$words")"
done
t_is "an unknown word is none" 0 "$(code GET "file/digest?path=$G/file&what=%zz")"

download() { code POST file/download --data-binary "{\"path\": \"$G/file\", $1}"; }
t_is "a length" 0 "$(download '"length": 9223372036854775807')"
t_is "a length that no number holds" 2001 "$(download '"length": 99999999999999999999')"
t_is "half a number" 2002 "$(download '"length": 1.')"
t_is "half a character" 2002 "$(download '"x": "\ud800"')"
t_is "a name twice" 2001 "$(download '"length": 1, "length": 2')"
t_is "an encoding that nobody knows" 2001 \
	"$(code POST shell/exec --data-binary '{"command": "ls", "stdin_encoding": "nonsense"}')"


# What the caller has put where nobody reads it would be done with root's rights.
for user in user=root user=nobody-there user= user 'user=root&user=root' 'x=y&us%65r=root' user=%zz; do
	for route in file/download file/upload shell/exec jobs; do
		t_is "$route?$user is refused" 2001 "$(code POST "$route?$user" --data-binary \
			"{\"path\": \"$G/file\", \"command\": \"ls\", \"content\": \"\", \"overwrite\": true, \"user\": \"root\"}")"
	done
done
t_is "… and nothing was done" old "$(cat guest/file)"
t_is "another word there is none" 0 "$(code POST "file/download?users=x&what=user" --data-binary "{\"path\": \"$G/file\"}")"

stop "$PID"

done_testing
