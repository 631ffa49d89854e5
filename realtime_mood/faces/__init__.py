"""Finding, following and cutting out faces; the same code for the trainer and the runtime."""
