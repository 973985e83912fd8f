#!/bin/sh
# Which loss of the autoencoder makes images that are told from real ones least? An epoch takes as long with each.
#
#     experiments/sharper.sh TRAIN OUT EPOCHS
#
# OUT/LOSS-DECODE.json are reports of `imbsynth audit`, OUT/LOSS-DECODE/samples.png are pictures.
set -eu
train=$1 out=$2 epochs=$3
mkdir -p "$out"
for loss in mse censored-mse censored-l1; do
  ae=$out/$loss.safetensors
  [ -e "$ae" ] || imbsynth train-ae "$train" --out "$ae" --loss $loss --epochs "$epochs" --penalty none --resume
  for decode in plain residual; do
    made=$out/$loss-$decode
    [ -e "$made" ] || imbsynth generate "$train" "$made" --ae "$ae" --decode $decode --share 0.5
    # The limits are open: the numbers are wanted, no verdict.
    [ -e "$made.json" ] || imbsynth audit "$made" --max-auroc 1 --min-fidelity 0 --max-near-copies 1 --json > "$made.part"
    [ ! -e "$made.part" ] || mv "$made.part" "$made.json"
  done
done
