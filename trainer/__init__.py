"""Turns a folder of RAVDESS recordings into a checkpoint that `realtime-mood --model` loads.

    download/    RAVDESS from Zenodo
    corpora/     file name → Recording; which actor is trained on, validated on, tested on
    inspection   what is in the data, and what is wrong with it
    decode       file → frames with exact times (decord, or PyAV where it is missing)
    crops        frames → face crops, cut as the runtime cuts them, kept on disk
    stills       pictures as clips of a slow camera
    dataset      crops → clips (drawn for training, fixed for evaluation); augment
    train        the whole run, top to bottom; base, what it starts from
    single_frames, fit
                 warm-up on single frames, a first classifier, stages of the Hugging Face Trainer
    crossval     all folds of a protocol; pooled, the figures over them
    evaluate     accuracy, UAR and calibration on actors never trained on; metrics
    export       the checkpoint folder and its model card

Of `realtime_mood` it imports `model`, `faces` and `errors`, nothing else.
"""
