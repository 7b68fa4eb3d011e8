# The printer of a session, "PDF": cupsd as the session's own user, with a socket of its own and everything in /tmp. A job
# becomes a file in ~/Printed. This file comes before inside.sh, which calls it once the application runs.

print_folder=/tmp/.cups

# Prepares the printer in $print_folder.
prepare_printing() {
  mkdir -p "$print_folder/bin/backend" "$print_folder/ppd" "$print_folder/spool" "$print_folder/cache" "$print_folder/state" || return
  # cupsd starts each filter with a program of its own.
  ln -s /usr/lib/cups/filter /usr/lib/cups/daemon "$print_folder/bin" || return
  mkfifo "$print_folder/done" || return
  cat >"$print_folder/cups-files.conf" <<FILES
ServerRoot $print_folder
ServerBin $print_folder/bin
DataDir /usr/share/cups
CacheDir $print_folder/cache
StateDir $print_folder/state
RequestRoot $print_folder/spool
TempDir $print_folder/spool
AccessLog /dev/null
PageLog /dev/null
ErrorLog $print_folder/error_log
User user
Group user
SystemGroup user
FILES
  # A failed job must not stop the printer. Only processes of this session reach the socket, and all are of one user.
  cat >"$print_folder/cupsd.conf" <<SERVER
Listen $CUPS_SERVER
LogLevel warn
MaxLogSize 100k
Browsing No
WebInterface No
DefaultAuthType None
ErrorPolicy abort-job
PreserveJobFiles No
PreserveJobHistory No
<Location />
  Order allow,deny
  Allow all
</Location>
<Policy default>
  JobPrivateAccess all
  JobPrivateValues none
  SubscriptionPrivateAccess all
  SubscriptionPrivateValues none
  <Limit All>
    Order deny,allow
  </Limit>
</Policy>
SERVER
  cat >"$print_folder/printers.conf" <<'PRINTER'
<DefaultPrinter PDF>
Info PDF in the folder Printed
DeviceURI pdf:/
State Idle
Accepting Yes
ErrorPolicy abort-job
</DefaultPrinter>
PRINTER
  describe_printer >"$print_folder/ppd/PDF.ppd"
  cat >"$print_folder/bin/backend/pdf" <<'BACKEND'
#!/bin/bash
# Arguments: job, user, title, copies, options. The PDF comes on descriptor 0.
[ $# = 0 ] && { echo 'file pdf:/ "PDF" "PDF"'; exit 0; }
export LC_ALL=C.UTF-8
report() { printf '%s\n' "$1" 1<>/tmp/.cups/done; }
failed() { rm -f "$part"; report not-printed; exit 1; }
# A name of a file that people can read: no folder, and no character that draws nothing or turns a text around.
name=${3//[[:cntrl:]\/]/_}
name=${name//[$'\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b'-$'\u180f\u200b'-$'\u200f\u2028'-$'\u202e\u2060'-$'\u206f\u3164\ufe00'-$'\ufe0f\ufeff\uffa0\ufff0'-$'\ufffb']/}
name=${name%.[Pp][Dd][Ff]}
name=${name:0:60}
while [ "${name:0:1}" = . ] || [ "${name:0:1}" = ' ' ]; do name=${name:1}; done
while [ "${name: -1}" = ' ' ]; do name=${name:0:-1}; done
[ -n "$name" ] || name=Print
# cupsd has changed HOME.
folder=~user/Printed
part=$folder/.$1.$$.part
mkdir -p "$folder" && cat >"$part" || failed
# A filter that failed leaves no PDF, or the start of one.
[ "$(head -c 5 "$part")" = %PDF- ] && tail -c 64 "$part" | grep -aq %%EOF || failed
chmod 600 "$part"
# A link never replaces a file.
target=$name.pdf number=1
until ln "$part" "$folder/$target" 2>/dev/null; do
  number=$((number + 1))
  [ $number -le 999 ] && [ -e "$folder/$target" ] || failed
  target="$name ($number).pdf"
done
rm -f "$part"
report "printed $target"
BACKEND
  chmod 700 "$print_folder/bin/backend/pdf"
}

# Its description: a printer that takes PDF as it is, in the paper size of the user's country.
describe_printer() {
  paper=A4
  [ "$(locale height 2>/dev/null)" = 279 ] && paper=Letter
  cat <<'DESCRIPTION'
*PPD-Adobe: "4.3"
*FormatVersion: "4.3"
*FileVersion: "1.0"
*LanguageVersion: English
*LanguageEncoding: ISOLatin1
*PCFileName: "PDF.PPD"
*Manufacturer: "Generic"
*Product: "(PDF)"
*ModelName: "PDF"
*ShortNickName: "PDF"
*NickName: "PDF"
*PSVersion: "(3010.000) 0"
*LanguageLevel: "3"
*ColorDevice: True
*DefaultColorSpace: RGB
*cupsVersion: 2.4
*cupsFilter2: "application/vnd.cups-pdf application/pdf 0 -"
DESCRIPTION
  for keyword in PageSize PageRegion; do
    printf '*OpenUI *%s/Page Size: PickOne\n*Default%s: %s\n' $keyword $keyword $paper
    each_paper '*%s %s: "<</PageSize[%s %s]/ImagingBBox null>>setpagedevice"\n' $keyword
    printf '*CloseUI: *%s\n' $keyword
  done
  printf '*DefaultImageableArea: %s\n*DefaultPaperDimension: %s\n' $paper $paper
  each_paper '*%s %s: "0 0 %s %s"\n' ImageableArea
  each_paper '*%s %s: "%s %s"\n' PaperDimension
}

# Prints a line for each size of paper: the keyword, the name, and width and height in points.
each_paper() {
  for size in 'A3 842 1191' 'A4 595 842' 'A5 420 595' 'Legal 612 1008' 'Letter 612 792'; do
    # shellcheck disable=SC2059,SC2086 # The format is an argument, and the size is three words.
    printf "$1" "$2" $size
  done
}

# Reports each print as a line on descriptor 9, until the server is gone.
report_prints() {
  while read -r line; do
    printf '%s\n' "$line" >&9 || return
  done 0<>"$print_folder/done"
}

