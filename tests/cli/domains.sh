#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Domains of libvirt's test driver: finding them, picking the channel, the fleet.
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"

start_peer fake good
our=$(channel org.vsrpc.agent.0 "$SOCKET")
ga=$(channel org.qemu.guest_agent.0 /no/ga)
spice="<channel type='spicevmc'><target type='virtio' name='com.redhat.spice.0'/></channel>"
{
	domain web1 1 "$our"
	domain web2 2 "$ga" "$spice" "$(channel test.vserial.0 "$SOCKET")"
	domain db1 3 "$ga" "$spice"
	domain two 4 "$(channel a.b.0 "$SOCKET")" "$(channel c.d.0 /nowhere)"
	domain both 5 "$(channel a.b.0 /nowhere)" "$our"
	domain gone 6 "$(channel org.vsrpc.agent.0 /no/such/socket)"
	domain nosource 7 "$(channel org.vsrpc.agent.0)"
	domain ping 8 "$our"
	domain 77 9 "$our"
} | node node
sut() { quick -c "test://$WORK/node.xml" "$@"; }
if ! sut list >/dev/null 2>&1; then
	sut list 2>&1 | sed 's/^/# /'
	skip_all "this libvirt has no test driver"
fi

t "by name" sut web1 ping
t "by UUID" sut 11111111-2222-3333-4444-000000000001 ping
t "by id" sut 1 ping
t "a name that is a number" sut 77 ping
t "a domain called like a command" sut ping ping
t_status "an unknown name" 125 sut web3 ping
t_like "… with the nearest one" "did you mean 'web[12]'" "$ERR"
t "the only channel that is not reserved is taken" sut web2 ping
t_status "no channel but reserved ones" 125 sut db1 ping
t_like "… says so, with the command that adds one" "has no channel.*try: virsh -c test://$WORK/node.xml attach-device db1 /[^ ,]*/channel\.xml --live --config$" "${ERR//$'\n'/ }"
t_status "several that could be meant" 125 sut two ping
t_like "… are listed" "a\.b\.0, c\.d\.0" "$ERR"
t "--channel takes one" sut --channel a.b.0 two ping
printf 'connection: {channel: a.b.0}\nlogging: {file: none}\n' >channel.yaml
t "the configuration takes one" "$VSRPC" --config channel.yaml -c "test://$WORK/node.xml" two ping
t "our own name wins where it is there" sut both ping
t_status "--channel that is not there" 125 sut --channel x.y.0 two ping
t_like "… lists those that are" "a\.b\.0, c\.d\.0" "$ERR"
t_status "--channel that is libvirt's" 125 sut --channel org.qemu.guest_agent.0 db1 ping
t_status "a socket that has gone" 125 sut gone ping
t_like "… names domain and socket" "domain 'gone'.*/no/such/socket" "$ERR"
t_status "a channel without a socket" 125 sut nosource ping
t_like "… says so" "has no socket|does not" "$ERR"
t "LIBVIRT_DEFAULT_URI" env LIBVIRT_DEFAULT_URI="test://$WORK/node.xml" "$VSRPC" --config quick.yaml web1 ping
printf 'connection: {uri: "test://%s"}\nlogging: {file: none}\n' "$WORK/node.xml" >uri.yaml
t "connection.uri" "$VSRPC" --config uri.yaml web1 ping
# A domain in the wrong place: what is behind it is not meant for the guest behind
# the default socket.
while IFS='|' read -r line meant; do
	: >"$COUNTS"
	# shellcheck disable=SC2086 # they are several
	t_not "VIRTIO_SOCKET: $line" env VIRTIO_SOCKET="$SOCKET" "$VSRPC" --config quick.yaml -c "test://$WORK/node.xml" $line
	t_like "… is told the right order" "'web1' is a domain, which comes before the command.*try: vsrpc-virsh -c test://$WORK/node.xml $meant\$" "${ERR//$'\n'/ }"
	t_is "… and nothing was done" '' "$(cat "$COUNTS")"
