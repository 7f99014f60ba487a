#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Patterns and tildes of a command string, held against sh: patterns.py makes the
# strings. PATTERNS_SEED=N selects others, PATTERNS_COUNT=N has more of them.
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"

mkdir scratch
cat >real.yaml <<END
logging: {file: none}
security: {allowed_commands: ["*"]}
rate_limit: {requests_per_second: 0, requests_per_minute: 0}
END
start_agent real
run() { virsh_ --socket "$SOCKET" exec "$@"; }

t "a string's words are those that sh makes of them" "$PYTHON" "$top_srcdir/tests/cli/patterns.py" "$SOCKET" scratch "${PATTERNS_SEED:-1}" "${PATTERNS_COUNT:-150}"
t_is "a backslash at the end is one" "a\\" "$(run "echo a\\")"
t_status "… behind an open quote it is none" 125 run "echo 'a\\"
t_like "… and the quote is an error" "ends inside a quotation" "$ERR"
t_status "… and it quotes none of the characters that are refused" 126 run "echo a\\;\\"
t_like "… which are" "character ';' is not allowed" "$ERR"

# --- what is not a string, or not a shell's
mkdir few
touch few/a few/b few/-l
t_is "words are not expanded" '* ~' "$(run --cwd "$WORK/few" -- echo '*' '~')"
t_is "… nor are several operands" '* ~' "$(run --cwd "$WORK/few" echo '*' '~')"
t_is "a name that begins with '-' is an option, as it is to sh" "$(cd few && LC_ALL=C sh -c 'ls *')" "$(run --cwd "$WORK/few" 'ls *')"
t_is "a job shows the string's words as they came" "sleep 1*" "$(job=$(run --detach --cwd "$WORK/few" 'sleep 1*'); virsh_ --json --socket "$SOCKET" job "$job" | "$PYTHON" -c 'import json, sys; print(*json.load(sys.stdin)["data"]["argv"])')"
t_is "~ is the home that the command has" /elsewhere/x "$(run --env HOME=/elsewhere 'echo ~/x')"
t_is "[ is a program" 0 "$(run '[ -d few ]' || run "[ -d $WORK/few ]"; echo $?)"

# --- the program is what was judged
t_status "a pattern is no program" 125 run '/bin/ech? x'
t_like "… and says what to do" "is a pattern: '/bin/ech\?'; name it, or quote it" "$ERR"
t_status "a quoted one is a name" 127 run "'/bin/ech?' x"
printf '#!/bin/sh\necho mine "$@"\n' >few/mine
chmod +x few/mine
# shellcheck disable=SC2088 # it is the guest's
t_is "~ in front of it is expanded" "mine x" "$(run --env HOME="$WORK/few" '~/mine x')"

# --- bounds
mkdir many loop
(cd many && touch "$(printf '%0200d ' {1..1000} | xargs -n 100 echo)" 2>/dev/null; printf '%0200d\n' {1..1000} | xargs touch)
t_is "a thousand long names" 1000 "$(run --cwd "$WORK/many" "echo *" | wc -w)"
t_status "too many of them are an error" 126 run --cwd "$WORK/many" "echo * * * * * * * * * * *"
t_like "… that says so" "more than 262144 words, or 2097152 bytes" "$ERR"
t_status "… also without waiting" 126 run --detach --cwd "$WORK/many" "echo * * * * * * * * * * *"
t_is "… and leaves no job" '' "$(virsh_ --socket "$SOCKET" jobs | grep -F 'echo * * *')"
body() { printf '{"command": "echo * * * * * * * * * * *", "working_dir": "%s"}' "$WORK/many"; }
t "shell/exec" curl -sS --unix-socket "$SOCKET" -H 'Content-Type: application/json' -d "$(body)" http://virtio-rpc/api/v1/shell/exec
t_json "… says the same" "d['code'] == 1001 and d['data']['exit_code'] == 126 and 'more than 262144 words' in d['data']['detail']" "$OUT"
for i in {0..9}; do ln -s . "loop/$i"; done
endless="echo */*/*/*/*/*/*/*/*/*/*/*/none"
t_status "a search has the command's time" 124 run --timeout 0.5 --cwd "$WORK/loop" "$endless"
"$VSRPC" --config host.yaml --socket "$SOCKET" exec --cwd "$WORK/loop" "$endless" 2>err &
searching=$!
children() { [ "$(wc -w <"/proc/$PID/task/$PID/children")" = "$1" ]; }
t "… and is begun" t_within 20 children 1
t_kill -TERM "$searching" # INT would be ignored: it is in the background
wait "$searching"
t "… it ends with its client's signal" t_within 20 children 0

done_testing
