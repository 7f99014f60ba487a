#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Users of the settings: --check-config and the log tell of those who are not there, and
# of those who read what root does; a request may not choose one of these to look.
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"
# shellcheck source=accounts.sh
. "$top_srcdir/tests/cli/accounts.sh"

# One for each way into such a group: the user's own, and as a member.
{
	grep -vE '^(disk|shadow|kmem):' group
	printf 'disk:x:54406:\nshadow:x:54442:vshadow\nkmem:x:54415:vkmem\n'
} >groups
cat groups >group
printf 'v%s:x:%s:%s::/:/bin/sh\n' disk 54331 54406 root 54332 0 shadow 54333 54333 kmem 54334 54334 zero 0 0 >>passwd

off='rate_limit: {requests_per_second: 0, requests_per_minute: 0, max_concurrent: 0}'
check() { # SECURITY: one line of it each
	printf 'security:\n%b\n' "$1" >check.yaml
	"$AGENT" --check-config --config check.yaml
}
while IFS='|' read -r status where pattern security; do
	t_status "--check-config: $security" "$status" check "$security"
	if [ "$pattern" ]; then
		t_like "… says it, and where" "$where: $pattern" "$ERR"
	else
		t_is "… says nothing else" '' "$ERR"
	fi
	printf '%s\nlogging: {file: %s}\nsecurity:\n%b\n' "$off" "$WORK/ready.log" "$security" >ready.yaml
	rm -f ready.log
	start_agent ready
	t "… an agent starts" t_within 20 grep -q 'Server started' ready.log
	if [ "$pattern" ]; then
		t "… and says it in its log" grep -qE "WARNING.*$pattern" ready.log
	else
		t_not "… without a warning" grep WARNING ready.log
	fi
	stop "$PID"
done <<'END'
0|||  look_as: vuser
0|check.yaml|security.look_as: the user 'root' is root itself|  look_as: root
0|check.yaml|security.look_as: the user 'vzero' is root itself|  look_as: vzero
0|check.yaml:3|security.command_rules.user: the user 'vzero' is root itself|  command_rules:\n    - {program: df, user: vzero}
0|||  look_as: vuser\n  command_rules:\n    - {program: cat, user: vother}\n    - {program: head, user: root}
1|check.yaml|security.look_as: no such user: 'vnobody'|  look_as: vnobody
1|check.yaml:4|security.command_rules.user: no such user: 'vnobody'|  command_rules:\n    - {program: cat, user: vother}\n    - {program: head, user: vnobody}
1|check.yaml:4|security.command_rules.user: no such user: 'vnobody'|  look_as: vdisk\n  command_rules:\n    - {program: head, user: vnobody}
0|check.yaml|security.look_as: the user 'vdisk' is in the group 'disk'|  look_as: vdisk
0|check.yaml|security.look_as: the user 'vroot' is in the group 'root'|  look_as: vroot
0|check.yaml|security.look_as: the user 'vshadow' is in the group 'shadow'|  look_as: vshadow
0|check.yaml:3|security.command_rules.user: the user 'vkmem' is in the group 'kmem'|  command_rules:\n    - {program: head, user: vkmem}
END

printf '%s\nlogging: {file: none}\n' "$off" >default.yaml
start_agent default
for user in vuser vother; do
	t "a request has $user look" virsh_ --socket "$SOCKET" exec --user $user -- cat /dev/null
done
for user in vdisk vroot vshadow vkmem vzero vuser:disk vshadow:54333; do
	t_status "… but not $user" 126 virsh_ --socket "$SOCKET" exec --user $user -- cat /dev/null
	t_like "… by the rules" security.command_rules "$ERR"
done
stop "$PID"
done_testing
