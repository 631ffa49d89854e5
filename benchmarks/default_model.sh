#!/bin/sh
# Makes the default checkpoint in five rounds: FER2013 arrays alone (twice, the learning rate raised
# anew), then pairs of frames of recordings beside them (twice), last two layers that read motion.
# RESUME=--resume goes on with an interrupted run. An hour and three quarters on two cores.
# The rounds of the one that ships were trained by commits 86f1710, abd9116, cbaa639, 7ca3bc3 and the
# one that adds --motion-clips.
# usage: benchmarks/default_model.sh fer2013_train_val.npz ravdess_reanimated face_detection_yunet_2023mar.onnx OUTPUT
set -eu
pictures=$1 recordings=$2 output=$4
export REALTIME_MOOD_FACE_MODEL=$3

round() {
    trainer train --recipe small --cache "$output/crops" --epochs 0 --precision bf16 \
        --report-to none ${RESUME:-} "$@"
}

of_pictures() {
    round --data "images:$pictures" --no-steady --frame-interval-s 0.1 --landmarks 1 \
        --crop-jitter 3 --erase 0.25 --drop-path 0.05 --ema 0.998 "$@"
}

of_both() {
    round --data "ravdess:$recordings$weight" --data "images:$pictures" \
        --test-actors 1,2,3,4 --validation-actors 5,6 "$@"
}

of_pairs() {
    of_both --frame-interval-s 0.1 --landmarks 1 --frame-learning-rate 8e-4 \
        --crop-jitter 2 --erase 0.15 --drop-path 0.03 --ema 0.998 "$@"
}

of_pictures --frame-epochs 14 --output "$output/first"
of_pictures --frame-epochs 10 --frame-learning-rate 8e-4 --base-model "$output/first/checkpoint" \
    --output "$output/pictures"
weight=@30
of_pairs --motion 4 --frame-epochs 6 --base-model "$output/pictures/checkpoint" --output "$output/pairs"
weight=@15
of_pairs --motion 50 --frame-epochs 30 --max-steps 1400 --frame-batch-size 192 \
    --base-model "$output/pairs/checkpoint" --output "$output/more-pairs"
weight=
of_both --frame-interval-s 0.12 --motion-clips 8 --base-model "$output/more-pairs/checkpoint" \
    --output "$output/default"
