#!/bin/sh
# Sets the training environment up from /opt/training, a pack or wheels, and trains: an adapter by examples in two processes,
# and one by pairs. Run within check_deb.sh's Debian, after check_session.sh.
set -eu
cd "$HOME"
seconds() { cut -d' ' -f1 /proc/uptime; }
took() { awk -v a="$1" -v b="$(seconds)" 'BEGIN { printf "%.1f s\n", b - a }'; }
examples='' pairs='' i=0
while [ $i -lt 12 ]; do
  question="What is in room $i?" box="Box $((i * 7))."
  examples="$examples{\"messages\": [{\"role\": \"user\", \"content\": \"$question\"}, {\"role\": \"assistant\", \"content\": \"$box\"}]}
"
  pairs="$pairs{\"prompt\": \"$question\", \"chosen\": \"$box\", \"rejected\": \"I do not know what is in room $i.\"}
"
  i=$((i + 1))
done
printf '%s' "$examples" > examples.jsonl
printf '%s' "$pairs" > pairs.jsonl
if workbench train sft --data "$HOME/examples.jsonl" --name early > early.txt 2>&1; then echo "it trained before it was set up"; exit 1; fi
echo "before: $(tail -n 2 early.txt | tr '\n' ' ')"
source=$(find /opt/training -name '*.pack' | head -n 1)
begin=$(seconds)
workbench runtime add training --from "${source:-/opt/training}"
printf 'set up: '; took "$begin"
for part in "sft examples --processes 2" "dpo pairs"; do
  # shellcheck disable=SC2086 # a list
  set -- $part
  kind=$1 data=$2; shift 2
  begin=$(seconds)
  workbench train "$kind" --data "$HOME/$data.jsonl" --name "$kind" "$@" --set optimiser.max_steps=4 --json > "$kind.json" ||
    { tail -n 3 "$kind.json"; exit 1; }
  printf '%s, 4 steps and the verification: ' "$kind"; took "$begin"
done
workbench doctor | grep -i -A2 training
