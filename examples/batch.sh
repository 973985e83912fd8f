#!/usr/bin/env bash
# A batch job: balance SRC into OUT/balanced. Submit it again after a time limit, and it resumes.
#SBATCH --time=04:00:00
#SBATCH --cpus-per-task=8
#SBATCH --signal=B:TERM@120
set -euo pipefail
src=${1:?usage: batch.sh SRC OUT}
out=${2:?usage: batch.sh SRC OUT}
mkdir -p "$out"

# The signal before the time limit reaches this shell: forward it, and wait until the state is saved.
run() {
    "$@" &
    local child=$! code=0
    trap 'kill -TERM "$child"' TERM
    wait "$child" || code=$?
    while kill -0 "$child" 2>/dev/null; do wait "$child" || code=$?; done
    trap - TERM
    return "$code"
}

run imbsynth train-ae "$src" --out "$out/ae.safetensors" --epochs "${EPOCHS:-200}" --resume
if [ ! -e "$out/balanced/run.json" ]; then
    run imbsynth generate "$src" "$out/balanced" --ae "$out/ae.safetensors" --json > "$out/result.json"
fi
