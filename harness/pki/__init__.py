"""Parts of the test PKI: recipes, certificates, files. `harness.ca` is the way in."""