done <<'END'
rm web1 /tmp/x|web1 rm /tmp/x
rm -r web1 /tmp/x|web1 rm -r /tmp/x
rm web1|web1 rm
ping web1|web1 ping
cat web1 /tmp/x|web1 cat /tmp/x
ls web1|web1 ls
mkdir web1 /tmp/x|web1 mkdir /tmp/x
stat web1 /tmp/x|web1 stat /tmp/x
edit web1 /tmp/x|web1 edit /tmp/x
exec web1 -- df -h|web1 exec -- df -h
exec web1 df|web1 exec df
exec -n web1 df|web1 exec -n df
upload web1 node.xml /tmp/x|web1 upload node.xml /tmp/x
download web1 /tmp/x .|web1 download /tmp/x \.
service web1 nginx stop|web1 service nginx stop
service web1 stop|web1 service stop
END
t_not "a name that a shell would split" env VIRTIO_SOCKET="$SOCKET" "$VSRPC" --config quick.yaml -c "test://$WORK/node.xml" rm web1 '/tmp/a b'
t_like "… is quoted in the right order" "web1 rm '/tmp/a b'" "$ERR"
# … in each form that a domain has, and behind files.
set -f # the patterns are ours
for word in web1 web1,web2 web1,nosuch nosuch,web2 'web*' 'we[b]?,nosuch*' 1 11111111-2222-3333-4444-000000000001; do
	while IFS='|' read -r line meant; do
		: >"$COUNTS"
		line=${line//@/$word}
		# shellcheck disable=SC2086 # they are several
		t_not "VIRTIO_SOCKET: $line" env VIRTIO_SOCKET="$SOCKET" "$VSRPC" --config quick.yaml -c "test://$WORK/node.xml" $line
		t_is "… is told the right order" "  try: vsrpc-virsh -c 'test://$WORK/node.xml' $word $meant" "$(tail -n 1 <<<"$ERR" | tr -d "'" | sed "s/-c \([^ ]*\)/-c '\1'/")"
		t_is "… and nothing was done" '' "$(cat "$COUNTS")"
	done <<'END'
upload @ node.xml /tmp/x|upload node.xml /tmp/x
upload node.xml @ /tmp/x|upload node.xml /tmp/x
upload -r node.xml quick.yaml @ /tmp/|upload -r node.xml quick.yaml /tmp/
rm @ /tmp/x|rm /tmp/x
exec @ df|exec df
service @ nginx stop|service nginx stop
END
done
set +f
# Without a default socket the domain is looked for, and never guessed.
while IFS='|' read -r line words meant; do
	# shellcheck disable=SC2086 # they are several
	t_not "no domain in front: $line" sut $line
	t_is "… is told the right order" "vsrpc-virsh: $words"$'\n'"  try: vsrpc-virsh -c test://$WORK/node.xml $meant" "$ERR"
done <<'END'
ping web1|'web1' is a domain, which comes before the command|web1 ping
upload node.xml web1 /tmp/x|'web1' is a domain, which comes before the command|web1 upload node.xml /tmp/x
exec -n web1 df|'web1' is a domain, which comes before the command|web1 exec -n df
upload node.xml /tmp/x|upload: no domain is given|DOMAIN upload node.xml /tmp/x
ping nosuch|ping: no domain is given|DOMAIN ping nosuch
exec df -h|exec: no domain is given|DOMAIN exec df -h
END
: >web2 # a file of that name is a file
for words in "-- node.xml web2" "node.xml web2"; do
	: >"$COUNTS"
	# shellcheck disable=SC2086 # they are several
	env VIRTIO_SOCKET="$SOCKET" "$VSRPC" --config quick.yaml -c "test://$WORK/node.xml" upload $words /tmp 2>err
	t "a file that is called as a domain goes: $words" [ -s "$COUNTS" ]
done
rm web2
while read -r line; do
	: >"$COUNTS"
	# shellcheck disable=SC2086 # they are several
	t_status "a wrong operand among right ones: $line" 2 sut web1 $line
	t_like "… is named" "path 'x' is not absolute" "$ERR"
	t_is "… and nothing was done" '' "$(cat "$COUNTS")"
done <<'END'
rm /tmp/a x /tmp/b
rm -rf /tmp/a x
cat /tmp/a x
ls /tmp x
mkdir -p /tmp/a x
stat x
edit x
upload node.xml x
download /tmp/a x .
END
t_status "a socket without a name" 2 quick --socket '' ping
t_like "… is said to be one" "the path is empty" "$ERR"
t "VIRTIO_SOCKET does not outvote a domain" env VIRTIO_SOCKET=/nowhere "$VSRPC" --config uri.yaml web1 ping

# --- a channel that is unplugged is not replaced by another one
t_peers=("$SOCKET" "$COUNTS" "$PID")
start_peer other good
other=$SOCKET others=$COUNTS
printf 'security: {allowed_commands: ["*"], allowed_paths: [%s]}\nrate_limit: {requests_per_second: 0, requests_per_minute: 0}\nlogging: {file: none}\n' "$WORK" >mine.yaml
mkdir there
head -c 3000000 /dev/zero >much
begun() { [ -n "$(ls -A there)" ]; } # the command sleeps: it is under way then
while read -r line; do
	start_agent mine
	domain only 1 "$(channel my.own.0 "$SOCKET")" | node unplugged
	read -ra words <<<"${line//@/$WORK/there/}"
	quick -c "test://$WORK/unplugged.xml" only "${words[@]}" >out 2>err </dev/null &
	victim=$!
	t_within 20 begun
	domain only 1 "$(channel another.0 "$other")" | node unplugged
	t_kill -KILL "$PID"
	wait "$PID" 2>/dev/null
	rm -f "$SOCKET"
	status=0
	wait "$victim" || status=$?
	t_like "unplugged: $line" '^(123|125)$' "$status"
	t_like "… says that it is gone" "has no channel 'my\.own\.0'" "$(cat err)"
	t_is "… and asks nobody else" '' "$(cat "$others")"
	rm -rf there && mkdir there
done <<'END'
exec -- sh -c >@x;sleep${IFS}3
upload --resume --limit-rate 500K much @much
END
SOCKET=${t_peers[0]} COUNTS=${t_peers[1]} PID=${t_peers[2]}

# --- several
t "a glob" sut 'web*' ping
t_is "… is one line for each, by name" "web1: web2: " "$(cut -c1-6 <<<"$OUT" | sort | tr -d '\n')"
t_like "… and a summary" "2 domains: 2 succeeded, 0 failed" "$ERR"
t "a listing of some" sut list 'web?,db1'
t_is "… has these and no others" $'db1\nweb1\nweb2' "$(sed 1d <<<"$OUT" | cut -d' ' -f1 | sort)"
t_status "a listing of nobody" 125 sut list nosuch
t_like "… says so" "'nosuch'" "$ERR"
while IFS='|' read -r name code state; do
	"$VSRPC" --config quick.yaml -c "test://$WORK/node.xml" --json "$name" ping >out 2>err </dev/null
	t_json "$name: the layer has a code, and the words a hint" "d['code'] == $code and (d['code'] == 0 or d['data']['error_type'] != 'CONNECTION_LOST' and d['data']['hint'] and d['data']['detail'] in open('err').read())" "$(cat out)"
	for order in "list $name" "$name list"; do
		# shellcheck disable=SC2086 # they are several
		OUT=$(sut --json $order 2>/dev/null)
		t_json "$order: … and so has the list" "len(d) == 1 and d[0]['name'] == '$name' and d[0]['state'] == '$state' and d[0].get('code', 0) == $code and d[0]['connected'] == ($code == 0)" "$OUT"
	done
done <<'END'
web1|0|connected
nosuch|6004|no such domain
db1|6007|no channel
two|6008|several channels
gone|6009|no socket
END
t_status "several names in front, and behind" 0 sut web1,web2 list gone
t_is "… are all of them" $'gone\nweb1\nweb2' "$(sed 1d <<<"$OUT" | cut -d' ' -f1 | sort)"
t "a list" sut 'web2,web1' exec -- echo ran
t_is "… with output per domain" "web1: ran web2: ran" "$(sort <<<"$OUT" | tr '\n' ' ' | sed 's/ $//')"
t "a list with a glob; nobody twice" sut 'web1,web?' ping
t_is "… two lines" 2 "$(wc -l <<<"$OUT")"
t_status "one of them fails" 1 sut 'web1,gone' ping
t_like "… named with its status" "2 domains: 1 succeeded, 1 failed \(gone: 125\)" "$ERR"
t_status "--all" 1 sut --all ping
t_is "--all takes those with a channel" "77 both ping web1 web2" "$(cut -d: -f1 <<<"$OUT" | sort | tr '\n' ' ' | sed 's/ $//')"
t_status "--quiet has no summary" 1 sut -q 'web1,gone' ping
t_is "… indeed" 0 "$(grep -c succeeded <<<"$ERR")"

# --- many: each connects to the one fake agent, which takes them in turn
i=0
while [ $i -lt 200 ]; do
	domain "vm$i" $((1000 + i)) "$our"
	i=$((i + 1))
done | node many
begin=$EPOCHREALTIME
t "list of 200 domains" quick --parallel 4 -c "test://$WORK/many.xml" list
took=$(since "$begin")
t_is "… shows all of them and a head" 201 "$(wc -l <<<"$OUT")"
t_is "… all answered" 200 "$(grep -c ' connected .*9\.9' <<<"$OUT")"
t "… in less than 20 s ($took)" soon "$took" 20
t "list --json" quick -c "test://$WORK/many.xml" --json list
t_json "… is an array of 200" "len(d) == 200 and d[0]['uuid'].startswith('11111111')" "$OUT"
t "200 domains with --parallel 5" quick -c "test://$WORK/many.xml" --parallel 5 --all ping
t_like "… all succeed" "200 domains: 200 succeeded, 0 failed" "$ERR"

done_testing
