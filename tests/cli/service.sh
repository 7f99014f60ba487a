#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Services, with a real agent that finds the tools of each service manager made up:
# what is asked for, and the exit statuses, which are those of systemctl.
# shellcheck source=lib.sh
# shellcheck disable=SC2016 # other shells expand
. "${top_srcdir:-.}/tests/cli/lib.sh"

service() { virsh_ --socket "$SOCKET" service "$@"; }

# Where the agent looks is the machine's own: it gets a view of its own of that.
view=-m
unshare $view true 2>/dev/null || view=-rm
unshare $view true 2>/dev/null || skip_all "no right to a mount namespace"

printf 'logging: {file: none}\nrate_limit: {requests_per_second: 0, requests_per_minute: 0, max_concurrent: 0}\n' >services.yaml
mkdir tools state etc run

# A service NAME has its state in the folder state: NAME is the exit status of an
# init script's "status", or systemd's words, NAME.boot whether it is enabled.
cat >tools/systemctl <<END
#!/bin/sh
echo "systemctl \$*" >>'$WORK/asked'
for name; do :; done
[ "\$1" = --no-ask-password ] && shift
if [ "\$1" != show ]; then
	case \$name in refuses) echo "Job type \$1 is not applicable" >&2; exit 3 ;; esac
	exit 0
fi
if [ -e '$WORK/state/'"\$name" ]; then
	echo LoadState=loaded
	echo "ActiveState=\$(cat '$WORK/state/'"\$name")"
	echo "UnitFileState=\$(cat '$WORK/state/'"\$name.boot")"
else
	printf 'LoadState=not-found\nActiveState=inactive\nUnitFileState=\n'
