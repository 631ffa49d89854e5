#!/bin/sh
# Cross-validates the small model on RAVDESS reanimated, actors never seen, and once with a split that
# leaks, for comparison. It starts from the default checkpoint, which has seen pictures of strangers
# alone. Goes on where it was interrupted; an hour and a quarter on two cores.
# usage, from the root of the repository: benchmarks/crossval.sh ravdess_reanimated face_detection_yunet_2023mar.onnx OUTPUT
set -eu
data=$1 output=$3
export REALTIME_MOOD_FACE_MODEL=$2
base=assets/checkpoint

recipe="--recipe small --restart-time --motion 4 --epochs 3 --repeats 4 --learning-rate 1e-3
    --ema 0.99 --crop-jitter 2 --erase 0.1 --precision bf16 --report-to none --resume"
# shellcheck disable=SC2086
trainer crossval $recipe --base-model "$base" --data "ravdess:$data" --cache "$output/crops" \
    --protocol 6fold --output "$output/6fold"
# shellcheck disable=SC2086
trainer train $recipe --base-model "$base" --data "ravdess:$data" --cache "$output/crops" \
    --protocol random --fold 1 --output "$output/random-1"
