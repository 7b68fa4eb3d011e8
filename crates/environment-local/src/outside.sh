# Runs as the server's own user, before any privilege is dropped: opens what the sandbox must get but may not reach by
# name, joins the session's cgroups if there are any, and becomes the rest of the command line.
#
# Arguments: directory of the session; how many cgroups to join, and a file of each; then the program to become.
cd "$1" || exit 125
exec 3>&1 4<xauthority 5<passwd 10<group 7<seccomp-missing 8<seccomp-denied 9<seccomp-sockets || exit 125
# Open in both directions, so that nobody waits for the server. bash, because sh knows no descriptor above 9.
if [ -p sound ]; then exec 6<>sound || exit 125; fi
groups=$2
shift 2
while [ "$groups" -gt 0 ]; do
  echo 0 >"$1" || exit 125
  groups=$((groups - 1))
  shift
done
# When the whole host is out of memory, the kernel ends a session rather than the server.
echo 500 2>/dev/null >/proc/self/oom_score_adj
cd / || exit 125
exec "$@"
