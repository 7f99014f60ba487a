#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A server that knows only the specification (tests/peer/specified.py), over a real
# port: the guest's second one, which its agent leaves to it. Python is this machine's,
# with what the server imports.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

server=$(dirname "$0")/../../peer/specified.py
python=$(python3 -c 'import os, sys; print(os.path.realpath(sys.executable))')
copy() { # FILE…: into the folder that is taken to the guest
	cp -L --parents "$@" python/
}
mkdir python
python3 - >modules <<'END'
import base64, encodings.ascii, encodings.latin_1, grp, hashlib, json, os, pwd, shlex, socket, subprocess, sys, urllib.parse
print(*{m.__file__ for m in list(sys.modules.values()) if os.path.exists(getattr(m, "__file__", None) or "")}, sep="\n")
END
mapfile -t modules <modules
mapfile -t libraries < <(ldd "$python" "${modules[@]}" 2>/dev/null | awk '/=> \//{ print $3 }' | sort -u)
copy "$python" "${modules[@]}" "${libraries[@]}"
cp "$server" python/server.py
folders=$(printf '%s\n' "${libraries[@]%/*}" | sort -u | sed 's|^|/tmp/spec|' | paste -sd :)
prefix=$(python3 -c 'import sys; print(sys.base_prefix)')

agent() { "$VSRPC" -q "$DOMAIN" "$@"; }
spec() { "$VSRPC" --channel test.vserial.0 "$DOMAIN" "$@"; }
on_port() { # whoever serves it
	agent exec -n --shell -- "grep -alz '^/dev/virtio-ports/test.vserial.0' /proc/[0-9]*/cmdline | cut -d/ -f3 | grep -vx \$\$ | xargs"
}
give_back() {
	agent exec -n --shell -- "[ ! -e /sbin/agent-run.old ] || mv /sbin/agent-run.old /sbin/agent-run; kill -9 $(on_port); rm -rf /tmp/spec" >/dev/null
}
t "python is there" agent upload -r python /tmp/spec
t_finally give_back
# init starts it again: from now on the other one.
t "the server takes the port" agent exec -n --shell -- "cp /sbin/agent-run /sbin/agent-run.old
cat >/sbin/agent-run.new <<'END'
#!/bin/sh
[ \"\$1\" = test.vserial.0 ] || exec /sbin/agent-run.old \"\$@\"
cd /tmp/spec
LD_LIBRARY_PATH=$folders PYTHONHOME=/tmp/spec$prefix exec /tmp/spec$python server.py /dev/virtio-ports/\$1 /tmp/spec/counts >/tmp/spec/log 2>&1
END
chmod 755 /sbin/agent-run.new && mv /sbin/agent-run.new /sbin/agent-run && kill -9 $(on_port)"
t "it answers" t_within 20 spec ping

t "ping" "$VSRPC" -v --channel test.vserial.0 "$DOMAIN" ping
t_like "… with what is missing" "knows only the specification" "$ERR"
t "info" spec info
t_json "… of its kernel" "d['data']['hostname'] == 'spec'" "$OUT"
t_status "exec" 7 spec exec -n -- sh -c 'echo "a  b"; echo e >&2; exit 7'
t_is "…" "a  b" "$OUT"
head -c 300000 /dev/urandom >file
t "upload" spec upload file /tmp/spec/there
t "download" spec download /tmp/spec/there back
t "… is the same" cmp file back
t_is "… in the guest, too" "$(md5sum <file)" "$(agent exec -n -- md5sum /tmp/spec/there | sed 's/  .*/  -/')"
t_status "what it has not" 125 spec ls /tmp
t_like "… is told" "knows only the specification" "$ERR"
done_testing
