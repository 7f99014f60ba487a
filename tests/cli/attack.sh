#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the default policy promises, tried by somebody who may ask the agent for
# anything: a real agent, and root's where the tests are root's.
# Where a promise is broken these commands are carried out: so they name nothing
# that is there, and nothing ends the machine (test-command-rules.c has the rest).
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"

off='rate_limit: {requests_per_second: 0, requests_per_minute: 0, max_concurrent: 0}'
cmd() { virsh_ --socket "$SOCKET" "$@"; }
printf '%s\nlogging: {file: none}\n' "$off" >default.yaml
chmod 711 "$WORK" # what is in it may be entered by its name
t "an agent with the default policy" start_agent default

refused() { # WHAT PATTERN ARGUMENT…
	local what=$1 pattern=$2
	shift 2
	t_status "refused: $what" 126 timeout 100 "$VSRPC" --config host.yaml --socket "$SOCKET" exec -n "$@"
	t_like "… with the setting" "$pattern" "$ERR"
}

# --- another program by the environment or by its name
printf '#!/bin/sh\necho pwned >%s/pwned\n' "$WORK" >evil
chmod 755 evil
cp evil ls
cp evil service
ln -s /bin/cat cat
for variable in "LD_PRELOAD=$WORK/evil" "LD_AUDIT=$WORK/evil" "PATH=$WORK" "PATH=$WORK:/bin" PATH= PATH=/usr/sbin: "SYSTEMD_PAGER=$WORK/evil" "PAGER=$WORK/evil" "SYSTEMD_EDITOR=$WORK/evil" "LESSOPEN=|$WORK/evil" "BASH_ENV=$WORK/evil" "ENV=$WORK/evil" "GCONV_PATH=$WORK" "TZ=$WORK/evil" "LANG=$WORK"; do
	refused "--env ${variable%%=*}" "'${variable%%=*}' .*security.allowed_env" --env "$variable" -- service --status-all
done
for program in "$WORK/ls" "$WORK/cat" "$WORK/service" ./ls /bin/../bin/cat /usr/bin/../bin/cat //bin/cat /bin//cat /bin/./cat busybox /bin/busybox /bin/sh sh env; do
	refused "$program" security.allowed_commands --cwd "$WORK" -- "$program" "$WORK/evil"
done
t "nothing of that ran" [ ! -e pwned ]

# --- programs that act are held by their arguments
while read -r words; do
	# shellcheck disable=SC2086 # words are what is wanted
	refused "$words" security.command_rules -- $words
done <<END
systemctl link $WORK/none.service
systemctl enable $WORK/none.service
systemctl enable ../../..$WORK/none.service
systemctl start $WORK/none.service
systemctl --root=/ enable x
systemctl --root / enable x
systemctl --roo=/ enable x
systemctl status --image=x
systemctl -H root@host status
systemctl -Hhost status
systemctl -qHhost status
systemctl -M x status
systemctl --host=x status
systemctl --machine x status
systemctl --user status
systemctl --force enable x
systemctl -f enable x
systemctl -qf enable x
systemctl -- link x
systemctl status -- --root=/
systemctl set-property x CPUQuota=1%
systemctl set-environment VSRPC_TEST=1
systemctl mask x
systemctl isolate no-such-unit.target
systemctl kill x
systemctl start
systemctl start user@12345
systemctl start user@12345.service
systemctl --now enable user@12345.service
systemctl restart x user@12345.service
systemctl start debug-shell
systemctl restart [u]ser@12345.service
systemctl restart no-such-?nit
systemctl restart no-such-unit*
systemctl start no-such@..-..-tmp-x
systemctl start no-such@-tmp-x.service
systemctl restart x no-such@\\x2e\\x2e-tmp
systemctl enable no-such@\\x2ftmp
systemctl start modprobe@no-such
service user@12345 start
service no-such@..-..-tmp-x start
service modprobe@no-such start
service no-such* status
service [n]o-such status
service debug-shell start
systemctl link
service ../../..$WORK/evil start
service $WORK/evil start
service . start
service .. start
service x link
service x start y
service x start --root=/
service -Hhost start
service x --full-restart
journalctl --file=/etc/shadow
journalctl --file /etc/shadow
journalctl --fil=/etc/shadow
journalctl -D /root
journalctl -D/root
journalctl -qD/root
journalctl --directory=/root
journalctl --root=/root
journalctl --image=/root
journalctl -M x
journalctl --cursor-file=/etc/x
journalctl --sync
journalctl /etc/shadow
END
refused "blanks in a name" security.command_rules -- service 'x -Hhost' start
refused "a name of options" security.command_rules -- systemctl start 'x --root'
refused "a tab in a name" security.command_rules -- systemctl start $'x\t-Hhost'
touch -- -Hhost x.service
refused "options that a pattern finds" security.command_rules --cwd "$WORK" "systemctl -H* start x"