fi
END
script() { # NAME EXIT-STATUS
	mkdir -p etc/init.d
	printf '#!/bin/sh\necho "%s $1" >>"%s/asked"\n[ "$1" != status ] || exit %s\n[ "$1 %s" != "reload refuses" ] || { echo no reload >&2; exit 3; }\n' "$1" "$WORK" "$2" "$1" >"etc/init.d/$1"
	chmod 755 "etc/init.d/$1"
}
cat >tools/rc-service <<END
#!/bin/sh
shift
exec /etc/init.d/"\$@"
END
chmod 755 tools/*

# /run, /etc/init.d and the like as MANAGER has them, the tools before the others.
start_manager() { # MANAGER [CONFIG]
	local run=$WORK/run/$1 config=${2:-services}
	mkdir -p "$run"
	case $1 in
	systemd) mkdir -p "$run/systemd/system" ;;
	openrc) mkdir -p "$run/openrc" ;;
	esac
	SOCKET=$WORK/$1.sock
	unshare $view sh -c '
		mount --make-rprivate / &&
		mount --bind "$1" /run &&
		mount --bind "$2" /usr/local/sbin &&
		mount --bind "$3" /etc &&
		shift 3 && exec "$@"' - "$run" "$WORK/tools" "$WORK/etc" \
		"$AGENT" --config "$WORK/$config.yaml" --listen "$SOCKET" 2>"$WORK/$1.stderr" &
	PID=$!
	PEERS+=("$PID")
	t_within 20 test -S "$SOCKET" || t_diag "$(cat "$WORK/$1.stderr")"
}

# What NAME is: what status, is-active and is-enabled exit with, and the words of the
# last two.
check() { # NAME STATUS ACTIVE IS-ACTIVE BOOT IS-ENABLED
	t_status "$1: status" "$2" service "$1" status
	t_json "… is an envelope" "d['code'] in (0, 3004)" "$OUT"
	t_status "$1: is-active" "$2" service "$1" is-active
	t_is "… in a word" "$3" "$OUT"
	t_is "… and nothing else" '' "$ERR"
	t_status "$1: is-active --json" "$2" virsh_ --json --socket "$SOCKET" service "$1" is-active
	t_json "… has the state" "d['code'] == 3004 or d['data']['status'] and d['data']['action'] == 'is-active'" "$OUT"
	t_status "$1: is-enabled" "$5" service "$1" is-enabled
	t_is "… in a word" "$4" "$OUT"
	t_is "… and nothing else" '' "$ERR"
	t_status "$1: is-enabled --json" "$5" virsh_ --json --socket "$SOCKET" service "$1" is-enabled
	t_json "… has the word" "d['code'] == 3004 or d['data'].get('enabled_state', 'unknown') == '$4'" "$OUT"
}

# --- systemd
while read -r name state boot; do
	echo "$state" >"state/$name"
	echo "$boot" >"state/$name.boot"
done <<'END'
up active enabled
up2 reloading enabled-runtime
down inactive disabled
broken failed static
begins activating masked
ends deactivating linked
odd maintenance indirect
transient active
made active generated
refuses active enabled
END
start_manager systemd
while read -r name status active boot enabled; do
	check "$name" "$status" "$active" "$boot" "$enabled"
done <<'END'
up 0 active enabled 0
up2 0 active enabled-runtime 0
down 3 inactive disabled 1
broken 3 failed static 0
begins 3 activating masked 1
ends 3 deactivating linked 1
odd 4 unknown indirect 0
transient 0 active unknown 4
made 0 active generated 0
nothing 4 unknown not-found 4
END
t "reload" service up reload
t_like "… is systemd's" 'reload -- up' "$(grep -v show asked)"
t_status "one that cannot" 126 service refuses reload
t_like "… says so" 'not applicable' "$ERR"
t_status "reload of nothing is an error" 1 service nothing reload
t_status "start of a service that is down" 0 service down start
wrapped() { http POST /api/v1/service/control --data-binary "$1"; }
t_json "the wrapped form: its action is the service's" "d['code'] == 0 and d['data']['action'] == 'status' and d['data']['name'] == 'up'" \
	"$(wrapped '{"version": "1.0", "action": "status", "params": {"name": "up"}}')"
t_json "… unless the parameters have one" "d['code'] == 0 and d['data']['action'] == 'is-active'" \
	"$(wrapped '{"version": "1.0", "action": "stop", "params": {"name": "up", "action": "is-active"}}')"
t_json "… and its version is 1.x" "d['code'] == 2001 and '1.x' in d['data']['detail']" \
	"$(wrapped '{"version": "2.0", "action": "stop", "params": {"name": "up"}}')"
t_status "a name that is none" 125 service ./x is-enabled
t_like "… is no matter of the agent's age" "is not the name of a service: './x'" "$ERR"
t_is "a question does nothing" '' "$(grep -vE 'show|start|reload' asked)"
t_status "no such action" 2 service up is-alive
t_like "… which one was meant" is-active "$ERR"
stop "$PID"

# --- scripts
mkdir -p etc/rc2.d etc/rc3.d etc/runlevels/default
while read -r name status enabled; do
	script "$name" "$status"
	[ -z "$enabled" ] || ln -s "../init.d/$name" "etc/rc3.d/S20$name"
	[ -z "$enabled" ] || ln -s "/etc/init.d/$name" "etc/runlevels/default/$name"
done <<'END'
up 0 yes
down 3
broken 1 yes
crashed 32
begins 8
lost 127
refuses 0
END
start_manager openrc
while read -r name status active boot enabled; do
	check "$name" "$status" "$active" "$boot" "$enabled"
done <<'END'
up 0 active enabled 0
down 3 inactive disabled 1
crashed 3 failed disabled 1
begins 3 activating disabled 1
lost 4 unknown disabled 1
nothing 4 unknown not-found 4
END
: >asked
t "reload" service up reload
t_like "… is the script's" '^up reload$' "$(grep reload asked)"
t_status "one that cannot" 126 service refuses reload
t_like "… says so" 'no reload' "$ERR"
stop "$PID"

start_manager sysv
while read -r name status active boot enabled; do
	check "$name" "$status" "$active" "$boot" "$enabled"
done <<'END'
up 0 active enabled 0
down 3 inactive disabled 1
broken 3 failed enabled 0
lost 4 unknown disabled 1
nothing 4 unknown not-found 4
END
: >asked
t "reload" service up reload
t_like "… is the script's" '^up reload$' "$(grep reload asked)"
rm -r etc/rc?.d
check up 0 active unknown 4
stop "$PID"

# --- what an administrator has taken from the commands is not there by another way:
# an action is judged as the command that people have for it
chmod 755 "$WORK" tools state
sed -i "2i id -u >>'$WORK/users'" tools/systemctl
while IFS=';' read -r manager security allowed refused; do
	printf '%s\nsecurity: {%s}\n' "$(cat services.yaml)" "$security" >rules.yaml
	start_manager "$manager" rules
	: >asked
	while read -r -d , name action; do
		t "$manager, {$security}: $name $action" service "$name" "$action"
	done <<<"$allowed"
	: >asked
	while read -r -d , name action; do
		t_status "$manager, {$security}: no $name $action" 126 service "$name" "$action"
		t_like "… by which key" 'service/control: .*security\.(allowed_commands|command_rules)' "$ERR"
	done <<<"$refused"
	t_is "… and nothing was asked" '' "$(cat asked)"
	stop "$PID"
done <<'END'
systemd;allowed_env: [];up start,up stop,up restart,up reload,up enable,up disable,up status,up is-active,up is-enabled,;user@12345 start,user@12345.service enable,debug-shell start,
systemd;allowed_commands: ['*'];up start,up enable,;
systemd;allowed_commands: [ls, service];;up start,up status,up is-active,up enable,
systemd;allowed_commands: [/usr/local/sbin/systemctl];up start,up is-enabled,;
systemd;allowed_commands: [/opt/systemctl, systemctl2];;up start,
systemd;command_rules: [{program: systemctl, arguments: ['status|restart up', 'is-active *']}];up status,up restart,up is-active,;up start,down restart,down status,up is-enabled,
systemd;allowed_commands: [/usr/local/sbin/systemctl], command_rules: [{program: /usr/local/sbin/systemctl, arguments: ['status *']}];up status,;up start,
systemd;command_rules: [{program: service, arguments: ['* status']}];up start,;
sysv;allowed_env: [];up start,up stop,up restart,up reload,up status,up is-active,;user@12345 start,
sysv;allowed_commands: [ls, systemctl];;up start,up status,up is-active,up enable,
openrc;command_rules: [{program: service, arguments: ['up status|restart']}];up status,up is-active,up restart,;up start,down restart,down status,up enable,
END
if [ "$(id -u)" = 0 ]; then
	printf '%s\nsecurity: {command_rules: [{program: systemctl, user: "1"}]}\n' "$(cat services.yaml)" >rules.yaml
	echo 'root:x:0:0::/:/bin/sh
one:x:1:1::/:/bin/sh' >etc/passwd
	: >users
	chmod 666 users asked
	start_manager systemd rules
	t "by a rule with a user" service up restart
	t_is "… its tools run as that" '1 1' "$(xargs <users)"
	stop "$PID"
fi

done_testing
