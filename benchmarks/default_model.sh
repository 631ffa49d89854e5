#!/bin/sh
# Makes the default checkpoint of FER2013 arrays, in two rounds of the learning rate; RESUME=--resume
# goes on with an interrupted run. An hour on two cores.
# The first round of the one that ships was trained by commit 86f1710, the second by commit abd9116.
# usage: benchmarks/default_model.sh fer2013_train_val.npz face_detection_yunet_2023mar.onnx OUTPUT
set -eu
data=$1 output=$3
export REALTIME_MOOD_FACE_MODEL=$2

round() {
    trainer train --recipe small --data "images:$data" --cache "$output/crops" --no-steady \
        --frame-interval-s 0.1 --landmarks 1 --epochs 0 --crop-jitter 3 --erase 0.25 \
        --drop-path 0.05 --ema 0.998 --precision bf16 --report-to none ${RESUME:-} "$@"
}

round --frame-epochs 14 --output "$output/first"
round --frame-epochs 10 --frame-learning-rate 8e-4 --base-model "$output/first/checkpoint" \
    --output "$output/default"
