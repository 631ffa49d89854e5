#!/bin/sh
# Makes the default checkpoint: two rounds of FER2013 arrays, then both corpora, whose recordings
# teach motion alone. RESUME=--resume goes on with an interrupted run. An hour on two cores for the
# first two rounds; the third took four minutes on an H100 and seven on two cores for its last layers.
# A GPU is used where there is one.
# The first round of the one that ships was trained by commit 86f1710, the second by commit abd9116,
# the third's frames by commit 95b8242, its layers by 90f3b2d.
# usage: benchmarks/default_model.sh fer2013_train_val.npz ravdess_reanimated face_detection_yunet_2023mar.onnx OUTPUT
set -eu
pictures=$1 recordings=$2 output=$4
export REALTIME_MOOD_FACE_MODEL=$3

round() {
    trainer train --recipe small --data "images:$pictures" --cache "$output/crops" \
        --landmarks 1 --epochs 0 --ema 0.998 --precision bf16 --report-to none ${RESUME:-} "$@"
}

round --no-steady --frame-epochs 14 --crop-jitter 3 --erase 0.25 --drop-path 0.05 \
    --output "$output/first"
round --no-steady --frame-epochs 10 --frame-learning-rate 8e-4 --crop-jitter 3 --erase 0.25 \
    --drop-path 0.05 --base-model "$output/first/checkpoint" --output "$output/pictures"
trainer train --recipe small --base-model "$output/pictures/checkpoint" \
    --data "ravdess:$recordings@20" --data "images:$pictures" --cache "$output/crops" \
    --test-actors 1,2,3,4 --validation-actors 5,6 --landmarks 1 --motion 50 --frame-epochs 21 \
    --frame-batch-size 256 --epochs 0 --motion-clips 4 --crop-jitter 2 --erase 0.15 \
    --drop-path 0.03 --ema 0.998 --keep last --precision bf16 --report-to none ${RESUME:-} \
    --output "$output/default"