# --- what they are for passes (this machine may have no systemd: any end but a refusal)
passes() { # ARG…
	cmd exec "$@" >/dev/null 2>"$WORK.err" </dev/null
	[ $? != 126 ]
}
while read -r words; do
	# shellcheck disable=SC2086
	t "passes: $words" passes -- $words
done <<END
systemctl
systemctl status
systemctl status virtio-rpc
systemctl status user@12345.service no-such-*
systemctl status -n5 -l virtio-rpc.service
systemctl status -ln 5 a b
systemctl is-active nginx
systemctl show -p MainPID --value nginx
systemctl list-units --type=service --state failed
systemctl list-timers --all
systemctl --failed --no-legend
systemctl --version
systemctl start no-such-unit@1
systemctl -q restart no-such-unit
systemctl enable --now no-such-unit
systemctl stop -- no-such-unit
service no-such-service status
service no-such-service restart
journalctl -n 1
journalctl -n1 -u ssh
journalctl -xe
journalctl -qeu ssh --since=-1h
journalctl --since yesterday -p err -o json
journalctl -b -k
journalctl _SYSTEMD_UNIT=ssh.service + _EXE=/usr/sbin/sshd
top -n 1
top -bn1
END

# --- a request may not choose who looks where that would be more; everybody else may
if [ "$(id -u)" = 0 ]; then
	cp /bin/true secret
	printf 'secret\n' >secret
	chmod 600 secret
	printf 'plain\n' >plain
	t_status "cat of a file of root fails as it does for anybody" 1 cmd exec -- cat "$WORK/secret"
	t_like "… in its own words" "Permission denied" "$ERR"
	t_like "… and it is told who looked, by which setting, and what would change that" "^vsrpc-virsh: cat ran as the user [a-z-]+ \(security.look_as of the guest\).*security.command_rules" "$(tail -n 1 <<<"$ERR")"
	told() { # WORD…: is it?
		cmd "$@" >/dev/null 2>said </dev/null
		grep -q security.command_rules said
	}
	t "… also of a string" told exec "cat $WORK/secret"
	t "… and on a terminal" "$PYTHON" -c 'import os, pty, sys
text = b""
def read(fd):
    global text
    text += os.read(fd, 4096)
    return b"\n"
