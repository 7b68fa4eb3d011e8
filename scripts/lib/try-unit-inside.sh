#!/bin/bash
# Runs as root inside the virtual machine of scripts/try-unit. Prints its checks. The last line says whether all of them
# passed.
set -u

url=http://127.0.0.1:3000
cookies=/root/cookies
failures=0

check() { # title, expected pattern, found text
    if grep -qE -- "$2" <<<"$3"; then
        printf 'ok      %s: %s\n' "$1" "$3"
    else
        printf 'WRONG   %s: %s (expected %s)\n' "$1" "$3" "$2"
        failures=$((failures + 1))
    fi
}
api() { # method, path, [json]
    curl -sS -m 60 -b $cookies -H "Origin: $url" -X "$1" "$url$2" ${3:+-H 'Content-Type: application/json' -d "$3"}
}
field() { sed -nE "s/.*\"$1\":\"([^\"]*)\".*/\1/p"; }
cli() { runuser -u cloud-delivery -- env CLOUD_DELIVERY_DATA_DIR=/var/lib/cloud-delivery /opt/cloud-delivery/bin/cloud-delivery "$@"; }
launch() { # application: prints the id of the session
    local application
    application=$(api GET /api/v1/applications | tr '{' '\n' | grep "\"name\":\"$1\"" | field id)
    api POST /api/v1/sessions "{\"application_id\":\"$application\"}" | field id
}
until_status() { # id, pattern: prints the session
    local session=
    for _ in $(seq 240); do
        session=$(api GET "/api/v1/sessions/$1")
        grep -qE "\"status\":\"($2)\"" <<<"$session" && break
        sleep 1
    done
    echo "$session"
}
healthz() { # number of requests: prints the median and the slowest in ms
    for _ in $(seq "$1"); do
        curl -sS -m 30 -o /dev/null -w '%{time_total}\n' "$url/healthz"
        sleep 0.1
    done | sort -n | awk '{ all[NR] = $1 } END { printf "median %d ms, slowest %d ms of %d", 1000 * all[int((NR + 1) / 2)], 1000 * all[NR], NR }'
}

echo '== try-unit begins'
systemctl --version | head -1
uname -r
for _ in $(seq 120); do
    systemctl is-active --quiet cloud-delivery && break
    sleep 1
done
check 'the unit' '^active$' "$(systemctl is-active cloud-delivery)"
if [ $failures != 0 ]; then
    journalctl -u cloud-delivery -o cat | tail -20
    echo '== try-unit ends: the unit does not start'
    exit
fi
unit=/sys/fs/cgroup$(systemctl show -P ControlGroup cloud-delivery)
pid=$(systemctl show -P MainPID cloud-delivery)
check 'group of the server' 'cloud-delivery.service/server$' "$(cat /proc/"$pid"/cgroup)"
check 'controllers below the unit' 'cpu memory pids' "$(cat "$unit/cgroup.subtree_control")"
check readyz 'Limits per session: 2 GiB memory, 512 processes, CPU share, no swap' "$(curl -sS $url/readyz | tail -1)"
journalctl -u cloud-delivery -o cat | grep -iE 'limit|user of its own|warn' | head

curl -sS -o /dev/null -c $cookies -H "Origin: $url" --data-urlencode username=admin --data-urlencode password=try-the-unit -d next=/ $url/login
fork='for (1..4000) { my $child = fork; if (defined $child && !$child) { sleep 60; exit } } sleep 5; exit 9'
cli application add 'Fork bomb' -- perl -e "$fork"
cli application add 'Memory bomb' -- perl -e 'my ($size, @all) = 16 << 20; push @all, "x" x $size for 1..256; exit 5'
cli application add 'Namespaces' -- sh -c 'unshare --user true && exit 11; unshare --user --map-root-user mount -t tmpfs none /tmp && exit 12; exit 7'
sleep 3

neighbour=$(launch Terminal)
check 'a terminal' '"status":"active"' "$(until_status "$neighbour" 'active|error')"
group=$(find "$unit" -type d -name "$neighbour")
for file in memory.max memory.swap.max memory.oom.group pids.max pids.current cpu.weight; do
    printf '        %s = %s\n' "$file" "$(cat "$group/$file")"
done
check 'memory of a session' '^2147483648$' "$(cat "$group/memory.max")"
check 'swap of a session' '^0$' "$(cat "$group/memory.swap.max")"
check 'processes of a session' '^512$' "$(cat "$group/pids.max")"
check 'memory of all sessions' '^[0-9]+$' "$(cat "$group/../memory.max")"
check 'users of its processes' '^18791[0-9]+$' "$(for each in $(cat "$group/cgroup.procs"); do stat -c %u /proc/"$each"; done | sort -u)"
check 'their capabilities' '^CapEff:.0000000000000000$' "$(for each in $(cat "$group/cgroup.procs"); do grep CapEff /proc/"$each"/status; done | sort -u)"
check 'its server of sound' '^pulseaudio$' "$(for each in $(cat "$group/cgroup.procs"); do cat /proc/"$each"/comm; done | grep pulse)"

id=$(launch Namespaces)
check 'user namespaces' 'the application ended with status 7' "$(until_status "$id" 'error|expired' | field error)"

printf '        healthz at rest: %s\n' "$(healthz 20)"
id=$(launch 'Fork bomb')
printf '        healthz beside a fork bomb: %s\n' "$(healthz 40)"
check 'a fork bomb' 'it had reached its limit of 512 processes' "$(until_status "$id" 'error|expired' | field error)"
id=$(launch 'Memory bomb')
printf '        healthz beside a memory bomb: %s\n' "$(healthz 40)"
check 'a memory bomb' '^Ended: it used more than its 2 GiB of memory\.$' "$(until_status "$id" 'error|expired' | field error)"

check 'the neighbour' '"status":"active"' "$(until_status "$neighbour" 'active')"
check 'the same server' "^$pid\$" "$(systemctl show -P MainPID cloud-delivery)"
groups=$(find "$unit"/cloud-delivery-sessions -mindepth 1 -type d | wc -l)
check 'groups that are left' '^1$' "$groups"
systemctl restart cloud-delivery
check 'after a restart' '^active$' "$(systemctl is-active cloud-delivery)"
check 'limits after a restart' '512 processes, CPU share, no swap' "$(curl -sS $url/readyz | tail -1)"
if [ $failures = 0 ]; then
    echo '== try-unit ends: all checks passed'
else
    journalctl -u cloud-delivery -o cat | tail -40
    echo "== try-unit ends: $failures checks failed"
fi
