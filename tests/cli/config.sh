#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The specification's configuration files as they are, and errors in others.
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"

# --- the specification's examples; only the paths of socket and logs are ours
specified_guest_config /dev/virtio-ports/test.vserial.0 "$WORK/guest.log" >spec.yaml
t "--check-config takes the specification's guest file" "$AGENT" --check-config --config spec.yaml
t "the agent runs with it" start_agent spec
# Though it logs to a file: where the specification shows it, and systemctl status does.
t "… and its start line is on standard error" t_within 20 grep -qF "[INFO] VirtioRPC Server started on $SOCKET" spec.stderr
specified_host_config "$SOCKET" "$WORK/host.log" >spec-host.yaml
t "ping with the specification's host file, and no other word" "$VSRPC" --config spec-host.yaml ping
t_json "… is answered" "d['message'] == 'pong'" "$OUT"
t "exec of the specification" "$VSRPC" --config spec-host.yaml exec "ls -la /tmp"
t_like "… prints the listing" "^total " "$OUT"
t_like "the host's log tells of it" "POST /api/v1/jobs 200 0" "$(cat host.log)"
t "the guest's log is written" test -s guest.log
t "SIGTERM ends the agent" stop "$PID"
t "… and its socket is gone" [ ! -e "$SOCKET" ]

# --- mistakes
bad() { # DESCRIPTION PATTERN; the file on stdin
	cat >bad.yaml
	t_status "guest file: $1" 1 "$AGENT" --check-config --config bad.yaml
	t_like "… is shown with file and line" "bad\.yaml:$2" "$ERR"
}
bad "an unknown key" '2: .*max_requst_size' <<'END'
server:
  max_requst_size: 10MB
END
t_like "… and the nearest valid one" 'max_request_size' "${ERR#*max_requst_size}"
bad "an unknown section" '1: .*servr' <<'END'
servr:
  request_timeout: 60
END
bad "a size that is none" '2: ' <<'END'
server:
  max_request_size: ten
END
bad "a number out of range" '3: ' <<'END'
rate_limit:
  requests_per_second: 10
  max_concurrent: -1
END
bad "a list that is a word" '2: ' <<'END'
security:
  allowed_paths: /tmp
END
bad "a key given twice" '3: ' <<'END'
server:
  request_timeout: 60
  request_timeout: 61
END
bad "a tab" '2: ' < <(printf 'server:\n\trequest_timeout: 60\n')
printf 'security:\n  forbidden_paths: [etc/shadow]\n' >bad.yaml
t_status "guest file: a relative path in a policy" 1 "$AGENT" --check-config --config bad.yaml
t_like "… names it" "'etc/shadow' is not an absolute path" "$ERR"
t_status "guest file: none there" 1 "$AGENT" --check-config --config no-such.yaml
t_like "… names it" "no-such.yaml" "$ERR"
printf 'conection:\n  connect_timeout: 5\n' >bad.yaml
t_status "host file: an unknown key" 125 "$VSRPC" --config bad.yaml --socket "$WORK/x" ping
t_like "… is shown with file, line and the nearest valid key" "bad.yaml:1: .*conection" "$ERR"
t_like "… and the nearest valid one" 'connection' "${ERR#*conection}"

# --- the agent's options
t "agent --version" "$AGENT" --version
t_like "… prints it" '^vsrpc-agent [0-9]+\.[0-9]+' "$OUT"
t "agent --help" "$AGENT" --help
for option in config device fd listen check-config version help; do
	t_like "--help tells of --$option" "--$option" "$OUT"
done
t_status "agent: an unknown option" 2 "$AGENT" --bogus
t_status "agent: two sources" 2 "$AGENT" --fd 0 --listen "$WORK/x"

