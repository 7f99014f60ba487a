#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A guest with systemd: the agent's own unit, services, users, a crash.
# shellcheck source=../lib.sh
# shellcheck disable=SC2016 # the guest's shell expands
. "$(dirname "$0")/../lib.sh"

in_guest() { "$VSRPC" "$DOMAIN" exec -- "$@"; }
of_unit() { in_guest systemctl show -p "$1" --value virtio-rpc.service; }
service() { "$VSRPC" "$DOMAIN" service "$@"; }

# --- started by its unit, which udev pulled in
t_is "the agent runs as its unit" active "$(of_unit ActiveState)"
t_is "the unit was not enabled by hand" '' "$(in_guest sh -c 'find /etc/systemd/system -name virtio-rpc.service')"
t_like "udev's rule wants it" 'virtio-rpc.service' \
	"$(in_guest sh -c 'for d in /dev/vport*; do udevadm info "$d"; done' | grep SYSTEMD_WANTS)"
t_like "the port has its link" 'vport' "$(in_guest readlink "/dev/virtio-ports/$PORT")"
main=$(of_unit MainPID)
t_is "the unit's main process is the agent" vsrpc-agent "$(in_guest cat "/proc/$main/comm")"
t_like "the log file is written" 'INFO|started|listening|port' "$(in_guest cat /var/log/virtio-rpc-guest.log)"
t_like "its start line is in systemctl status, too" "\\[INFO\\] VirtioRPC Server started on /dev/virtio-ports/$PORT" "$(in_guest systemctl status virtio-rpc)"

# --- what the guest says of itself
t "info" "$VSRPC" "$DOMAIN" info
t_json "os_version is that of /etc/os-release" "d['data']['os_version'] and d['data']['os_version'].split()[0] in '$(in_guest sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release)'" "$OUT"
t_json "the name and the processors are right" "d['data']['hostname'] == 'vsrpc-debian' and d['data']['cpu_count'] == 2" "$OUT"
t "status" "$VSRPC" "$DOMAIN" status
t_json "disk_usage has the root disk" "0 < d['data']['disk_usage']['/'] < 100" "$OUT"
t_json "disk_usage has no pseudo file systems" "not [p for p in d['data']['disk_usage'] if p.startswith(('/proc', '/sys', '/dev/pts'))]" "$OUT"

# --- services
t "service start" service vsrpc-demo start
t_json "… runs it and tells its pid" "d['data']['status'] == 'running' and d['data']['pid'] > 1" "$OUT"
pid=$(in_guest systemctl show -p MainPID --value vsrpc-demo)
t_json "… the pid systemd has" "d['data']['pid'] == $pid" "$OUT"
t "service restart" service vsrpc-demo.service restart
t_json "… makes another process" "d['data']['status'] == 'running' and d['data']['pid'] != $pid" "$OUT"
t "service status" service vsrpc-demo status
t_json "… tells that it runs" "d['data']['status'] == 'running'" "$OUT"
t "service enable" service vsrpc-demo enable
t_json "… tells so" "d['data']['enabled'] is True" "$OUT"
t_is "… and systemd agrees" enabled "$(in_guest systemctl is-enabled vsrpc-demo)"
t "service disable" service vsrpc-demo disable
t_json "… tells so" "d['data']['enabled'] is False" "$OUT"
t "service stop" service vsrpc-demo stop
t_json "… tells that it has stopped" "d['data']['status'] == 'stopped' and d['data']['pid'] is None" "$OUT"
t_is "… and systemd agrees" inactive "$(in_guest systemctl is-active vsrpc-demo)"
while read -r action status; do
	t_status "$action of an unknown service" "$status" service no-such-unit "$action"
	t_json "… is SERVICE_NOT_FOUND" "d['code'] == 3004 and d['data']['error_type'] == 'SERVICE_NOT_FOUND'" "$OUT"
done <<'END'
start 1
reload 1
enable 1
status 4
END
t_status "reload of what cannot" 126 service vsrpc-demo reload

