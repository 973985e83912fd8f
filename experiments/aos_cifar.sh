#!/usr/bin/env bash
# How far, and how often, should AOS move images? CIFAR-10 at rho 50, mu 0.8. Run it again and
# it resumes.
#   experiments/aos_cifar.sh DATA OUT [SEED ...]     DATA holds cifar10/train and cifar10/test
set -euo pipefail
data=${1:?usage: aos_cifar.sh DATA OUT [SEED ...]} out=${2:?}
shift 2
parts=$out/parts
mkdir -p "$out"

[ -e "$out/rare" ] ||
    imbsynth imbalance "$data/cifar10/train" "$out/rare" --ratio 50 --minority-fraction 0.8 -q
[ -e "$parts" ] || imbsynth split "$out/rare" "$parts" --fractions 0.8,0.2 -q

trial() { # name, seed, options
    local name=$1-$2 seed=$2
    shift 2
    [ -e "$out/scores/$name" ] && return
    imbsynth aos-train "$parts/train" --val "$parts/test" --out "$out/runs/$name.safetensors" "$@" \
        --augment none --epochs 6 --images-per-epoch 10000 --precision fp32 --seed "$seed" --resume -q
    imbsynth evaluate "$out/runs/$name.safetensors" "$data/cifar10/test" --out "$out/scores/$name" -q
}
for seed in "${@:-0}"; do
    trial ros "$seed" --oversample ros
    for epsilon in 0.005 0.01 0.02 0.03 0.05 0.1; do
        trial "aos-e$epsilon-t0.4" "$seed" --epsilon $epsilon --tau 0.4
    done
    for tau in 0.2 0.8; do trial "aos-e0.02-t$tau" "$seed" --epsilon 0.02 --tau $tau; done
done
