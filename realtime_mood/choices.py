"""What options may be set to. Imports nothing, so that the command line can offer it at once."""

DETECTOR_CHOICES = ("auto", "yunet", "cascade", "none")
"""Face detectors; see `realtime_mood.faces.detector.make_detector`."""

DEVICE_CHOICES = ("auto", "cpu", "cuda", "mps")
"""What runs the model; see `realtime_mood.inference.torch_classifier`."""
