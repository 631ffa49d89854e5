"""Collections of labelled recordings, one file per corpus, and how they are split by actor."""
