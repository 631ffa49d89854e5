#!/bin/sh
# Makes the default checkpoint, in four rounds; RESUME=--resume goes on with an interrupted run. Two
# and a half hours on two cores.
# 1, 2: single pictures, and where the parts of a face are in them, the learning rate raised anew.
# 3: pictures, and pairs of frames of recordings, and how a face has moved from one to the other.
# 4: clips of recordings, which a teacher of motion labels, and pictures as clips of two frames; two
#    layers more, and the first four as they are.
# Of the one that ships, commit 86f1710 trained round 1, commit abd9116 round 2.
# usage: benchmarks/default_model.sh RAVDESS fer2013.npz face_detection_yunet_2023mar.onnx OUTPUT
set -eu
recordings=$1 pictures=$2 output=$4
export REALTIME_MOOD_FACE_MODEL=$3

round() {
    name=$1
    shift
    trainer train --recipe small --output "$output/$name" --cache "$output/crops" \
        --frame-interval-s 0.1 --precision bf16 --report-to none ${RESUME:-} "$@"
}

of_pictures() {
    round "$@" --data "images:$pictures" --landmarks 1 --epochs 0 --crop-jitter 3 --erase 0.25 \
        --drop-path 0.05 --ema 0.998
}

of_both() {
    round "$@" --crop-jitter 2 --erase 0.15 --ema 0.998 \
        --test-actors 1,2,3,4 --validation-actors 5,6
}

of_pictures first --frame-epochs 14
of_pictures second --base-model "$output/first/checkpoint" --frame-epochs 10 \
    --frame-learning-rate 8e-4
of_both third --base-model "$output/second/checkpoint" --data "ravdess:$recordings@30" \
    --data "images:$pictures" --frame-epochs 6 --frame-learning-rate 8e-4 --epochs 0 \
    --motion 4 --landmarks 1 --drop-path 0.03
of_both default --base-model "$output/third/checkpoint" --data "ravdess:$recordings" \
    --data "images:$pictures@0.0686" --add-layers 2 --restart-time --frozen-layers 4 --epochs 4 \
    --batch-size 96 --still-frames 2 --motion 8 --teacher-labels 0.8 --keep last
