#!/bin/sh
# Cross-validates the last round of an earlier default model on RAVDESS reanimated, a third as long,
# actors never seen, and once with a split that leaks, for comparison. It starts from a checkpoint that
# has seen pictures of strangers alone (`benchmarks/default_model.sh` leaves one in
# OUTPUT/pictures/checkpoint). Goes on where it was interrupted. A fold took four minutes on an H100,
# shared with five others, and six on two cores.
# Commands are those of .venv/bin: `source .venv/bin/activate` first.
# usage, from the root of the repository: benchmarks/crossval.sh ravdess_reanimated fer2013_train_val.npz CHECKPOINT face_detection_yunet_2023mar.onnx OUTPUT
set -eu
data=$1 pictures=$2 base=$3 output=$5
export REALTIME_MOOD_FACE_MODEL=$4

recipe="--recipe small --frame-interval-s 0.2 --landmarks 1 --motion 50 --frame-epochs 7
    --frame-batch-size 192 --epochs 0 --motion-clips 4 --crop-jitter 2 --erase 0.15 --drop-path 0.03 --ema 0.998
    --keep last --precision bf16 --report-to none --resume"
# shellcheck disable=SC2086
trainer crossval $recipe --base-model "$base" --data "ravdess:$data@30" \
    --data "images:$pictures" --cache "$output/crops" --protocol 6fold --output "$output/6fold"
# @24 rather than @30, for there are more recordings to learn from.
# shellcheck disable=SC2086
trainer train $recipe --base-model "$base" --data "ravdess:$data@24" \
    --data "images:$pictures" --cache "$output/crops" --protocol random --fold 1 \
    --output "$output/random-1"
