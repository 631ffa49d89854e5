#!/bin/sh
# Makes the default checkpoint: two rounds of FER2013 arrays; a round of both corpora, whose
# recordings teach motion alone; five rounds in which a convolutional network teaches the pictures, in
# the last two of which most recordings' motion is seen on the faces of pictures; of the last one the
# teacher learned longer. Each round of both ends with layers that read motion, and the next one begins
# without them. The last run writes these layers anew, for shorter clips, lets pictures talk, and turns
# heads.
# RESUME=--resume goes on with an interrupted run. On two cores an hour for the first two rounds, an
# hour and a half for the fourth, about an hour for each of the three after it, three and a half for
# the last one and thirteen minutes for the last run; the third took four minutes on an H100. A GPU is
# used where there is one.
# What ships was made by these commits: 86f1710, abd9116, 95b8242, aa6e9c4 (averaged by 1b35675),
# 0271584, a1f6ffa (with equal intervals, 2.9 s in all: single frames see only the ends of a clip),
# 82d8c1f, d7f7f34 (whose teacher was the first to see pictures unblurred) and 53231cd.
# (All of these saw recordings in their colours; that the model is given none was written into
# clip_spec.json afterwards. By this script, nothing is learned from colours.)
# (The first five kept no single_frames; what they left in run/frames was made a checkpoint by hand.
# d7f7f34 began with the default checkpoint of 436afde less its last two layers.)
# Commands are those of .venv/bin: `source .venv/bin/activate` first.
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

# Of both, ending with layers that read motion; the first --data is measured.
motion() {
    weight=$1
    shift
    trainer train --recipe small --data "ravdess:$recordings@$weight" --data "images:$pictures" \
        --cache "$output/crops" --test-actors 1,2,3,4 --validation-actors 5,6 --epochs 0 \
        --motion-clips 4 --crop-jitter 2 --erase 0.15 --precision bf16 --report-to none \
        ${RESUME:-} "$@"
}

# Likewise, after single frames.
both() {
    motion "$@" --landmarks 1 --motion 50 --drop-path 0.03 --ema 0.998 --keep last
}

even="--frame-interval-s 0.2 --interval-growth 1"
both 20 $even --frame-epochs 21 --frame-batch-size 256 \
    --base-model "$output/pictures/checkpoint" --output "$output/moving"
taught="--teacher-epochs 30 --frame-learning-rate 8e-4 --frame-batch-size 192 --hide 0.05"
both 10 $even $taught --frame-epochs 13 --base-share 0.5 \
    --base-model "$output/moving/single_frames" --output "$output/taught"
RESUME=--resume
# The same teacher teaches on.
again() {
    teacher="$output/$1/run/teacher"
    if [ ! -d "$teacher" ]; then
        rm -rf "$teacher.part"
        mkdir -p "$output/$1/run"
        cp -r "$output/taught/run/teacher" "$teacher.part"
        mv "$teacher.part" "$teacher"
    fi
}
again longer
both 10 $even $taught --frame-epochs 18 \
    --base-model "$output/taught/single_frames" --output "$output/longer"
again longest
both 10 $taught --frame-epochs 14 --frame-interval-s 0.12 --interval-growth 1.4 \
    --base-model "$output/longer/single_frames" --output "$output/longest"
again reanimated
both 20 $taught --reanimate 0.7 --frame-epochs 14 --base-share 0.5 \
    --base-model "$output/longest/single_frames" --output "$output/reanimated"
both 20 $taught --teacher-epochs 52 --reanimate 0.7 --frame-epochs 16 --base-share 0.5 \
    --frame-interval-s 0.12 --interval-growth 1.4 \
    --base-model "$output/reanimated/single_frames" --output "$output/sharp"
motion 10 --motion-clips 8 --frame-interval-s 0.1 --interval-growth 1.3 --talk 0.5 --turn 0.4 \
    --base-model "$output/sharp/single_frames" --output "$output/default"
