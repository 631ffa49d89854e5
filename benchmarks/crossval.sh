#!/bin/sh
# Cross-validates the small model on RAVDESS reanimated, actors never seen, and once with a split that
# leaks, for comparison. It starts from a checkpoint that has seen pictures of strangers alone, which
# is the default one no more: the one of commit 7ca3bc3, or 'pictures' of default_model.sh. Goes on
# where it was interrupted; half an hour on two cores.
# usage, from the root of the repository:
#   benchmarks/crossval.sh ravdess_reanimated face_detection_yunet_2023mar.onnx PICTURES_CHECKPOINT OUTPUT
set -eu
data=$1 base=$3 output=$4
export REALTIME_MOOD_FACE_MODEL=$2

recipe="--recipe small --frame-interval-s 0.15 --frame-epochs 100 --repeats 4 --max-steps 120
    --frame-learning-rate 8e-4 --motion 100 --epochs 0 --motion-clips 3 --crop-jitter 2 --erase 0.15
    --ema 0.98 --keep last --precision bf16 --report-to none --resume"
# shellcheck disable=SC2086
trainer train $recipe --base-model "$base" --data "ravdess:$data" --cache "$output/crops" \
    --protocol random --fold 1 --output "$output/random-1"
# shellcheck disable=SC2086
trainer crossval $recipe --base-model "$base" --data "ravdess:$data" --cache "$output/crops" \
    --protocol 6fold --output "$output/6fold"
