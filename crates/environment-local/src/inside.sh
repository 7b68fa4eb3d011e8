# Runs inside the sandbox as its pid 1: display, window manager, application. Ends when the server ends it or is gone, and the
# kernel then ends all the rest. Waiting also reaps what daemons leave behind.
#
# Arguments: the application and its arguments. Descriptor 0: the listening socket; 1: a socket to the server, for reports in
# one direction and commands in the other. The application has neither.

# Shells give background jobs /dev/null as stdin, and nothing but the display may hold the socket.
exec 8<&0 9>&1 </dev/null >/dev/null
umask 077

# Descriptor 6 is open if the session may have sound. The server of sound writes to a FIFO of its own while something plays, and
# drops what nobody reads; dd takes it to the server. It becomes ready while the display starts.
pulse=$XDG_RUNTIME_DIR/pulse
starting= pump= sound=
if true 2>/dev/null >&6; then
  mkdir "$pulse" && mkfifo "$pulse/out" || exit 125
  PULSE_RUNTIME_PATH=$pulse PULSE_STATE_PATH=$pulse pulseaudio -n --daemonize=yes --exit-idle-time=-1 --realtime=no \
    --high-priority=no --disallow-module-loading=yes --disable-shm=yes --log-target=null \
    -L "module-pipe-sink sink_name=session file=$pulse/out use_system_clock_for_timing=yes format=s16le rate=48000 channels=2" \
    -L "module-suspend-on-idle timeout=1" \
    -L "module-native-protocol-unix auth-anonymous=1 auth-cookie-enabled=0 socket=$pulse/native" 6>&- 8<&- 9>&- 2>/dev/null &
  starting=$!
  dd bs=3840 if="$pulse/out" >&6 8<&- 9>&- 2>/dev/null &
  pump=$!
  exec 6>&-
fi

# Only if they are missing: a kept home has the versions of its owner.
[ -e "$HOME/.Xdefaults" ] || cat >"$HOME/.Xdefaults" <<'RESOURCES'
XTerm*faceName: Monospace
XTerm*faceSize: 12
XTerm*background: #1d1f21
XTerm*foreground: #e6e6e6
XTerm*internalBorder: 6
XTerm*saveLines: 5000
XTerm*selectToClipboard: true
XTerm*VT100.translations: #override \
  Ctrl Shift <Key>C: copy-selection(CLIPBOARD) \n\
  Ctrl Shift <Key>V: insert-selection(CLIPBOARD)
RESOURCES
[ -e "$HOME/.bashrc" ] || cat >"$HOME/.bashrc" <<'BASHRC'
PS1='\w\$ '
alias ls='ls --color=auto'
BASHRC

# The display writes its number once clients can connect. Xtigervnc itself uses descriptor 3 in this mode.
# MaxCutText is above the relay's limit, which does not count the CRs that the tab adds. Only the clipboard is shared:
# marking a text must not copy it, and applications drop their selection when another client takes PRIMARY.
mkfifo /tmp/.display || exit 125
Xtigervnc "$DISPLAY" -inetd -auth "$XAUTHORITY" -SecurityTypes None -nolisten tcp -nolisten local -noreset \
  -depth 24 -geometry 1280x800 -AlwaysShared=1 -MaxCutText=4194304 -SendPrimary=0 -SetPrimary=0 \
  -desktop "$1" -displayfd 7 <&8 7>/tmp/.display 8<&- 9>&- &
server=$!
exec 8<&-
read -r display </tmp/.display || { echo "the display did not start" >&2; exit 125; }
rm -f /tmp/.display

# Without this map, only 19 characters that are not on a US keyboard could be typed. It loads while the application starts.
printf %s "$KEYMAP" | xkbcomp -w0 - "$DISPLAY" 9>&- 2>/dev/null &
keymap=$!
unset KEYMAP
# An empty file of shortcuts, because all keys belong to the application. The default file closes windows and starts programs.
matchbox-window-manager -use_titlebar no -kbdconfig /dev/null 9>&- 2>/dev/null &
manager=$!
# The application looks for the server of sound once, at its start.
if [ -n "$starting" ]; then
  if wait "$starting" && read -r sound <"$pulse/pid"; then echo sound >&9; else kill "$pump"; fi
fi
"$@" 9>&- &
application=$!
# If nobody reads this, the server died while the sandbox was being built.
echo ready >&9 || exit 125

# Reports the windows at each change. "-f" makes the names known to the display, which the window manager may not have done.
xprop -root -notype -spy -f _NET_CLIENT_LIST 32x -f _NET_ACTIVE_WINDOW 32x _NET_CLIENT_LIST _NET_ACTIVE_WINDOW \
  >&9 2>/dev/null 9>&- &
windows=$!

# Ends when the server is gone.
obey() {
  while read -r command window; do
    case $command in
      titles) wmctrl -l ;;
      activate) wmctrl -i -a "$window" ;;
      close) wmctrl -i -c "$window" ;;
    esac </dev/null
  done
}
obey <&9 >&9 2>/dev/null 9>&- &
commands=$!

# Now, so that no launch waits for it.
if [ -n "$CUPS_SERVER" ] && prepare_printing 2>/dev/null; then
  /usr/sbin/cupsd -f -c "$print_folder/cupsd.conf" -s "$print_folder/cups-files.conf" 2>/dev/null 9>&- &
  printer=$!
  report_prints 2>/dev/null &
  prints=$!
fi

wait "$application"
code=$?
# A launcher may have left the application behind. Without /proc that is unknown.
others=0
[ -d /proc/1 ] || others=1
for process in /proc/[0-9]*; do
  case ${process#/proc/} in
    1 | "$sound" | "$pump" | "$server" | "$keymap" | "$manager" | "$windows" | "$commands" | "$printer" | "$prints") continue ;;
  esac
  # A process that has ended has no command line.
  line=
  read -r line 2>/dev/null <"$process/cmdline"
  [ -n "$line" ] && others=1
done
echo "exited $code $others" >&9
exec 9>&-
wait "$commands"
