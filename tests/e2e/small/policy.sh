#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The default policy in a guest where the agent is root and every program is a link
# to busybox: who looks, what arguments pass, which variables.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

run() { "$VSRPC" "$DOMAIN" exec -n "$@"; }
commands() { "$VSRPC" "$DOMAIN" capabilities >able && python3 -c 'import json, sys; sys.exit(json.load(open("able"))["data"]["policy"]["allowed_commands"][0] != sys.argv[1])' "$1"; }

configure() { second sh -c 'cd /etc/virtio-rpc && { [ -e old.yaml ] || cp guest_config.yaml old.yaml; } && cat - >guest_config.yaml' && second kill "$(agent_pid)"; }
back() { # whoever comes next finds the agent as it was, and there
	second sh -c 'cd /etc/virtio-rpc && mv old.yaml guest_config.yaml' && second kill "$(agent_pid)"
	t_within 20 commands '*'
	second sh -c 'rm -rf /tmp/policy'
}
t "an agent with the default policy" configure <<'END'
rate_limit: {requests_per_second: 0, requests_per_minute: 0, max_concurrent: 0}
END
t_finally back
t "… is there" t_within 20 commands ls
second sh -c 'mkdir /tmp/policy && cd /tmp/policy && echo plain >plain && echo secret >secret && chmod 600 secret && mkdir -m 700 shut && cp /bin/busybox . &&
	ln -s /bin/busybox cat && ln -s /etc/shadow link && ln -s secret hidden'

t_is "what everybody may read is shown" plain "$(run -- cat /tmp/policy/plain)"
for file in /etc/shadow /tmp/policy/secret /tmp/policy/link /tmp/policy/hidden; do
	t_status "$file is not, by cat" 1 run -- cat "$file"
	t_status "… by head" 1 run -- head "$file"
	t_status "… by grep" 2 run -- grep . "$file"
	t_status "… in a string" 1 run "cat ${file%?}?"
done
t_status "a folder of root is not listed" 1 run -- ls /tmp/policy/shut
t_like "who looks is nobody, where the package has made no user" 'Uid:[[:blank:]]65534' "$(run -- cat /proc/self/status)"
t_status "… without root's view of processes" 1 run -- cat /proc/1/environ
t "what the others are for works" run -- ps
t_like "… top, which is not interactive on a terminal either" 'Mem:' "$(run -- top -n 1)"
t "… df" run -- df
t "… free" run -- free

refused() { # WHAT PATTERN ARGUMENT…
	local what=$1 pattern=$2
	shift 2
	t_status "refused: $what" 126 run "$@"
	t_like "… with the setting" "$pattern" "$ERR"
}
for program in busybox /bin/busybox /tmp/policy/busybox /tmp/policy/cat /bin/../bin/cat sh; do
	refused "$program" security.allowed_commands -- "$program" cat /etc/shadow
done
refused "a loader's variable" "LD_PRELOAD.*security.allowed_env" --env LD_PRELOAD=/tmp/policy/busybox -- ls
refused "to look as root" security.command_rules --user root -- cat /etc/shadow
refused "to look in root's group" security.command_rules --user nobody:root -- cat /etc/shadow
t_is "another user may look" user "$(run --user user -- cat /proc/self/environ | tr '\0' '\n' | sed -n 's/^USER=//p')"

printf 'security: {command_rules: [{program: cat, user: root}, {program: head, arguments: ["/tmp/**"]}], look_as: daemon}\nrate_limit: {requests_per_second: 0, requests_per_minute: 0, max_concurrent: 0}\n' >rules.yaml
t "an agent with rules of its own" configure <rules.yaml
looks() { run -- tail -n 50 /proc/self/status | grep -q '^Uid:[[:blank:]]*1[[:blank:]]'; }
t "… looks as its user" t_within 20 looks
t_is "… and as root where a rule says so" secret "$(run -- cat /tmp/policy/secret)"
t "an argument of a rule" run -- head /tmp/policy/plain
refused "another one" security.command_rules -- head /etc/passwd
refused "one that leads out" security.command_rules -- head /tmp/../etc/passwd

done_testing
