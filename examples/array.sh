#!/usr/bin/env bash
# An array of jobs that share a grid of experiments. Submit it again after a time limit, or with more
# jobs: nothing is done twice, and a trial of a job that was ended is taken up again.
#SBATCH --array=1-8
#SBATCH --time=04:00:00
#SBATCH --cpus-per-task=8
#SBATCH --signal=B:TERM@120
set -euo pipefail
protocol=${1:?usage: array.sh PROTOCOL.yaml DATA OUT}
data=${2:?usage: array.sh PROTOCOL.yaml DATA OUT}
out=${3:?usage: array.sh PROTOCOL.yaml DATA OUT}

# In place of this shell, so that the signal before the time limit reaches it: it saves its state.
exec imbsynth experiment "$protocol" --data "$data" --out "$out"
