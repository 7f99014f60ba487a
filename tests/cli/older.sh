#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# vsrpc-virsh and an agent that cannot do what it is asked for: which ability is
# missing is said, in words, once, and without another question.
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"

older() { quick --socket "$SOCKET" "$@" </dev/null; }
twice() { grep -v /sync "$COUNTS" | cut -d' ' -f1,2 | sort | uniq -d; }

echo content >file
mkdir -p tree/below && echo content >tree/below/file

start_peer older older
while IFS='|' read -r status does route command; do
	: >"$COUNTS"
	read -ra words <<<"$command"
	t_status "$command: fails" "$status" older "${words[@]}"
	t_like "… with the ability that is missing" "the agent \(version 9\.9\) cannot $does: it does not know '$route'" "$ERR"
	t_like "… and with what to do" 'update vsrpc-agent in the guest' "$ERR"
	t_is "… said once" 1 "$(grep -c 'does not know' <<<"$ERR")"
	t_is "… nothing was asked twice" '' "$(twice)"
	t_is "… nor what it can do" 0 "$(grep -c /capabilities "$COUNTS")"
done <<'END'
1|tell about the guest|GET /api/v1/system/status|status
1|tell about files or copy them as JSON|GET /api/v1/file/info|stat /x
1|list, make or remove folders|GET /api/v1/file/list|ls /x
1|list, make or remove folders|POST /api/v1/file/directory|mkdir /x
1|list, make or remove folders|POST /api/v1/file/remove|rm /x
1|copy files as bytes|GET /api/v1/file/content|cat /x
1|copy files as bytes|GET /api/v1/file/content|download /x here
1|copy files as bytes|PUT /api/v1/file/content|upload file /x
1|tell about files or copy them as JSON|GET /api/v1/file/info|upload -r tree /x
1|list, make or remove folders|GET /api/v1/file/list|download -r /x here
125|control services|POST /api/v1/service/control|service x status
125|run commands as jobs|POST /api/v1/jobs|exec -- true
125|run commands as jobs|POST /api/v1/jobs|exec --detach -- true
1|run commands as jobs|GET /api/v1/jobs/\*|job 0000abcd
1|run a command in one answer|POST /api/v1/shell/exec|call POST /shell/exec {}
END

t "what it can do, it does" older ping
t_status "a path that nobody knows" 1 older call GET /nothing
t_like "… has the agent's own words" 'no endpoint' "$OUT$ERR"
t_is "… no ability is missing" 0 "$(grep -c 'cannot' <<<"$ERR")"
t_status "a custom handler that is not there" 1 older call GET /custom/x
t_is "… is no ability that is missing" 0 "$(grep -c 'cannot' <<<"$ERR")"
t_status "--json" 1 older --json status
t_json "… is the agent's answer" "d['code'] == 3001" "$OUT"

t "doctor" older doctor
t_like "… asks beforehand what it can do" 'warn +abilities .*cannot: .*run commands as jobs \(jobs\)' "$OUT"
t_like "… of all" '\(trees\).*\(services\)' "$OUT"
t_like "… and what to do" 'update vsrpc-agent in the guest' "$OUT"
t_not "… what it can is not in it" grep -q '(meta)' <<<"$OUT"
stop "$PID"

start_peer services first_services
t "an agent that knows the first actions of services" older service x status
while read -r status action; do
	t_status "… $action" "$status" older service x "$action"
	t_like "… is said to need a newer one" "the agent \(version 9\.9\) cannot reload services or tell .*: it does not know 'service/control: $action'" "$ERR"
	t_like "… and what to do" 'update vsrpc-agent in the guest' "$ERR"
	t_is "… on standard error only" '' "$OUT"
	t_status "… --json" "$status" older --json service x "$action"
	t_json "… says so, too" "d['code'] == 2001 and 'does not know' in d['data']['detail']" "$OUT"
done <<'END'
1 reload
125 is-active
125 is-enabled
END
t "doctor" older doctor
t_like "… asks beforehand" 'tell their state in a word \(units\)' "$OUT"
stop "$PID"

start_peer reads reads_only
echo content >tree/second
t_status "a tree, and an agent that stores no files" 1 older upload -r tree /x
t_like "… is told so" "cannot copy files as bytes: it does not know 'PUT /api/v1/file/content'" "$ERR"
t_is "… by the first of them" 1 "$(grep -c '^PUT' "$COUNTS")"
stop "$PID"

done_testing
