# Runs as the server's own user, before any privilege is dropped: opens what the sandbox must get but may not reach by
# name, joins the session's cgroup if there is one, and becomes the rest of the command line.
#
# Arguments: directory of the session, file of the cgroup to join (or nothing), then the program to become.
cd "$1" || exit 125
exec 3>&1 4<xauthority 5<passwd 6<group || exit 125
if [ -n "$2" ]; then echo 0 >"$2" || exit 125; fi
shift 2
cd / || exit 125
exec "$@"
