"""The commands of `sipalg`, one file each."""
