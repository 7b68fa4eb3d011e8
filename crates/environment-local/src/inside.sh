# Runs inside the sandbox as its pid 1: display, window manager, application. Ends when the application ends, and the
# kernel then ends all the rest. Waiting also reaps what daemons leave behind.
#
# Arguments: the application and its arguments. Descriptor 0: the listening socket; 1: where "ready" is written.

# Shells give background jobs /dev/null as stdin, and nothing but the display may hold the socket.
exec 8<&0 9>&1 </dev/null >/dev/null
umask 077

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

# The display writes its number once clients can connect. Xtigervnc itself uses descriptor 3 in this mode. MaxCutText is
# above the relay's limit, which also counts the CRs that the tab adds. SendPrimary=0: marking a text copies nothing.
mkfifo /tmp/.display || exit 125
Xtigervnc "$DISPLAY" -inetd -auth "$XAUTHORITY" -SecurityTypes None -nolisten tcp -nolisten local -noreset \
  -depth 24 -geometry 1280x800 -AlwaysShared=1 -MaxCutText=4194304 -SendPrimary=0 \
  -desktop "$1" -displayfd 7 <&8 7>/tmp/.display 8<&- 9>&- &
exec 8<&-
read -r display </tmp/.display || { echo "the display did not start" >&2; exit 125; }
rm -f /tmp/.display

# Without this map, only 19 characters that are not on a US keyboard could be typed. It loads while the application starts.
printf %s "$KEYMAP" | xkbcomp -w0 - "$DISPLAY" 9>&- 2>/dev/null &
unset KEYMAP
# An empty file of shortcuts, because all keys belong to the application. The default file closes windows and starts programs.
matchbox-window-manager -use_titlebar no -kbdconfig /dev/null 9>&- 2>/dev/null &
"$@" 9>&- &
application=$!
# If nobody reads this, the server died while the sandbox was being built.
echo ready >&9 || exit 125
exec 9>&-
wait "$application"
