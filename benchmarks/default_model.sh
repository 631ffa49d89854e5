#!/bin/sh
# Makes the default checkpoint: FER2013 arrays in, a checkpoint folder out; resumes with RESUME=--resume.
# usage: benchmarks/default_model.sh fer2013_train_val.npz face_detection_yunet_2023mar.onnx OUTPUT
set -eu
REALTIME_MOOD_FACE_MODEL=$2 exec trainer train --recipe small --data "images:$1" --output "$3" \
    --landmarks 1 --frame-epochs 14 --epochs 0 --crop-jitter 3 --erase 0.25 --drop-path 0.05 \
    --ema 0.998 --precision bf16 --report-to none ${RESUME:-}
