#!/usr/bin/env bash
# Does balancing help on MNIST at rho 60, mu 0.8? Every trial once; run it again and it resumes.
#   experiments/aos_mnist.sh DATA OUT [AUGMENT]     DATA holds mnist/train and mnist/test
set -euo pipefail
data=${1:?usage: aos_mnist.sh DATA OUT [AUGMENT]} out=${2:?} augment=${3:-none}
parts=$out/parts
mkdir -p "$out"

[ -e "$out/rare" ] ||
    imbsynth imbalance "$data/mnist/train" "$out/rare" --ratio 60 --minority-fraction 0.8 -q
[ -e "$parts" ] || imbsynth split "$out/rare" "$parts" --fractions 0.8,0.2 -q
[ -e "$out/ae.safetensors" ] ||
    imbsynth train-ae "$parts/train" --out "$out/ae.safetensors" --epochs 10 --resume -q
[ -e "$out/deepsmote" ] ||
    imbsynth generate "$parts/train" "$out/deepsmote" --ae "$out/ae.safetensors" --decode plain -q

trial() { # method, seed, folder, how to oversample
    local clf=$out/$augment/$1-$2.safetensors
    [ -e "$out/scores/$augment/$1-$2" ] && return
    imbsynth aos-train "$3" --val "$parts/test" --out "$clf" --oversample "$4" --tau 0.6 \
        --epsilon 0.03 --augment "$augment" --epochs 8 --images-per-epoch 10000 --precision fp32 \
        --seed "$2" --resume -q
    imbsynth evaluate "$clf" "$data/mnist/test" --out "$out/scores/$augment/$1-$2" -q
}
for seed in 0 1 2; do
    for method in none ros smote aos; do trial $method $seed "$parts/train" $method; done
    trial deepsmote $seed "$out/deepsmote" none
done