pty.spawn(sys.argv[1:], read)
sys.exit(b"security.command_rules" not in text)' "$VSRPC" --config host.yaml --socket "$SOCKET" exec -t -- cat "$WORK/secret"
	t_not "not with -q" told -q exec -- cat "$WORK/secret"
	t_not "not of what has nothing to say" told exec -- grep nothing "$WORK/plain"
	t_not "nor of what succeeds" told exec -- cat "$WORK/plain"
	t_not "nor of what runs as root anyway" told exec -- systemctl status no-such-unit
	t_not "nor of whom the request chose" told exec --user bin -- cat "$WORK/secret"
	t_not "nor beside JSON" told --json exec -- cat "$WORK/secret"
	t_json "… which has it as members" "d['data']['exit_code'] == 1 and d['data']['user_rule'] == 'security.look_as' and d['data']['user'] in ('vsrpc-look', 'nobody')" "$(cmd --json exec -- cat "$WORK/secret")"
	t_json "… also of shell/exec" "d['data']['exit_code'] == 1 and d['data']['user_rule'] == 'security.look_as' and d['data']['user'] in ('vsrpc-look', 'nobody')" "$(http POST /api/v1/shell/exec --data-binary "{\"argv\": [\"cat\", \"$WORK/secret\"]}")"
	t_status "also in a string, by a pattern" 1 cmd exec "cat $WORK/secre*"
	for file in /etc/shadow /etc/gshadow; do
		[ ! -e $file ] || t_status "… $file" 1 cmd exec -- cat $file
		[ ! -e $file ] || t_status "… by grep" 2 cmd exec -- grep root $file
		[ ! -e $file ] || t_status "… by tail" 1 cmd exec -- tail -n 3 $file
	done
	t_status "/root is not listed" 2 cmd exec -- ls /root/.ssh
	t_status "root's processes are not looked into" 1 cmd exec -- cat /proc/1/environ
	t_is "a file for everybody is read" plain "$(cmd exec -- cat "$WORK/plain")"
	t_not "who looks is not root" grep -q '^Uid:[[:blank:]]*0' <(cmd exec -- cat /proc/self/status)
	t_not "… in no group of root's" grep -Eq '^G(id|roups):.*[[:blank:]]0([[:blank:]]|$)' <(cmd exec -- cat /proc/self/status)
	t_is "… and has no capabilities" "" "$(cmd exec -- grep ^CapEff /proc/self/status | tr -d ':0[:space:]CapEf')"
	t_like "a look may be another ordinary user's" 'Uid:[[:blank:]]*2[[:blank:]]' "$(cmd exec --user bin -- cat /proc/self/status)"
	for user in root 0 nobody:disk nobody:shadow 65534:0 bin:root; do
		refused "a look with the rights of $user" security.command_rules --user "$user" -- cat "$WORK/secret"
	done
	for group in disk shadow 6 0; do
		t_json "… of the group $group alone" "d['code'] == 4001" "$(http POST /api/v1/shell/exec --data-binary "{\"argv\": [\"cat\", \"$WORK/secret\"], \"group\": \"$group\"}")"
	done
	t "a program that acts may be run with fewer rights" passes --user nobody -- systemctl --version
	t_like "it has no pager on a terminal" 'PAGER=cat' "$(cmd exec -- cat /proc/self/environ | tr '\0' '\n' | grep ^SYSTEMD_)"
fi
for file in /etc/shadow /etc/shadow- /etc/gshadow /etc/gshadow- /etc/passwd- /etc/security/opasswd; do
	t_status "$file is forbidden to transfers" 126 cmd download $file down
done
# --- a link leads no daemon where a transfer may not write
link() { # TARGET [MORE]
	http POST "/api/v1/file/symlink?path=$WORK/links/new&overwrite=true&target=$1${2:-}"
}
mkdir links outside
ln -s /etc/vsrpc-no links/broken
while read -r target; do
	t_json "no link to $target" "d['code'] == 4001 and 'security.' in d['data']['detail']" "$(link "$target")"
	t_not "… is there" [ -L links/new ]
done <<END
/etc/brkwrite
/etc/no/such/file
/etc
/
/tmp/../etc/brkwrite
links/../x
none/../../x
broken
broken/x
$(printf '../%.0s' {1..20})etc/brkwrite
/etc/shadow
END
while read -r target; do
	t_json "a link to $target" "d['code'] == 0" "$(link "$target")"
	t_is "… as it is" "$target" "$(readlink links/new)"
	rm -f links/new
done <<END
/tmp/vsrpc-none/x
/var/log/vsrpc-none
none
../none
./none
END
mkdir links/tree
echo file >links/tree/file
ln -s file links/tree/fine
ln -s /etc/brkwrite links/tree/forbidden
ln -s ../file links/tree/up
t_not "a tree with one" cmd upload -r links/tree "$WORK/outside/"
t_like "… is told by its name" "tree/forbidden.*/etc/brkwrite.* is read-only by security.readonly_paths" "$ERR"
t_is "… the others are there" "file file ../file" "$(cat outside/tree/file) $(readlink outside/tree/fine) $(readlink outside/tree/up)"
t_not "… it is not" [ -L outside/tree/forbidden ]
if [ "$(id -u)" = 0 ]; then
	t_json "root is who acts there when he is named, too" "d['code'] == 4001" "$(link /etc/brkwrite '&user=root')"
	chmod 777 links
	chmod 755 . # on an old kernel the way to a file has to be read
	t_json "another user may make what is his" "d['code'] == 0" "$(link /etc/brkwrite '&user=bin')"
	rm -f links/new
fi

stop "$PID"

