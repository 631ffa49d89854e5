"""A convolutional network that learns pictures first, and then teaches a small TimeSformer.

Convolutions learn faces from few pictures far better than attention does. What the network makes of
a picture, the very picture that the TimeSformer is given, says more than the label that somebody
gave it: which other expressions it resembles, and that a label is wrong (Hinton et al. 2015, arXiv
1503.02531; the same view for both: Beyer et al. 2022, arXiv 2106.05237).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from realtime_mood.model.labels import LABELS

SIDE = 48
"""Pixels; those of FER2013's pictures."""
WIDTHS = (48, 96, 192, 384)
"""Channels, of two convolutions each, before the picture is halved."""
DROPOUT = 0.4


class PictureTeacher(nn.Module):
    """A plain convolutional network of grey pictures.

    After VGG (Simonyan & Zisserman 2015, arXiv 1409.1556), with batch normalisation; 2.6 M
    parameters.
    """

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 1
        for width in WIDTHS:
            for _ in range(2):
                layers += [
                    nn.Conv2d(before, width, 3, padding=1, bias=False),
                    nn.BatchNorm2d(width),
                    nn.ReLU(inplace=True),
                ]
                before = width
            layers.append(nn.MaxPool2d(2))
        self.body = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(DROPOUT), nn.Linear(before, len(LABELS)))

    def forward(self, pixel_values: Tensor) -> dict[str, Tensor]:
        """`logits`, shape (batch, labels), of clips of one frame.

        Args:
            pixel_values: shape (batch, 1, 3, image_size, image_size).
        """
        grey = pixel_values[:, 0].mean(dim=1, keepdim=True)
        # What was enlarged from SIDE becomes nearly what it was; 'area' would blur it.
        small = functional.interpolate(grey, size=(SIDE, SIDE), mode="bicubic")
        seen = self.body(small.contiguous(memory_format=torch.channels_last))
        return {"logits": self.classifier(seen.mean(dim=(2, 3))).float()}

    @torch.no_grad()
    def teach(self, pixel_values: Tensor) -> Tensor:
        """What a pupil learns: logits of pictures and of their mirrored ones, on average.

        Which are right oftener than those of pictures alone; see `forward`.
        """
        seen, mirrored = (self(view)["logits"] for view in (pixel_values, pixel_values.flip(-1)))
        mean: Tensor = (seen + mirrored) / 2
        return mean