# --- --fd: one end of a socket pair
cat >pair.py <<'END'
import socket, subprocess, sys
ours, theirs = socket.socketpair()
agent = subprocess.Popen([sys.argv[1], "--config", sys.argv[2], "--fd", str(theirs.fileno())], pass_fds=[theirs.fileno()])
theirs.close()
ours.settimeout(200)
ours.sendall(b"GET /api/v1/ping HTTP/1.1\r\nHost: virtio-rpc\r\n\r\n")
got = b""
while b"pong" not in got:
    piece = ours.recv(4096)
    assert piece, "closed"
    got += piece
ours.close()
sys.exit(agent.wait(20))
END
t "--fd serves an open stream and ends with it" "$PYTHON" pair.py "$AGENT" spec.yaml

# --- what whoever started the agent had open is nothing to those whom it starts
cat >inherited.py <<'END'
import os, sys
secret = os.open("secret", os.O_RDWR | os.O_CREAT, 0o600)
for fd in 7, 9, 200:
    os.dup2(secret, fd)
os.execv(sys.argv[1], sys.argv[1:])
END
printf 'logging: {file: none}\nsecurity: {allowed_commands: ["*"]}\n' >open.yaml
SOCKET=$WORK/open.sock
"$PYTHON" inherited.py "$AGENT" --config open.yaml --listen "$SOCKET" &
PID=$!
PEERS+=("$PID")
t "an agent that is started with open files" t_within 20 test -S "$SOCKET"
t_is "… has none of them open for a command" 0 "$(virsh_ --socket "$SOCKET" exec -- ls -l /proc/self/fd | grep -c secret)"
t_is "… nor for one of shell/exec" 0 "$(http POST /api/v1/shell/exec --data-binary '{"command": "ls -l /proc/self/fd"}' | grep -c secret)"
stop "$PID"

printf 'logging: {file: none}\n' >quiet.yaml
t "an agent that logs nothing" start_agent quiet
t_like "… runs" pong "$(http GET /api/v1/ping)"
t_is "… and says nothing" '' "$(cat quiet.stderr)"
stop "$PID"

# --- logs turn over
cat >log.yaml <<END
security:
  allowed_paths: [$WORK]
rate_limit: {requests_per_second: 0, requests_per_minute: 0, max_concurrent: 0}
logging:
  level: DEBUG
  file: $WORK/turn.log
  max_size: 4KB
  backup_count: 2
END
t "an agent with a small log" start_agent log
i=0
while [ $i -lt 80 ]; do
	http GET "/api/v1/nothing-$i-$(printf %0200d 0)" >/dev/null
	i=$((i + 1))
done
t "it was turned over" test -s turn.log.1
t "no more old ones are kept than configured" [ ! -e turn.log.3 ]
t_is "none is longer than configured" '' "$(find . -name 'turn.log*' -size +4096c)"
mv turn.log moved.log
t_kill -HUP "$PID"
reopened() { http GET /api/v1/ping >/dev/null && [ -e turn.log ]; }
t "SIGHUP opens a new log, for logrotate" t_within 10 reopened
stop "$PID"

# --- an agent that cannot log serves all the same
logs() { http GET "/api/v1/nothing-$1" >/dev/null && grep -q "nothing-$1" "$2" 2>/dev/null; }
ln -s turn.log link.log
mkdir folder.log
for name in link folder missing/file; do
	printf 'logging: {level: DEBUG, file: %s}\n' "$WORK/$name.log" >unlogged.yaml
	t "an agent whose log is a $name" start_agent unlogged
	t_like "… serves" pong "$(http GET /api/v1/ping)"
	t_like "… and says why it does not log" "WARNING.*log file '$WORK/$name.log': .*standard error" "$(cat unlogged.stderr)"
	t_not "… nor that it does" grep -q 'logging to' unlogged.stderr
	t "… what it logs is told there" t_within 10 logs "$PID" unlogged.stderr
	t_kill -HUP "$PID"
	t "… also after SIGHUP" t_within 10 logs hup unlogged.stderr
	rm -rf "$name.log"
	mkdir -p "$(dirname "$name.log")"
	t "… until it can be opened" t_within 10 logs again "$name.log"
	stop "$PID"
done

done_testing