# What systemctl says and exits with is what we say and exit with.
as_systemctl() { # UNIT
	local action want status
	in_guest systemctl status "$1" >/dev/null 2>&1
	status=$?
	t_status "$1: status" "$status" service "$1" status
	for action in is-active is-enabled; do
		want=$(in_guest systemctl $action "$1" 2>/dev/null)
		status=$?
		t_status "$1: $action" "$status" service "$1" $action
		t_is "… in the same word" "$want" "$OUT"
	done
}
in_guest sh -c 'printf "[Service]\nExecStart=/bin/false\n" >/run/systemd/system/vsrpc-broken.service
	printf "[Service]\nType=oneshot\nExecStart=/bin/sleep 1000\nTimeoutStartSec=infinity\n" >/run/systemd/system/vsrpc-slow.service
	printf "[Service]\nExecStart=/bin/sleep 1000\nExecReload=/bin/touch /run/vsrpc-reloaded\n" >/run/systemd/system/vsrpc-up.service
	systemctl daemon-reload
	systemctl start vsrpc-up
	systemctl start --no-block vsrpc-slow
	systemctl mask vsrpc-masked
	systemctl start vsrpc-broken' 2>/dev/null
t "one of them has failed" t_within 20 in_guest systemctl is-failed vsrpc-broken
t "… and one begins" t_within 20 in_guest sh -c '[ "$(systemctl is-active vsrpc-slow)" = activating ]'
for unit in vsrpc-demo vsrpc-up vsrpc-broken vsrpc-slow vsrpc-masked virtio-rpc getty@tty1 systemd-journald.socket; do
	as_systemctl "$unit"
done
t "service reload" service vsrpc-up reload
t "… is what the unit has for that" in_guest test -e /run/vsrpc-reloaded
t_status "is-active of an unknown service" 4 service no-such-unit is-active
t_is "… in a word" unknown "$OUT"
t_status "is-enabled of an unknown service" 4 service no-such-unit is-enabled
t_is "… in a word" not-found "$OUT"
in_guest sh -c 'systemctl stop vsrpc-up vsrpc-slow; systemctl unmask vsrpc-masked; systemctl reset-failed vsrpc-broken' 2>/dev/null

# --- real users
echo hello >file
t "upload for a user" "$VSRPC" "$DOMAIN" upload --owner user --group users --mode 0640 file /home/user/file
t_is "… belongs to him" "user users 640" "$(in_guest stat -c '%U %G %a' /home/user/file)"
t_is "… who can read it" hello "$(in_guest runuser -u user -- cat /home/user/file)"
t "the specification's download" "$VSRPC" "$DOMAIN" download /var/log/syslog syslog.txt
t "HOME is root's" [ "$(in_guest sh -c 'echo $HOME')" = /root ]

# --- a control group for each command
t_like "a command has a group below the unit's" '^0::/.*virtio-rpc\.service/job-[0-9a-f-]+$' "$(in_guest grep ^0:: /proc/self/cgroup)"
t_is "… which is gone with it" '' "$(in_guest sh -c 'ls -d /sys/fs/cgroup/system.slice/virtio-rpc.service/job-* | grep -v "$(basename "$(sed -n s/^0:://p /proc/self/cgroup)")"')"
runaway='setsid sh -c "trap : HUP TERM; exec sleep 4711" >/dev/null 2>&1 & wait'
t_status "a command that left a session of its own times out" 124 "$VSRPC" --timeout 2 "$DOMAIN" exec -- sh -c "$runaway"
t_is "… and nothing of it is left" '' "$(in_guest pgrep -f 'sleep 471[1]')"
t "what a command leaves behind at its own end" in_guest sh -c 'setsid sleep 4712 >/dev/null 2>&1 &'
t "… lives on" in_guest pkill -f 'sleep 471[2]'

# --- a crash
"$VSRPC" --timeout 5 "$DOMAIN" exec -- kill -9 "$main" >/dev/null 2>&1
t "killed, the agent comes back" t_within 30 "$VSRPC" "$DOMAIN" ping
again=$(of_unit MainPID)
t_not "… as another process" [ "${again:-$main}" = "$main" ]
t "… because systemd restarted it" [ "$(of_unit NRestarts)" -ge 1 ]
t "service start of the agent's unit is harmless" service virtio-rpc start
t "restarting the agent through itself" "$VSRPC" "$DOMAIN" exec -- systemd-run --no-block systemctl restart virtio-rpc
t "… is survived" t_within 30 "$VSRPC" "$DOMAIN" ping

done_testing
