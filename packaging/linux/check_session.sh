#!/bin/sh
# The first minutes of a person with the installed program: an answer from a document, with a citation.
# Run within check_deb.sh's Debian.
set -eu
cd "$HOME"
seconds() { cut -d' ' -f1 /proc/uptime; }
took() { awk -v a="$1" -v b="$(seconds)" 'BEGIN { printf "%.1f s\n", b - a }'; }
printf 'The pump P-7 was installed in 2019. Its warranty runs for 36 months from delivery.\n\nThe filter of the pump is changed every six weeks.\n' > pump.txt
begin=$(seconds)
workbench models starter
workbench docs create manuals
workbench docs add manuals "$HOME/pump.txt"
workbench ask "How long is the warranty of the pump?" --collection manuals --json > answer.json
printf 'first answer after '; took "$begin"
tail -n 1 answer.json | head -c 600; echo
grep -q '"citations":\[{' answer.json || { echo "no citation"; exit 1; }
workbench doctor
workbench status
