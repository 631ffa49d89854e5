#!/bin/sh
# Makes the default checkpoint: two rounds of FER2013 arrays, then three of both corpora, whose
# recordings teach motion alone; in the last two, faces that are hidden teach to be unsure. Each of
# these begins with the single frames of the one before; the last one's layers of motion are what is
# kept. RESUME=--resume goes on with an interrupted round. An hour on two cores for the first two,
# four minutes on an H100 for the third one's frames, and half an hour on two cores for the others.
# A GPU is used where there is one.
# The rounds of the one that ships were trained by commits 86f1710, abd9116, 95b8242 and, the last
# two, COMMIT.
# usage, from the root of the repository: benchmarks/default_model.sh fer2013_train_val.npz ravdess_reanimated face_detection_yunet_2023mar.onnx OUTPUT
set -eu
pictures=$1 recordings=$2 output=$4
export REALTIME_MOOD_FACE_MODEL=$3

round() {
    trainer train --recipe small --data "images:$pictures" --cache "$output/crops" \
        --landmarks 1 --epochs 0 --ema 0.998 --precision bf16 --report-to none ${RESUME:-} "$@"
}

both() {
    trainer train --recipe small --data "ravdess:$recordings@20" --data "images:$pictures" \
        --cache "$output/crops" --test-actors 1,2,3,4 --validation-actors 5,6 --landmarks 1 \
        --motion 50 --epochs 0 --motion-clips 4 --crop-jitter 2 --erase 0.15 --drop-path 0.03 \
        --ema 0.998 --keep last --precision bf16 --report-to none ${RESUME:-} "$@"
}

frames_of() {
    [ -d "$output/$1-frames" ] ||
        python benchmarks/frames_checkpoint.py "$output/$1" "$output/pictures/checkpoint" "$output/$1-frames"
}

round --no-steady --frame-epochs 14 --crop-jitter 3 --erase 0.25 --drop-path 0.05 \
    --output "$output/first"
round --no-steady --frame-epochs 10 --frame-learning-rate 8e-4 --crop-jitter 3 --erase 0.25 \
    --drop-path 0.05 --base-model "$output/first/checkpoint" --output "$output/pictures"
both --frame-epochs 21 --frame-batch-size 256 \
    --base-model "$output/pictures/checkpoint" --output "$output/motion"
frames_of motion
both --frame-epochs 3 --frame-learning-rate 5e-4 --frame-batch-size 192 --hide 0.15 \
    --base-model "$output/motion-frames" --output "$output/hidden"
frames_of hidden
both --frame-epochs 4 --frame-learning-rate 4e-4 --frame-batch-size 192 --hide 0.12 \
    --base-model "$output/hidden-frames" --output "$output/default"
