"""`trainer download`: RAVDESS from Zenodo; stopped at any moment, the same command goes on."""
