#!/bin/sh
# Makes the default checkpoint of FER2013 arrays; RESUME=--resume goes on with an interrupted run.
# The one that ships was trained by commit 86f1710 and measured by commit a9ed6f6; its landmarks were
# found in pictures enlarged less than today.
# usage: benchmarks/default_model.sh fer2013_train_val.npz face_detection_yunet_2023mar.onnx OUTPUT
set -eu
REALTIME_MOOD_FACE_MODEL=$2 exec trainer train --recipe small --data "images:$1" --output "$3" \
    --landmarks 1 --frame-epochs 14 --epochs 0 --crop-jitter 3 --erase 0.25 --drop-path 0.05 \
    --ema 0.998 --precision bf16 --report-to none ${RESUME:-}