# --- the agent's own files: nothing is done to them, neither directly nor by a link
mkdir own own/logs
head -c 32 /dev/urandom >own/key
chmod 600 own/key
ln -s own/logs logs
cat >own/own.yaml <<END
$off
logging: {file: $WORK/logs/agent.log}
security: {allowed_paths: [$WORK/], auth_key_file: $WORK/own/key}
END
ln -s own/own.yaml own.yaml
t "an agent whose files lie where may be written" start_agent own
for file in own/logs/agent.log{.2,.17}; do echo old >"$file"; done
echo new >other
for file in own.yaml own/own.yaml own/key logs/agent.log own/logs/agent.log own/logs/agent.log.{1,2,17}; do
	t_json "no upload to $file" "d['code'] == 4001 and 'own' in d['data']['detail']" "$(http PUT "/api/v1/file/content?path=$WORK/$file" -T other)"
	for query in "directory?mode=755" "symlink?overwrite=true&target=none" "remove?recursive=true&missing_ok=true" "attributes?mode=600"; do
		t_json "… no $query" "d['code'] == 4001" "$(http POST "/api/v1/file/$query&path=$WORK/$file")"
	done
	t_json "… no link to it" "d['code'] == 4001" "$(http POST "/api/v1/file/symlink?path=$WORK/links/own&target=$WORK/$file")"
done
t_json "… nor is the link on the way replaced" "d['code'] == 4001" "$(http POST "/api/v1/file/symlink?path=$WORK/logs&overwrite=true&target=none")"
for folder in logs own own/logs; do
	t_json "… $folder is not removed with them" "d['code'] == 4001" "$(http POST "/api/v1/file/remove?recursive=true&path=$WORK/$folder")"
done
t "they may be read" cmd download "$WORK/own/logs/agent.log" read.log
for file in own/logs/agent.log.old own/logs/agent.logs own/logs/agent.log. own/logs/other own/own.yaml.new; do
	t_json "what is beside them may be written: $file" "d['code'] == 0" "$(http PUT "/api/v1/file/content?path=$WORK/$file" -T other)"
done
stop "$PID"

# --- rules of the administrator
config() { # NAME SECURITY
	printf '%s\nlogging: {file: none}\nsecurity: {%s}\n' "$off" "$2" >"$1.yaml"
	t "an agent with $2" start_agent "$1"
}
config rules "command_rules: [{program: cat, user: root}, {program: ls, arguments: ['/tmp']}, {program: systemctl, arguments: ['link **', 'daemon-reload'], options: [--version]}]"
[ "$(id -u)" != 0 ] || t_is "cat by a rule as root" secret "$(cmd exec -- cat "$WORK/secret")"
t "an argument that the rule has" cmd exec -- ls /tmp
refused "another one" security.command_rules -- ls /
refused "an option, of which it has none" security.command_rules -- ls -l /tmp
t "systemctl link by a rule" passes -- systemctl link /tmp/none
refused "what the rule does not have any more" security.command_rules -- systemctl status
stop "$PID"
if [ "$(id -u)" = 0 ]; then
	config nobody-there "look_as: vsrpc-no-such-user"
	refused "a look as a user that is not there" "vsrpc-no-such-user.*security.look_as" -- cat "$WORK/plain"
	t "what acts does not need it" passes -- systemctl --version
	stop "$PID"
	config bin "look_as: bin, command_rules: [{program: head, user: daemon}, {program: tail, user: vsrpc-no-such-user}]"
	t_like "look_as is who looks" 'Uid:[[:blank:]]*2[[:blank:]]' "$(cmd exec -- cat /proc/self/status)"
	t_like "a rule has another user" 'Uid:[[:blank:]]*1[[:blank:]]' "$(cmd exec -- head -n 20 /proc/self/status)"
	t_status "… which is told when it fails" 1 cmd exec -- head "$WORK/secret"
	t_like "… by that name" "head ran as the user daemon \(security.command_rules of the guest\)" "$ERR"
	refused "one that is not there" "vsrpc-no-such-user.*security.command_rules" -- tail "$WORK/plain"
	stop "$PID"
	config all "allowed_commands: ['*']"
	t_is "where everything is allowed nothing is a look" secret "$(cmd exec -- cat "$WORK/secret")"
	t_json "… and a link leads anywhere" "d['code'] == 0" "$(link /etc/brkwrite)"
	stop "$PID"
fi
for rule in 'program: a/b' 'user: root' "program: ''"; do
	config_file="$WORK/broken.yaml"
	printf 'security: {command_rules: [{%s}]}\n' "$rule" >"$config_file"
	t_not "no rule: $rule" "$AGENT" --config "$config_file" --check-config
	t_like "… is told where" "broken.yaml.*command_rules" "$ERR"
done

done_testing
